//! This guest: its processors, its memory and the pages that it was given.

use core::sync::atomic::Ordering;

use abi_boot::{BootBlock, PAGE_SIZE, Part, PartKind, VIRTUAL_BASE};
use abi_snp::{CpuidPage, PagePermissions, PageSize, SecretsPage, SegmentRegister, Vmpl};
use abi_x86::{SegmentAttributes, SegmentSelector};

use super::below::{self, Whereabouts};
use super::boot_parameters::BootParameters;
use super::context::{CONTEXTS, Context, VECTORS};
use super::instructions::{self, Instruction};
use super::memory::{Allowed, Extent, Memory, View};
use super::probe::{Mode, Outcome, Permissions, Probe, UserMode};
use super::registers::{Registers, Trial};
use super::segments::{CODE_SELECTOR, DATA_SELECTOR, Stacks, TASK_STATE_SELECTOR};
use super::worker::Pastime;
use super::{trap, trial, worker};

/// This guest.
pub(crate) struct Guest {
    /// Memory to experiment with.
    pub(crate) memory: Memory,
    /// The CPUID page.
    pub(crate) cpuid: &'static CpuidPage,
    /// The secrets page. A channel takes its keys out.
    pub(crate) secrets: &'static mut SecretsPage,
    /// Processors that the host says there are; below a module, that the module
    /// says there are.
    pub(crate) processors: u32,
    /// What the image consists of; `None` below a module.
    block: Option<BootBlock<'static>>,
    /// The top-level page table.
    root: u64,
    user: Option<UserMode>,
}

/// A context other than the one that the checks run in, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Worker {
    number: usize,
    pastime: Pastime,
}

impl Worker {
    /// Most processors that there can be.
    pub(crate) const MOST_PROCESSORS: u32 = 4;

    /// The worker on another processor than the first.
    ///
    /// # Panics
    ///
    /// If there cannot be such a processor.
    pub(crate) fn of_processor(number: u32) -> Self {
        assert!((1..Self::MOST_PROCESSORS).contains(&number), "there is no worker {number}");
        Self { number: number as usize, pastime: Pastime::LookAgain }
    }

    /// The worker at another level than VMPL0, on the first processor.
    ///
    /// # Panics
    ///
    /// If the level is VMPL0.
    pub(crate) fn of_level(vmpl: Vmpl) -> Self {
        assert!(vmpl != Vmpl::Vmpl0, "the checks themselves run at VMPL0");
        let number = Self::MOST_PROCESSORS as usize - 1 + usize::from(vmpl.number());
        Self { number, pastime: Pastime::GiveBack }
    }

    fn context(self) -> &'static Context {
        &CONTEXTS[self.number]
    }
}

/// What a worker's save area has to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartState {
    pub(crate) rip: u64,
    pub(crate) rsp: u64,
    pub(crate) rdi: u64,
    pub(crate) rsi: u64,
    pub(crate) gs_base: u64,
    pub(crate) cs: SegmentSelector,
    pub(crate) data: SegmentSelector,
    pub(crate) gdt: SegmentRegister,
    pub(crate) idt: SegmentRegister,
    pub(crate) task: SegmentRegister,
    pub(crate) cr3: u64,
}

impl Guest {
    /// # Safety
    ///
    /// Called once, by the entry. The boot block is right (INV-BOOT-1,
    /// INV-BOOT-2).
    pub(super) unsafe fn new(block: BootBlock<'static>) -> Self {
        let part = |kind| block.parts_of(kind).next();
        let (Some(cpuid), Some(secrets)) = (part(PartKind::CPUID), part(PartKind::SECRETS)) else {
            panic!("the image has no CPUID page or no secrets page: it is not for SEV-SNP");
        };
        let count = part(PartKind::VP_COUNT);
        let address = |part: &Part| (part.gpa - block.region_base + VIRTUAL_BASE) as usize;
        // SAFETY: INV-BOOT-2: these parts are mapped, readable, hold what their
        // kinds say and do not change; the secrets page is writable and has no
        // other user. Any bytes are values of their types.
        let (cpuid, secrets, processors) = unsafe {
            (
                &*core::ptr::with_exposed_provenance::<CpuidPage>(address(cpuid)),
                &mut *core::ptr::with_exposed_provenance_mut::<SecretsPage>(address(secrets)),
                count.map_or(1, |count| *core::ptr::with_exposed_provenance::<u32>(address(count))),
            )
        };
        let end = block.region_base + block.region_size;
        let in_region = |end_of_part: &u64| (block.region_base..=end).contains(end_of_part);
        let used = block.parts().iter().map(Part::end).filter(in_region).max();
        let root = block.page_table_root;
        let extent = Extent { base: block.region_base, used: used.unwrap_or(end), end };
        let root_address = root - block.region_base + VIRTUAL_BASE;
        // SAFETY: called once, as this is; the block is right (INV-BOOT-2).
        let memory = unsafe { Memory::new(extent, block.c_bit_mask, root_address) };
        Self { memory, cpuid, secrets, processors, block: Some(block), root, user: None }
    }

    /// The guest of a module.
    ///
    /// # Safety
    ///
    /// Called once, by the entry. INV-CF-BELOW-1 holds.
    pub(super) unsafe fn below(at: Whereabouts, parameters: BootParameters) -> Self {
        let Whereabouts { physical, c_bit_mask, root } = at;
        let extent = Extent {
            base: physical,
            used: physical + below::image_size(),
            end: physical + below::SIZE,
        };
        // SAFETY: called once, as this is; the page tables are mapped where they
        // are (INV-CF-BELOW-1).
        let memory = unsafe { Memory::new(extent, c_bit_mask, root) };
        let BootParameters { cpuid, secrets, processors } = parameters;
        Self { memory, cpuid, secrets, processors, block: None, root, user: None }
    }

