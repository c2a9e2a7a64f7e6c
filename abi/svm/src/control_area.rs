//! The control area: what the hypervisor asks for, and what it learns.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::event::Event;
use crate::exit_code::ExitCode;
use crate::intercepts::{EventIntercepts, ExceptionIntercepts, InstructionIntercepts};
use crate::virtual_interrupts::VirtualInterrupts;

/// Control area of a VMCB, its first 1024 bytes [APM 24593 appendix B, table
/// B-1]. Fields of features that the simulator does not use (virtual interrupt
/// controller, branch records, encryption) are reserved here.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ControlArea {
    /// Intercepted reads of control registers: bit `n` is CR`n`.
    pub cr_reads: u16,
    /// Intercepted writes to control registers, before they happen.
    pub cr_writes: u16,
    /// Intercepted reads of debug registers.
    pub dr_reads: u16,
    /// Intercepted writes to debug registers.
    pub dr_writes: u16,
    /// Intercepted exceptions.
    pub exceptions: ExceptionIntercepts,
    /// Intercepted events, and the older half of instructions.
    pub events: EventIntercepts,
    /// The newer half of intercepted instructions.
    pub instructions: InstructionIntercepts,
    /// Further intercepts, for instructions that QEMU's processors lack.
    pub further_intercepts: u32,
    _reserved_018: [u8; 0x24],
    /// PAUSE instructions in quick succession that count as one exit.
    pub pause_filter_threshold: u16,
    /// PAUSE instructions before an exit.
    pub pause_filter_count: u16,
    /// Physical address of the [map of I/O
    /// permissions](crate::permission_map::IO_MAP_SIZE).
    pub io_permission_map: u64,
    /// Physical address of the [map of register
    /// permissions](crate::permission_map::MSR_MAP_SIZE).
    pub msr_permission_map: u64,
    /// Added to the time stamp counter that the guest reads.
    pub tsc_offset: u64,
    /// Address space of the guest's translations; VMRUN refuses 0.
    pub asid: u32,
    /// What VMRUN does with cached translations.
    pub tlb_control: TlbControl,
    _reserved_05d: [u8; 3],
    /// Virtual interrupts.
    pub virtual_interrupts: VirtualInterrupts,
    /// Whether the guest is in an interrupt shadow, and other bits.
    pub interrupt_shadow: InterruptShadow,
    /// Why the guest stopped.
    pub exit_code: ExitCode,
    /// First word of details; meaning by exit code.
    pub exit_info_1: u64,
    /// Second word of details; meaning by exit code.
    pub exit_info_2: u64,
    /// The event whose delivery the exit cut short, if
    /// [valid](Event::is_valid).
    pub exit_interrupt_info: Event,
    /// Whether there is nested paging.
    pub nested_control: NestedControl,
    _reserved_098: [u8; 0x10],
    /// The event that VMRUN delivers to the guest, if
    /// [valid](Event::is_valid).
    pub event_injection: Event,
    /// Physical address of the top nested page table.
    pub nested_cr3: u64,
    _reserved_0b8: [u8; 8],
    /// Parts of the VMCB that did not change since the last run; 0 if unknown.
    pub clean_bits: u32,
    _reserved_0c4: [u8; 4],
    /// Address of the instruction after the one that exited, where the
    /// processor saves it.
    pub next_rip: u64,
    _reserved_0d0: [u8; 0x330],
}

const _: () = assert!(size_of::<ControlArea>() == 0x400);

/// Open enumeration of what VMRUN does with cached translations
/// [APM 24593 §15.16.2].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct TlbControl(pub u8);

impl TlbControl {
    /// Keep them.
    pub const KEEP: Self = Self(0);
    /// Discard all of all guests and of the host.
    pub const FLUSH_ALL: Self = Self(1);
    /// Discard all of this guest.
    pub const FLUSH_GUEST: Self = Self(3);
}

/// Interrupt state of the guest [APM 24593 §15.21.5].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct InterruptShadow(u64);

bitflags::bitflags! {
    impl InterruptShadow: u64 {
        /// The instruction after STI or a load of SS is next: no interrupt is
        /// taken before it.
        const SHADOW = 1 << 0;
    }
}

/// Controls of nested paging [APM 24593 §15.25.3].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct NestedControl(u64);

bitflags::bitflags! {
    impl NestedControl: u64 {
        /// Guest physical addresses are translated by nested page tables.
        const NESTED_PAGING = 1 << 0;
    }
}

/// Asserts offsets of [`ControlArea`] fields at compile time.
macro_rules! assert_offsets {
    ($($offset:literal $field:ident)*) => {
        const _: () = {
            $(assert!(core::mem::offset_of!(ControlArea, $field) == $offset);)*
        };
    };
}

assert_offsets! {
    0x000 cr_reads 0x002 cr_writes 0x004 dr_reads 0x006 dr_writes 0x008 exceptions
    0x00c events 0x010 instructions 0x014 further_intercepts
    0x03c pause_filter_threshold 0x03e pause_filter_count
    0x040 io_permission_map 0x048 msr_permission_map 0x050 tsc_offset
    0x058 asid 0x05c tlb_control 0x060 virtual_interrupts 0x068 interrupt_shadow
    0x070 exit_code 0x078 exit_info_1 0x080 exit_info_2 0x088 exit_interrupt_info
    0x090 nested_control 0x0a8 event_injection 0x0b0 nested_cr3
    0x0c0 clean_bits 0x0c8 next_rip
}
