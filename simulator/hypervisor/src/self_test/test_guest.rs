//! The guest that the checks run in.
//!
//! It is in 64-bit mode, at privilege level 0 unless a check says otherwise,
//! with tables of its own; every handler is a HLT, so that an event that is
//! delivered shows as an exit at the handler's address.

use abi_svm::{Event, EventIntercepts, ExceptionIntercepts, InstructionIntercepts};
use abi_x86::{
    Cr0, Cr4, Efer, EntryFlags, ExceptionVector, GateDescriptor, InterruptStack, PageTableEntry,
    Rflags, SIZE_2M, SIZE_4K, SegmentAttributes, SegmentDescriptor, SegmentRegister,
    SegmentSelector, TaskStateSegment, TssDescriptor, reset,
};
use machine::processor::GeneralRegisters;
use nested_paging::{Access, CBit, View};
use zerocopy::{FromZeros, IntoBytes};

use super::layout::{
    DATA, DESCRIPTORS, DIRECTORY, GATES, HANDLERS, INTERRUPT_STACK_TOP, LARGE, LEGACY_DESCRIPTORS,
    LEGACY_GATES, LEGACY_TASK_STATE, LOST_TABLE, NO_EXECUTE, NOWHERE, PAGES, POINTER_TABLE,
    PRIVATE_TABLE, PROGRAM, READ_ONLY, SHARED, SHARED_TABLE, STACK_TOP, SUPERVISOR_STACK_TOP,
    TASK_STATE, TOP_TABLE, handler,
};
use crate::memory::Memory;
use crate::nested_memory::NestedMemory;
use crate::page::{PAGE_SIZE, Page};
use crate::svm::Svm;
use crate::vcpu::{Exit, ExtraIntercepts, Vcpu};

/// The guest's segments.
pub(super) const CODE: SegmentSelector = SegmentSelector(1 << 3);
const STACK: SegmentSelector = SegmentSelector(2 << 3);
const USER_DATA: SegmentSelector = SegmentSelector(3 << 3 | 3);
const USER_CODE: SegmentSelector = SegmentSelector(4 << 3 | 3);
const TASK: SegmentSelector = SegmentSelector(5 << 3);

/// A flat code segment of 32 bits.
const CODE_32: SegmentAttributes = SegmentAttributes::CODE_64
    .difference(SegmentAttributes::LONG)
    .union(SegmentAttributes::DEFAULT_32);

/// The instruction HLT.
const HLT: u8 = 0xf4;

/// What the checks want to see, beside what always exits. VMMCALL is not among
/// it, so that VMGEXIT and everything unknown arrive as #UD.
pub(super) const INTERCEPTS: ExtraIntercepts = ExtraIntercepts {
    events: EventIntercepts::CPUID
        .union(EventIntercepts::RDTSC)
        .union(EventIntercepts::RDPMC)
        .union(EventIntercepts::INVD)
        .union(EventIntercepts::PAUSE)
        .union(EventIntercepts::HLT)
        .union(EventIntercepts::INVLPG),
    instructions: InstructionIntercepts::WBINVD
        .union(InstructionIntercepts::MONITOR)
        .union(InstructionIntercepts::MWAIT),
    exceptions: ExceptionIntercepts(1 << ExceptionVector::INVALID_OPCODE.0),
    cr_writes: 1 << 0 | 1 << 3 | 1 << 4,
    dr_reads: 1 << 7,
    dr_writes: 1 << 7,
};

/// Why the guest could not be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SetupError {
    /// Not enough memory.
    #[error("there is not enough memory for the self-test: start QEMU with -m 2G or more")]
    OutOfMemory,
    /// The nested page tables refuse a page.
    #[error("the self-test's memory cannot be mapped: {0}")]
    Map(#[from] nested_paging::Error),
}

/// A guest with its memory.
pub(super) struct TestGuest {
    pub(super) vcpu: Vcpu,
    /// Memory as a guest with paging sees it.
    pub(super) nested: NestedMemory,
    /// Memory as a guest without paging sees it: its accesses are all private,
    /// though it has no C-bit to say so.
    unpaged: NestedMemory,
    private: &'static [Page],
    /// The shared side of [`DATA`].
    shared: &'static Page,
    large: &'static [Page; 512],
    c_bit: CBit,
}

