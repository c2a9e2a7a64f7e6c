//! Calls by way of the bench, and the guest's other processors below a module.

use abi_snp::ghcb::{ApCreation, ApCreationAction, ValidFields};
use abi_snp::{Vmpl, Vmsa};
use abi_svsm::core_protocol::CoreCall;
use abi_svsm::{CallRegisters, GuestPage, ResultCode};
use alloc::format;
use zerocopy::IntoBytes;

use crate::bench::{Bench, expect_done};
use crate::caller::Caller;
use crate::machine::{Page, Probe, Worker};
use crate::save_area::save_area;
use crate::verdict::{Verdict, expect, skip};
use crate::workers::creation;

/// The level that a module has its guest run at.
pub(crate) const GUEST_LEVEL: Vmpl = Vmpl::Vmpl2;

impl Bench {
    /// The module that this guest is below.
    ///
    /// # Panics
    ///
    /// It is below none: checks of modules are for guests that are.
    pub(crate) fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("checks of a module run below one")
    }

    /// Calls on the first processor.
    pub(crate) fn call(&self, registers: CallRegisters) -> Verdict<CallRegisters> {
        self.caller().call(&self.guest, registers)
    }

    /// A call that must be refused with `code`, and leave all registers but RAX.
    pub(crate) fn refused(
        &self,
        what: &str,
        registers: CallRegisters,
        code: ResultCode,
    ) -> Verdict {
        let got = self.call(registers)?;
        expect(what, CallRegisters { rax: code.rax(), ..registers }, got)
    }

    /// A call that must succeed.
    pub(crate) fn succeeds(&self, what: &str, registers: CallRegisters) -> Verdict<CallRegisters> {
        let got = self.call(registers)?;
        expect(what, ResultCode::SUCCESS, ResultCode::from_rax(got.rax))?;
        Ok(got)
    }

    /// Calls on all processors at once, with these registers by processor; the
    /// results.
    pub(crate) fn call_everywhere<const N: usize>(
        &self,
        calls: [CallRegisters; N],
    ) -> Verdict<[ResultCode; N]> {
        for (processor, registers) in (0..).zip(calls).skip(1) {
            self.caller().order(&self.guest, processor, registers);
        }
        let mut results = [ResultCode::SUCCESS; N];
        if let (Some(own), Some(result)) = (calls.first(), results.first_mut()) {
            *result = ResultCode::from_rax(self.call(*own)?.rax);
        }
        for ((processor, registers), result) in (0..).zip(calls).zip(&mut results).skip(1) {
            *result = self.wait_for_call(processor, registers)?;
        }
        Ok(results)
    }

    /// Waits for the end of a call that a worker was ordered.
    pub(crate) fn wait_for_call(
        &self,
        processor: u32,
        registers: CallRegisters,
    ) -> Verdict<ResultCode> {
        let look = || self.caller().ended(&self.guest, processor, registers);
        let answered = self.wait_for(look, "a processor's call does not end")??;
        Ok(ResultCode::from_rax(answered.rax))
    }

    /// A page with a save area that the module accepts and that nothing runs
    /// with, but for what `change` does to it.
    pub(crate) fn idle_vcpu_page(&mut self, change: impl FnOnce(&mut Vmsa)) -> Verdict<Page> {
        // Below a module, there is no such worker.
        self.vcpu_page(Worker::of_level(Vmpl::Vmpl3), change)
    }

    fn vcpu_page(&mut self, worker: Worker, change: impl FnOnce(&mut Vmsa)) -> Verdict<Page> {
        let page = self.save_area_page()?;
        self.write_vcpu_page(page, worker, change);
        Ok(page)
    }

    /// Fills an ordinary page with the save area of a worker that does not run.
    pub(crate) fn fill_vcpu_page(&mut self, page: Page, worker: Worker) {
        self.write_vcpu_page(page, worker, |_| {});
    }

    fn write_vcpu_page(&mut self, page: Page, worker: Worker, change: impl FnOnce(&mut Vmsa)) {
        let state = self.guest.start_state(worker);
        let mut content = save_area(&state, GUEST_LEVEL, self.features());
        change(&mut content);
        page.store(0, content.as_bytes());
    }

    /// Starts processors until there are `count`.
    pub(crate) fn start_vcpus(&mut self, count: u32) -> Verdict {
        if self.guest.processors < count {
            return skip("the machine has too few processors");
        }
        for processor in 1..count {
            if !self.started.processors[processor as usize] {
                self.start_vcpu(processor)?;
            }
        }
        Ok(())
    }

    fn start_vcpu(&mut self, processor: u32) -> Verdict {
        let page = self.vcpu_page(Worker::of_processor(processor), |_| {})?;
        let area = self.private_page()?;
        let call = create(page, area, processor);
        self.succeeds(&format!("result of making processor {processor}"), call)?;
        if let Some(caller) = &mut self.caller {
            caller.set_area(processor, area);
        }
        self.enter_vcpu(processor, page)
    }

    /// Has the host run a processor that the module knows with this save area,
    /// until it has done something.
    pub(crate) fn enter_vcpu(&mut self, processor: u32, page: Page) -> Verdict {
        self.tell_host(ApCreationAction::Create, processor, page.gpa())?;
        self.started.processors[processor as usize] = true;
        self.vcpu_pages[processor as usize] = Some(page);
        expect_done("RDTSC", &self.on_processor(processor, Probe::Rdtsc)?)
    }

    /// The save area of another processor that runs.
    ///
    /// # Panics
    ///
    /// It was never started.
    pub(crate) fn vcpu_page_of(&self, processor: u32) -> Page {
        self.vcpu_pages[processor as usize].expect("the processor has a save area")
    }

    /// Has the host stop a processor; its save area, which the module still
    /// knows.
    pub(crate) fn stop_vcpu(&mut self, processor: u32) -> Verdict<Page> {
        let page = self.vcpu_page_of(processor);
        self.tell_host(ApCreationAction::Destroy, processor, page.gpa())?;
        self.started.processors[processor as usize] = false;
        Ok(page)
    }

    fn tell_host(&self, action: ApCreationAction, processor: u32, gpa: u64) -> Verdict {
        let vcpu = ApCreation { action, vmpl: GUEST_LEVEL, apic_id: processor };
        let asked = creation(vcpu, gpa, self.features().bits());
        self.must(&asked, ValidFields::empty()).map(drop)
    }
}

/// The call that makes a virtual processor.
pub(crate) fn create(save_area: Page, calling_area: Page, processor: u32) -> CallRegisters {
    CoreCall::CreateVcpu {
        save_area: page_of(save_area),
        calling_area: page_of(calling_area),
        apic_id: processor,
    }
    .encode()
}

/// The call that deletes a virtual processor.
pub(crate) fn delete(save_area: Page) -> CallRegisters {
    CoreCall::DeleteVcpu { save_area: page_of(save_area) }.encode()
}

/// The call that moves a calling area.
pub(crate) fn remap(calling_area: Page) -> CallRegisters {
    CoreCall::RemapCallingArea { calling_area: page_of(calling_area) }.encode()
}

/// A page, as calls name it.
pub(crate) fn page_of(page: Page) -> GuestPage {
    GuestPage::containing(page.gpa())
}