    /// Makes user mode possible. `stack` is the page that its stack is in,
    /// private and validated.
    pub(crate) fn prepare_user_mode(&mut self, stack: super::memory::Page) {
        let stack = self.memory.map_again(stack, View::Private, Allowed::UserReadWrite);
        let gpa = self.memory.own_gpa(instructions::page());
        let code = self.memory.map(gpa, PageSize::Size4K, View::Private, Allowed::UserExecute);
        self.user = Some(UserMode { instructions: code.address(), stack });
    }

    /// Runs a probe here and now.
    ///
    /// # Panics
    ///
    /// If it is one for user mode, and that is not prepared.
    pub(crate) fn try_out(&self, probe: Probe, mode: Mode) -> Outcome {
        assert!(mode == Mode::Supervisor || self.user.is_some(), "user mode is not prepared");
        let mut trial = probe.trial(mode, self.user);
        // SAFETY: the trial is this function's own, GS points at the first
        // context, whose code this is, and the trial keeps INV-CF-TRIAL-1.
        unsafe { trial::run(&raw mut trial) };
        probe.outcome(&trial, self.user)
    }

    /// Orders a probe from a worker, in supervisor mode.
    pub(crate) fn order(&self, worker: Worker, probe: Probe) {
        worker.context().order(probe.trial(Mode::Supervisor, None));
    }

    /// What the probe came to that the worker has run, if it has.
    pub(crate) fn result(&self, worker: Worker, probe: Probe) -> Option<Outcome> {
        worker.context().ended().map(|trial| probe.outcome(&trial, None))
    }

    /// Gives up what was ordered from a worker that will not run any more.
    pub(crate) fn forget(&self, worker: Worker) {
        worker.context().forget();
    }

    /// How often an interrupt has come to this context, or a worker's.
    pub(crate) fn interrupts(&self, worker: Option<Worker>, vector: u8) -> u32 {
        let context = worker.map_or(&CONTEXTS[0], Worker::context);
        let counts = &context.interrupts;
        counts[usize::from(vector) % VECTORS].load(Ordering::SeqCst)
    }

    /// Where the stacks of the context are that the checks run in.
    pub(crate) fn stacks(&self) -> Stacks {
        CONTEXTS[0].stacks()
    }

    /// What a worker's save area has to hold. A worker that runs must not be
    /// started a second time.
    pub(crate) fn start_state(&self, worker: Worker) -> StartState {
        let context = worker.context();
        // SAFETY: INV-CF-CONTEXT-2: the worker does not run yet, so the tables are
        // this context's to fill in.
        let (gdt, task_state) = unsafe {
            let segments = &mut *context.segments.get();
            (segments.prepare(), segments.task_state())
        };
        let idt = trap::prepare();
        let table = |limit: u16, base| SegmentRegister {
            selector: SegmentSelector::NULL,
            attributes: SegmentAttributes::empty(),
            limit: limit.into(),
            base,
        };
        let this = context.prepare();
        StartState {
            rip: worker::start as *const () as u64,
            rsp: context.stacks().own,
            rdi: this,
            rsi: worker.pastime as u64,
            gs_base: this,
            cs: CODE_SELECTOR,
            data: DATA_SELECTOR,
            gdt: table(gdt.limit, gdt.base),
            idt: table(idt.limit, idt.base),
            task: SegmentRegister {
                selector: TASK_STATE_SELECTOR,
                attributes: SegmentAttributes::TSS_BUSY,
                limit: size_of::<abi_x86::TaskStateSegment>() as u32 - 1,
                base: task_state,
            },
            cr3: self.root | self.memory.c_bit_mask(),
        }
    }

    /// Gives a level all permissions for the pages that the image itself
    /// occupies, so that a worker can run there. Returns the first return code
    /// that is not 0, with the page. Below a module, which has done it, it does
    /// nothing.
    pub(crate) fn open_image(&self, permissions: Permissions) -> Result<(), (u64, u64)> {
        let Some(block) = &self.block else { return Ok(()) };
        let region_end = block.region_base + block.region_size;
        for part in block.parts() {
            let in_region = part.gpa >= block.region_base && part.end() <= region_end;
            if !in_region || part.access.is_empty() {
                continue;
            }
            for gpa in (part.gpa..part.end()).step_by(PAGE_SIZE as usize) {
                let code = adjust_own(gpa - block.region_base + VIRTUAL_BASE, permissions);
                if code != 0 {
                    return Err((gpa, code));
                }
            }
        }
        Ok(())
    }
}

/// RMPADJUST of one of the image's own pages, which leaves its content and this
/// level's access to it alone.
fn adjust_own(address: u64, permissions: Permissions) -> u64 {
    assert!(permissions.vmpl != Vmpl::Vmpl0, "VMPL0's permissions cannot be changed");
    assert!(permissions.allowed.contains(PagePermissions::READ), "workers read the image");
    let mut trial = Trial {
        registers: Registers {
            rax: address,
            rcx: PageSize::Size4K as u64,
            rdx: permissions.rdx(),
            rflags: abi_x86::Rflags::FIXED.bits(),
            ..Registers::ZERO
        },
        code: instructions::page() + Instruction::Rmpadjust.offset(),
        ..Trial::EMPTY
    };
    // SAFETY: as in `try_out`. RMPADJUST for another level changes neither
    // content nor mapping for this one [APM 24594 RMPADJUST].
    unsafe { trial::run(&raw mut trial) };
    if trial.trapped != 0 {
        panic!("RMPADJUST of {address:#x}: {:?}", trial.trap);
    }
    trial.registers.rax
}