impl TestGuest {
    /// Sets a guest up.
    ///
    /// # Errors
    ///
    /// Mostly want of memory; see [`SetupError`].
    pub(super) fn new(svm: &Svm, memory: &mut Memory) -> Result<Self, SetupError> {
        let private = memory.take_pages(PAGES).ok_or(SetupError::OutOfMemory)?;
        let shared = memory.take_page().ok_or(SetupError::OutOfMemory)?;
        let large = memory.take_large_page().ok_or(SetupError::OutOfMemory)?;
        let mut nested = NestedMemory::new(memory)?;
        let mut unpaged = NestedMemory::new(memory)?;
        let c_bit = svm.c_bit();
        for (gpa, page) in (0..).step_by(PAGE_SIZE).zip(private) {
            let access = match gpa {
                READ_ONLY => Access::EXECUTE,
                NO_EXECUTE => Access::WRITE,
                _ => Access::all(),
            };
            nested.map(memory, c_bit.mask() | gpa, page, access)?;
            unpaged.map(memory, gpa, page, access)?;
        }
        nested.map(memory, DATA, shared, Access::all())?;
        nested.map_large(memory, c_bit.mask() | LARGE, large, Access::all())?;
        let vcpu = Vcpu::new(svm, memory, &nested).ok_or(SetupError::OutOfMemory)?;
        let mut guest = Self { vcpu, nested, unpaged, private, shared, large, c_bit };
        guest.fill_tables();
        guest.reset();
        Ok(guest)
    }

    /// What the guest puts out to reach `gpa` by `view`.
    pub(super) fn address(&self, gpa: u64, view: View) -> u64 {
        match view {
            View::Shared => gpa,
            View::Private => gpa | self.c_bit.mask(),
        }
    }

    /// The private memory at `gpa`, and the offset there.
    fn page(&self, gpa: u64) -> (&'static Page, usize) {
        let (page, offset) = (gpa as usize / PAGE_SIZE, gpa as usize % PAGE_SIZE);
        (&self.private[page], offset)
    }

