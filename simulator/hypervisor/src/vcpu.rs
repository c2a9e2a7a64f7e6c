//! A virtual processor: its registers, and running it until it exits.
//!
//! Safe code may set every register of the guest and ask for more intercepts,
//! but not for fewer than [`REQUIRED_EVENTS`] and [`REQUIRED_INSTRUCTIONS`], nor
//! touch the addresses that the processor follows: so whatever the guest does,
//! it reaches nothing of the host's (INV-HV-RUN-1).

mod enter;

use abi_svm::{
    Event, EventIntercepts, EventKind, ExceptionIntercepts, ExitCode, InstructionIntercepts,
    InterruptShadow, NestedControl, SaveArea, TlbControl, VirtualInterrupts, Vmcb,
};

use self::enter::enter;
use abi_x86::Efer;
use machine::processor::{GeneralRegisters, SavedEvents};

use crate::memory::Memory;
use crate::nested_memory::NestedMemory;
use crate::svm::Svm;

/// What always exits: without these the guest could take the machine's
/// interrupts, ports or special registers, or throw away what its caches hold.
const REQUIRED_EVENTS: EventIntercepts = EventIntercepts::INTR
    .union(EventIntercepts::NMI)
    .union(EventIntercepts::INIT)
    .union(EventIntercepts::INVD)
    .union(EventIntercepts::INVLPGA)
    .union(EventIntercepts::IO)
    .union(EventIntercepts::MSR)
    .union(EventIntercepts::SHUTDOWN);

/// Instructions that always exit: those of SVM itself, and XSETBV, whose
/// register no one switches. (QEMU 7.2 lets XSETBV through. The host has no use
/// for extended state, so nothing of it depends on that register.)
const REQUIRED_INSTRUCTIONS: InstructionIntercepts = InstructionIntercepts::VMRUN
    .union(InstructionIntercepts::VMLOAD)
    .union(InstructionIntercepts::VMSAVE)
    .union(InstructionIntercepts::STGI)
    .union(InstructionIntercepts::CLGI)
    .union(InstructionIntercepts::SKINIT)
    .union(InstructionIntercepts::XSETBV);

/// The one address space of guests; every run drops all translations anyway.
const ASID: u32 = 1;

/// What makes the guest exit, beside what always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtraIntercepts {
    /// Events and instructions.
    pub(crate) events: EventIntercepts,
    /// Instructions.
    pub(crate) instructions: InstructionIntercepts,
    /// Exceptions.
    pub(crate) exceptions: ExceptionIntercepts,
    /// Writes to control registers, bit `n` for CR`n`.
    pub(crate) cr_writes: u16,
    /// Reads of debug registers, bit `n` for DR`n`.
    pub(crate) dr_reads: u16,
    /// Writes to debug registers.
    pub(crate) dr_writes: u16,
}

/// Why the guest stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exit {
    /// The reason.
    pub(crate) code: ExitCode,
    /// First word of details.
    pub(crate) info_1: u64,
    /// Second word of details.
    pub(crate) info_2: u64,
    /// The event whose delivery the exit cut short.
    pub(crate) interrupted: Option<Event>,
    /// Where the guest goes on.
    pub(crate) rip: u64,
}

/// A virtual processor.
pub(crate) struct Vcpu {
    vmcb: &'static mut Vmcb,
    host: &'static mut Vmcb,
    /// General-purpose registers but RAX and RSP, which are in the save area.
    pub(crate) registers: GeneralRegisters,
}

impl Vcpu {
    /// A virtual processor that sees `nested`, with all registers zero: VMRUN
    /// refuses that state, so the caller sets one. `None` if there is no memory.
    pub(crate) fn new(svm: &Svm, memory: &mut Memory, nested: &NestedMemory) -> Option<Self> {
        let vmcb: &'static mut Vmcb = memory.take_value()?;
        let host = memory.take_value()?;
        vmcb.control.events = REQUIRED_EVENTS;
        vmcb.control.instructions = REQUIRED_INSTRUCTIONS;
        vmcb.control.io_permission_map = svm.permission_maps().ports();
        vmcb.control.msr_permission_map = svm.permission_maps().registers();
        vmcb.control.asid = ASID;
        vmcb.control.tlb_control = TlbControl::FLUSH_ALL;
        vmcb.control.virtual_interrupts = VirtualInterrupts::MASKING;
        vmcb.control.nested_control = NestedControl::NESTED_PAGING;
        vmcb.control.nested_cr3 = nested.root();
        Some(Self { vmcb, host, registers: GeneralRegisters::default() })
    }

