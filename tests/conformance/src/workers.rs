//! Starting other processors and levels, and running probes there.

use abi_snp::ghcb::{
    ApCreation, ApCreationAction, AskHypervisorFeatures, ExitCode, HypervisorFeatures, RunVmpl,
    SaveArea, ValidFields,
};
use abi_snp::{PagePermissions, TscInfo, Vmpl, Vmsa};
use abi_x86::SIZE_2M;
use alloc::format;
use zerocopy::IntoBytes;

use crate::bench::{Bench, expect_done, request};
use crate::machine::{Content, Outcome, Page, Permissions, Probe, Worker};
use crate::save_area::save_area;
use crate::verdict::{Verdict, failed, skip};

/// What RMPADJUST gives a save area, as Linux does.
pub(crate) const SAVE_AREA: Permissions = Permissions {
    vmpl: Vmpl::Vmpl1,
    allowed: PagePermissions::empty(),
    content: Content::SaveArea,
};

/// The event *SNP AP Creation* for a save area at `gpa`.
pub(crate) fn creation(creation: ApCreation, gpa: u64, features: u64) -> SaveArea {
    SaveArea {
        rax: Some(features),
        ..SaveArea::request(ExitCode::SNP_AP_CREATION.0, creation.encode(), gpa)
    }
}

impl Bench {
    /// A private page that does not lie where processors mishandle save areas:
    /// not at a multiple of 2 MiB.
    pub(crate) fn save_area_page(&mut self) -> Verdict<Page> {
        let page = self.private_page()?;
        if page.gpa().is_multiple_of(SIZE_2M) { self.private_page() } else { Ok(page) }
    }

    /// A save area for a worker at `vmpl`.
    pub(crate) fn save_area(&mut self, worker: Worker, vmpl: Vmpl) -> Verdict<Page> {
        self.changed_save_area(worker, vmpl, |_| {})
    }

    /// A save area for a worker at `vmpl`, but for what `change` does to it.
    fn changed_save_area(
        &mut self,
        worker: Worker,
        vmpl: Vmpl,
        change: impl FnOnce(&mut Vmsa),
    ) -> Verdict<Page> {
        let page = self.save_area_page()?;
        let state = self.guest.start_state(worker);
        let mut content = save_area(&state, vmpl, self.features());
        if let Some(TscInfo { scale, offset, .. }) = self.tsc {
            (content.guest_tsc_scale, content.guest_tsc_offset) = (scale, offset);
        }
        change(&mut content);
        page.store(0, content.as_bytes());
        self.rmpadjust(page, SAVE_AREA)?;
        Ok(page)
    }

    /// Runs a probe at another level, and comes back.
    pub(crate) fn at_level(&self, vmpl: Vmpl, probe: Probe) -> Verdict<Outcome> {
        let worker = Worker::of_level(vmpl);
        self.guest.order(worker, probe);
        request(&RunVmpl(vmpl))?;
        let result = self.guest.result(worker, probe);
        result.ok_or_else(|| failed(format!("{vmpl} has given the processor back too early")))
    }

    /// Runs a probe on another processor, and waits for its end.
    pub(crate) fn on_processor(&self, number: u32, probe: Probe) -> Verdict<Outcome> {
        let worker = Worker::of_processor(number);
        self.guest.order(worker, probe);
        self.wait_for(|| self.guest.result(worker, probe), "processor does not answer")
    }

    /// Makes a save area known for a level of the first processor, to be run
    /// when the level is asked for.
    pub(crate) fn create_level(&self, vmpl: Vmpl, page: Page) -> Verdict {
        let action = ApCreationAction::CreateOnInit;
        let level = ApCreation { action, vmpl, apic_id: 0 };
        let asked = creation(level, page.gpa(), self.features().bits());
        self.must(&asked, ValidFields::empty()).map(drop)
    }

    /// Opens the image to a level. Skips what needs it if the hypervisor has no
    /// levels.
    pub(crate) fn prepare_level(&self, vmpl: Vmpl) -> Verdict {
        if !request(&AskHypervisorFeatures)?.contains(HypervisorFeatures::MULTI_VMPL) {
            return skip("the hypervisor does not offer several levels");
        }
        self.guest
            .open_image(Permissions::all(vmpl))
            .map_err(|(gpa, code)| failed(format!("RMPADJUST of {gpa:#x}: expected 0, got {code}")))
    }

    /// Starts the worker at a level of the first processor.
    pub(crate) fn start_level(&mut self, vmpl: Vmpl) -> Verdict {
        self.prepare_level(vmpl)?;
        let page = self.save_area(Worker::of_level(vmpl), vmpl)?;
        self.create_level(vmpl, page)?;
        expect_done("RDTSC", &self.at_level(vmpl, Probe::Rdtsc)?)?;
        self.started.levels[usize::from(vmpl.number())] = true;
        self.level_save_areas[usize::from(vmpl.number())] = Some(page);
        Ok(())
    }

    /// Starts the worker on another processor.
    pub(crate) fn start_processor(&mut self, number: u32) -> Verdict<Page> {
        self.start_changed_processor(number, |_| {})
    }

    /// Stops the worker on another processor.
    pub(crate) fn stop_processor(&mut self, number: u32) -> Verdict {
        let action = ApCreationAction::Destroy;
        let processor = ApCreation { action, vmpl: Vmpl::Vmpl0, apic_id: number };
        self.must(&creation(processor, 0, self.features().bits()), ValidFields::empty())?;
        self.started.processors[number as usize] = false;
        Ok(())
    }

    /// Starts the worker on another processor, with what `change` does to its
    /// save area.
    pub(crate) fn start_changed_processor(
        &mut self,
        number: u32,
        change: impl FnOnce(&mut Vmsa),
    ) -> Verdict<Page> {
        let worker = Worker::of_processor(number);
        let page = self.changed_save_area(worker, Vmpl::Vmpl0, change)?;
        let action = ApCreationAction::Create;
        let processor = ApCreation { action, vmpl: Vmpl::Vmpl0, apic_id: number };
        let asked = creation(processor, page.gpa(), self.features().bits());
        self.must(&asked, ValidFields::empty())?;
        self.started.processors[number as usize] = true;
        expect_done("RDTSC", &self.on_processor(number, Probe::Rdtsc)?)?;
        Ok(page)
    }
}