    /// The page of private memory at `gpa`.
    pub(super) fn private_page(&self, gpa: u64) -> &'static Page {
        self.page(gpa).0
    }

    /// The shared side of [`DATA`].
    pub(super) fn shared_page(&self) -> &'static Page {
        self.shared
    }

    /// The memory at [`LARGE`].
    pub(super) fn large_page(&self) -> &'static [Page; 512] {
        self.large
    }

    /// Writes to private memory, within a page.
    pub(super) fn write(&self, gpa: u64, bytes: &[u8]) {
        let (page, offset) = self.page(gpa);
        page.write(offset, bytes);
    }

    /// Reads eight bytes of private memory at a multiple of eight.
    pub(super) fn read(&self, gpa: u64) -> u64 {
        let (page, offset) = self.page(gpa);
        page.word(offset / size_of::<u64>())
    }

    /// Reads a byte of private memory.
    pub(super) fn read_byte(&self, gpa: u64) -> u8 {
        let (page, offset) = self.page(gpa);
        page.byte(offset)
    }

    /// Resets the guest, and has it run `program` from [`PROGRAM`] on.
    pub(super) fn load(&mut self, program: &[u8]) {
        self.reset();
        self.write(PROGRAM, program);
    }

    /// Resets the guest, runs `program` and gives its first exit.
    pub(super) fn run(&mut self, program: &[u8]) -> Exit {
        self.load(program);
        self.vcpu.run()
    }

    /// Resets the guest and runs it with `event` injected, until it exits.
    pub(super) fn run_with(&mut self, event: Event) -> Exit {
        self.load(&[HLT]);
        self.vcpu.inject(event);
        self.vcpu.run()
    }

    /// Puts every register into the state that checks start in: 64-bit mode,
    /// privilege level 0, interrupts off.
    pub(super) fn reset(&mut self) {
        self.vcpu.intercept(INTERCEPTS);
        self.vcpu.inject(Event::NONE);
        self.vcpu.clear_virtual_interrupt();
        self.vcpu.see(&self.nested);
        self.vcpu.registers = GeneralRegisters::default();
        let top_table = self.address(TOP_TABLE, View::Private);
        let save = self.vcpu.save();
        save.zero();
        let segment = |selector, attributes| SegmentRegister {
            selector,
            attributes,
            limit: u32::MAX,
            base: 0,
        };
        let table = |base, size: usize| SegmentRegister {
            selector: SegmentSelector::NULL,
            attributes: SegmentAttributes::empty(),
            limit: size as u32 - 1,
            base,
        };
        save.cs = segment(CODE, SegmentAttributes::CODE_64);
        for register in [&mut save.ds, &mut save.es, &mut save.ss, &mut save.fs, &mut save.gs] {
            *register = segment(STACK, SegmentAttributes::DATA);
        }
        save.gdtr = table(DESCRIPTORS, 7 * size_of::<u64>());
        save.idtr = table(GATES, PAGE_SIZE);
        save.tr = table(TASK_STATE, size_of::<TaskStateSegment>());
        save.tr.selector = TASK;
        save.tr.attributes = SegmentAttributes::TSS_BUSY;
        save.ldtr.attributes = SegmentAttributes::LDT;
        save.efer = Efer::SVME | Efer::LME | Efer::LMA | Efer::NXE;
        save.cr0 = Cr0::PG | Cr0::WP | Cr0::NE | Cr0::ET | Cr0::PE;
        save.cr3 = top_table;
        save.cr4 = Cr4::PAE | Cr4::OSFXSR | Cr4::OSXSAVE;
        save.dr6 = reset::DR6;
        save.dr7 = reset::DR7;
        save.g_pat = reset::PAT;
        save.rflags = Rflags::FIXED;
        save.rip = PROGRAM;
        save.rsp = STACK_TOP;
    }

    /// Puts the guest into user mode.
    pub(super) fn enter_user_mode(&mut self) {
        let save = self.vcpu.save();
        save.cs.selector = USER_CODE;
        save.cs.attributes |= SegmentAttributes::USER;
        save.ss.selector = USER_DATA;
        save.ss.attributes |= SegmentAttributes::USER;
        save.cpl = 3;
    }

    /// Puts the guest into real mode, with all segments at address 0.
    pub(super) fn enter_real_mode(&mut self) {
        self.vcpu.see(&self.unpaged);
        let save = self.vcpu.save();
        let code = SegmentAttributes::CODE_OR_DATA
            | SegmentAttributes::PRESENT
            | SegmentAttributes::READ_WRITE
            | SegmentAttributes::ACCESSED;
        for register in
            [&mut save.cs, &mut save.ds, &mut save.es, &mut save.ss, &mut save.fs, &mut save.gs]
        {
            *register = SegmentRegister {
                selector: SegmentSelector::NULL,
                attributes: code,
                limit: 0xffff,
                base: 0,
            };
        }
        save.cs.attributes |= SegmentAttributes::CODE;
        save.idtr = SegmentRegister { limit: 0x3ff, ..save.ldtr };
        save.efer = Efer::SVME;
        save.cr0 = Cr0::ET;
        save.cr3 = 0;
        save.cr4 = Cr4::empty();
    }

    /// Puts the guest into protected mode of 32 bits, without paging, with flat
    /// segments, and tables of that mode.
    pub(super) fn enter_protected_mode(&mut self) {
        self.fill_legacy_tables();
        self.vcpu.see(&self.unpaged);
        let save = self.vcpu.save();
        save.cs.attributes = CODE_32;
        save.efer = Efer::SVME;
        save.cr0 = Cr0::NE | Cr0::ET | Cr0::PE;
        save.cr3 = 0;
        save.cr4 = Cr4::empty();
        (save.gdtr.base, save.idtr.base, save.tr.base) =
            (LEGACY_DESCRIPTORS, LEGACY_GATES, LEGACY_TASK_STATE);
        save.idtr.limit = 0x7ff;
        // As QEMU's LTR leaves it. With a busy one, as a real processor has it,
        // QEMU ends when user mode is left [QEMU target/i386/tcg/seg_helper.c,
        // `get_ss_esp_from_tss`].
        save.tr.attributes = SegmentAttributes::TSS_AVAILABLE;
    }

    /// The tables of protected mode of 32 bits [APM 24593 §4.7, §12.2.4]; of
    /// gates that for #VC alone.
    fn fill_legacy_tables(&self) {
        let user = SegmentAttributes::USER;
        let segments = [
            SegmentDescriptor::NULL,
            SegmentDescriptor::flat(CODE_32),
            SegmentDescriptor::flat(SegmentAttributes::DATA),
            SegmentDescriptor::flat(SegmentAttributes::DATA | user),
            SegmentDescriptor::flat(CODE_32 | user),
        ];
        self.write(LEGACY_DESCRIPTORS, segments.as_bytes());
        // An interrupt gate of 32 bits, for privilege level 0.
        const GATE: u64 = 0x8e00 << 32;
        let vector = ExceptionVector::VMM_COMMUNICATION.0;
        let gate = GATE | u64::from(CODE.0) << 16 | handler(vector);
        self.write(LEGACY_GATES + u64::from(vector) * 8, &gate.to_le_bytes());
        // Behind a link: ESP and SS for privilege level 0.
        let stack = u64::from(STACK.0) << 32 | SUPERVISOR_STACK_TOP;
        self.write(LEGACY_TASK_STATE + 4, &stack.to_le_bytes());
    }

    /// Makes the gate of `vector` switch to [`INTERRUPT_STACK_TOP`], or not.
    pub(super) fn set_gate_stack(&self, vector: ExceptionVector, stack: InterruptStack) {
        let gate = GateDescriptor::interrupt(handler(vector.0), CODE, stack);
        self.write(GATES + u64::from(vector.0) * 16, gate.as_bytes());
    }

    fn fill_tables(&self) {
        self.fill_page_tables();
        self.fill_descriptors();
        for vector in 0..=u8::MAX {
            self.set_gate_stack(ExceptionVector(vector), InterruptStack::Current);
            self.write(HANDLERS + u64::from(vector) * 16, &[HLT]);
        }
    }

    fn fill_page_tables(&self) {
        let flags = EntryFlags::PRESENT | EntryFlags::WRITABLE | EntryFlags::USER;
        let set = |table: u64, index: u64, gpa: u64, flags: EntryFlags, view| {
            let mask = if view == View::Private { self.c_bit.mask() } else { 0 };
            let entry = PageTableEntry::page(gpa, flags, mask);
            let entry = entry.unwrap_or(PageTableEntry::EMPTY);
            self.write(table + index * 8, entry.as_bytes());
        };
        set(TOP_TABLE, 0, POINTER_TABLE, flags, View::Private);
        set(POINTER_TABLE, 0, DIRECTORY, flags, View::Private);
        set(DIRECTORY, 0, PRIVATE_TABLE, flags, View::Private);
        set(DIRECTORY, SHARED / SIZE_2M, SHARED_TABLE, flags, View::Private);
        set(DIRECTORY, LOST_TABLE / SIZE_2M, NOWHERE, flags, View::Private);
        set(DIRECTORY, LARGE / SIZE_2M, LARGE, flags | EntryFlags::HUGE, View::Private);
        for page in 0..512 {
            set(PRIVATE_TABLE, page, page * SIZE_4K, flags, View::Private);
            set(SHARED_TABLE, page, page * SIZE_4K, flags, View::Shared);
        }
    }

    fn fill_descriptors(&self) {
        let user = SegmentAttributes::USER;
        let segments = [
            SegmentDescriptor::NULL,
            SegmentDescriptor::flat(SegmentAttributes::CODE_64),
            SegmentDescriptor::flat(SegmentAttributes::DATA),
            SegmentDescriptor::flat(SegmentAttributes::DATA | user),
            SegmentDescriptor::flat(SegmentAttributes::CODE_64 | user),
        ];
        self.write(DESCRIPTORS, segments.as_bytes());
        let task = TssDescriptor::new(TASK_STATE);
        self.write(DESCRIPTORS + size_of_val(&segments) as u64, task.as_bytes());
        let mut task_state = TaskStateSegment::new();
        task_state.privilege_stacks = [SUPERVISOR_STACK_TOP, 0, 0];
        task_state.interrupt_stacks = [INTERRUPT_STACK_TOP, 0, 0, 0, 0, 0, 0];
        self.write(TASK_STATE, task_state.as_bytes());
    }
}