    /// Makes the guest see `nested` from the next run on.
    pub(crate) fn see(&mut self, nested: &NestedMemory) {
        self.vmcb.control.nested_cr3 = nested.root();
    }

    /// Sets what makes the guest exit.
    pub(crate) fn intercept(&mut self, extra: ExtraIntercepts) {
        let control = &mut self.vmcb.control;
        control.events = REQUIRED_EVENTS | extra.events;
        control.instructions = REQUIRED_INSTRUCTIONS | extra.instructions;
        control.exceptions = extra.exceptions;
        control.cr_writes = extra.cr_writes;
        control.dr_reads = extra.dr_reads;
        control.dr_writes = extra.dr_writes;
    }

    /// Sets what is added to the time stamp counter for the guest.
    pub(crate) fn add_to_time_stamps(&mut self, offset: u64) {
        self.vmcb.control.tsc_offset = offset;
    }

    /// The registers that VMRUN, VMLOAD and VMSAVE move.
    pub(crate) fn save(&mut self) -> &mut SaveArea {
        &mut self.vmcb.save
    }

    /// Delivers `event` to the guest when it runs next.
    pub(crate) fn inject(&mut self, event: Event) {
        self.vmcb.control.event_injection = event;
    }

    /// Whether an event is to be delivered when the guest runs next.
    pub(crate) fn is_injecting(&self) -> bool {
        self.vmcb.control.event_injection.is_valid()
    }

    /// Makes a virtual interrupt of `vector` pending.
    pub(crate) fn raise_virtual_interrupt(&mut self, vector: u8) {
        self.vmcb.control.virtual_interrupts = VirtualInterrupts::MASKING.with_pending(vector);
    }

    /// What is pending for the guest, by this processor's control block.
    pub(crate) fn events(&self) -> SavedEvents {
        let control = &self.vmcb.control;
        SavedEvents {
            interrupts: control.virtual_interrupts.difference(VirtualInterrupts::MASKING),
            shadow: control.interrupt_shadow,
            event: control.event_injection,
        }
    }

    /// Sets what is pending for the guest.
    pub(crate) fn set_events(&mut self, events: SavedEvents) {
        let control = &mut self.vmcb.control;
        // Without the bit, the guest could mask the machine's interrupts.
        control.virtual_interrupts = events.interrupts | VirtualInterrupts::MASKING;
        control.interrupt_shadow = events.shadow;
        control.event_injection = events.event;
    }

    /// Makes no virtual interrupt pending.
    pub(crate) fn clear_virtual_interrupt(&mut self) {
        self.vmcb.control.virtual_interrupts = VirtualInterrupts::MASKING;
    }

    /// Whether a virtual interrupt is pending still.
    pub(crate) fn has_virtual_interrupt(&self) -> bool {
        self.vmcb.control.virtual_interrupts.contains(VirtualInterrupts::PENDING)
    }

    /// An instruction has ended: the shadow that the one before may have cast
    /// on interrupts (STI, MOV to SS) is over.
    pub(crate) fn leave_interrupt_shadow(&mut self) {
        self.vmcb.control.interrupt_shadow = InterruptShadow::empty();
    }

    /// Runs the guest until it exits. A physical interrupt that ends the run is
    /// pending still.
    ///
    /// The guest may clear EFER.SVME, which VMRUN insists on.
    pub(crate) fn run(&mut self) -> Exit {
        self.vmcb.save.efer |= Efer::SVME;
        enter(self.vmcb, self.host, &mut self.registers);
        let Vmcb { control, save } = &mut *self.vmcb;
        // The processor has delivered it, or says so in the exit.
        control.event_injection = Event::NONE;
        let cut_short = control.exit_interrupt_info;
        Exit {
            code: control.exit_code,
            info_1: control.exit_info_1,
            info_2: control.exit_info_2,
            interrupted: (cut_short.is_valid() && !is_virtual_interrupt(cut_short))
                .then_some(cut_short),
            rip: save.rip,
        }
    }
}

/// Whether an event whose delivery was cut short is a virtual interrupt. QEMU
/// takes it for an exception, which VMRUN would not deliver; it is pending
/// still [QEMU target/i386/tcg/seg_helper.c, `handle_even_inj`].
fn is_virtual_interrupt(event: Event) -> bool {
    event.kind() == EventKind::EXCEPTION && event.vector() >= 32
}
