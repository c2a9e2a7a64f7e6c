//! What a hostile host does to the machine.
//!
//! The scenario of the launch file says what and when
//! ([`machine::hostile`]); this does it, as far as the processor lets a host.

use abi_simulator::report::{End, Report};
use abi_snp::ghcb::{GuestFrame, PageOperation};
use abi_snp::{PageSize, SevFeatures, Vmsa};
use abi_svm::Event;
use abi_x86::ExceptionVector;
use alloc::format;
use alloc::string::{String, ToString};
use machine::ghcb::PageStates;
use machine::hostile::{Deed, Injection, swap_shared, write_shared};
use machine::processor::check_vmsa;
use machine::processors::{ProcessorIndex, RunState, SaveAreaPage, Target};
use machine::reverse_map::{Encryption, PageState};
use machine::{Gpa, GuestMemory};
use zerocopy::{FromZeros, IntoBytes};

use super::core::Due;
use super::guest::Guest;
use crate::reporter;

/// Events that can wait for a processor.
const MAX_INJECTIONS: usize = 64;

impl Guest {
    /// Does what the scenario wants done now, and tells of it.
    pub(super) fn attack(&mut self) -> Result<(), End> {
        self.scenario.advance(self.world.clock.now());
        while let Some(due) = self.scenario.take_due() {
            let result = self.carry_out(&due.deed);
            self.scenario.report(&due, result);
            self.settle()?;
        }
        self.tell_attacks();
        Ok(())
    }

    /// Tells of what the scenario has done.
    pub(super) fn tell_attacks(&mut self) {
        for text in self.scenario.take_notes() {
            reporter::send(&Report::Note { text });
        }
    }

    /// Does one deed, or says why the processor does not let a host do it.
    fn carry_out(&mut self, deed: &Deed) -> Result<(), String> {
        match deed {
            Deed::Inject { processor, injection } => {
                let index = self.processor(*processor)?;
                self.inject(index, *injection)
            }
            Deed::Remap(gpa) => self.remap(*gpa),
            Deed::MapBack(gpa) => {
                self.world.reverse_map.map_back(*gpa).map_err(|error| error.to_string())?;
                self.forget(*gpa);
                Ok(())
            }
            Deed::Take(gpa) => self.change_page_state(*gpa, PageOperation::Shared),
            Deed::Give(gpa) => self.change_page_state(*gpa, PageOperation::Private),
            Deed::Swap(one, other) => {
                swap_shared(&mut self.world, *one, *other).map_err(|error| error.to_string())
            }
            Deed::Write { place, bytes } => {
                write_shared(&mut self.world, *place, bytes).map_err(|error| error.to_string())
            }
            Deed::ChangePageState { frame, size, operation } => self
                .world
                .change_page_state(*frame, *size, *operation)
                .map_err(|error| error.to_string()),
            Deed::Start { processor, vmpl, save_area } => {
                let target = Target { processor: self.processor(*processor)?, vmpl: *vmpl };
                self.start(target, *save_area)
            }
            Deed::Run { processor, vmpl } => {
                let index = self.processor(*processor)?;
                let processors = self.server.processors_mut();
                processors.divert(index, *vmpl).map_err(|error| error.to_string())
            }
        }
    }

    fn processor(&self, number: u32) -> Result<ProcessorIndex, String> {
        let index = self.server.processors().index(number);
        index.ok_or_else(|| format!("there is no processor {number}"))
    }

    /// An event waits for its processor, which is awake then.
    fn inject(&mut self, index: ProcessorIndex, injection: Injection) -> Result<(), String> {
        let processors = self.server.processors_mut();
        let running = match processors.state(index) {
            RunState::Runnable(running) | RunState::Halted(running) => running,
            RunState::NotCreated | RunState::WaitsForStartup(_) => {
                return Err("the processor does not run yet".to_string());
            }
        };
        let is_doorbell = matches!(
            injection,
            Injection::Exception { vector: ExceptionVector::HYPERVISOR_INJECTION, .. }
        );
        let features = running.save_area.features;
        // VMRUN fails then: from memory [APM 24593 §15.36.16].
        if features.contains(SevFeatures::RESTRICTED_INJECTION) && !is_doorbell {
            return Err("the save area restricts injection to #HV".to_string());
        }
        // The processor does not look at the control block: from memory as well.
        if features.contains(SevFeatures::ALTERNATE_INJECTION) {
            return Err("the save area takes events from itself alone".to_string());
        }
        processors.wake(index);
        let injections = &mut self.injections[index.apic_id() as usize];
        if injections.len() == MAX_INJECTIONS {
            return Err("too many events wait for the processor already".to_string());
        }
        injections.push_back(injection);
        Ok(())
    }

    /// An event that waits for a processor becomes due, if nothing else is.
    pub(super) fn deliver_injection(&mut self, number: usize) {
        let core = &mut self.cores[number];
        if core.due != Due::Nothing {
            return;
        }
        let Some(injection) = self.injections[number].pop_front() else { return };
        match injection {
            Injection::Interrupt(vector) => core.due = Due::Event(Event::interrupt(vector)),
            Injection::NonMaskable => core.due = Due::Event(Event::nmi()),
            Injection::Exception { vector, code } => {
                core.raise(vector, vector.pushes_error_code().then_some(code.into()));
            }
        }
    }

    /// Maps a page to memory that is the guest's elsewhere. What a shared page
    /// is mapped to is the host's affair anyway.
    fn remap(&mut self, gpa: Gpa) -> Result<(), String> {
        let map = &mut self.world.reverse_map;
        match map.entry(gpa).map(|entry| entry.state()) {
            None => return Err(format!("the guest has no memory at {gpa}")),
            Some(PageState::Hypervisor) => return Err(format!("the page at {gpa} is shared")),
            Some(_) => map.remap(gpa).map_err(|error| error.to_string())?,
        }
        self.forget(gpa);
        Ok(())
    }

    fn forget(&mut self, gpa: Gpa) {
        if let Some(entry) = self.world.reverse_map.entry(gpa) {
            self.world.forget(gpa, entry.page_size());
        }
    }

    fn change_page_state(&mut self, gpa: Gpa, operation: PageOperation) -> Result<(), String> {
        let gpa = gpa.page(PageSize::Size4K);
        let frame = GuestFrame::at(gpa.0).ok_or_else(|| format!("{gpa} is no address"))?;
        let changed = self.world.change_page_state(frame, PageSize::Size4K, operation);
        changed.map_err(|error| error.to_string())
    }

    /// Lets a processor run the save area in some page, if VMRUN would enter
    /// it.
    fn start(&mut self, target: Target, gpa: Gpa) -> Result<(), String> {
        let map = &mut self.world.reverse_map;
        map.enter_save_area(gpa).map_err(|error| error.to_string())?;
        map.leave_save_area(gpa);
        let mut vmsa = Vmsa::new_zeroed();
        self.world
            .read(gpa, Encryption::Private, vmsa.as_mut_bytes())
            .map_err(|error| error.to_string())?;
        check_vmsa(&vmsa, target.vmpl, &self.offer).map_err(|error| error.to_string())?;
        let save_area = SaveAreaPage { gpa, features: vmsa.sev_features };
        self.server.processors_mut().take_over(target, save_area);
        Ok(())
    }
}
