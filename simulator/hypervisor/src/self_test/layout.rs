//! Where things are in the test guest's memory.
//!
//! The guest has 16 pages of private memory from address 0 on. Its page tables
//! map virtual addresses 0 to 2 MiB to the same physical ones with the C-bit
//! set, and the 2 MiB above [`SHARED`] to the same physical ones without. In the
//! upper part of the private region, addresses from [`NOWHERE`] on lead to no
//! memory.

/// Pages of private memory.
pub(super) const PAGES: usize = 16;

/// Top of the guest's page tables.
pub(super) const TOP_TABLE: u64 = 0x1000;
/// Page tables of the next levels, one each.
pub(super) const POINTER_TABLE: u64 = 0x2000;
/// See [`POINTER_TABLE`].
pub(super) const DIRECTORY: u64 = 0x3000;
/// Maps the first 2 MiB, private.
pub(super) const PRIVATE_TABLE: u64 = 0x4000;
/// Maps the 2 MiB from [`SHARED`] on, shared.
pub(super) const SHARED_TABLE: u64 = 0x5000;
/// Global descriptor table; task state in the same page.
pub(super) const DESCRIPTORS: u64 = 0x6000;
/// Task state.
pub(super) const TASK_STATE: u64 = 0x6800;
/// Interrupt descriptor table.
pub(super) const GATES: u64 = 0x7000;
/// Handlers of all vectors: [`handler`].
pub(super) const HANDLERS: u64 = 0x8000;
/// End of the stack that the guest starts on.
pub(super) const STACK_TOP: u64 = 0xa000;
/// End of the stack for entries from user mode.
pub(super) const SUPERVISOR_STACK_TOP: u64 = 0xb000;
/// End of the first stack that a gate can ask for.
pub(super) const INTERRUPT_STACK_TOP: u64 = 0xa800;
/// The code that a check runs.
pub(super) const PROGRAM: u64 = 0xb000;
/// Data; the one page that has a shared side.
pub(super) const DATA: u64 = 0xc000;
/// Private memory that the nested tables make read-only.
pub(super) const READ_ONLY: u64 = 0xd000;
/// Private memory that the nested tables make no-execute.
pub(super) const NO_EXECUTE: u64 = 0xe000;
/// Private memory that a check may unmap and change.
pub(super) const SPARE: u64 = 0xf000;
/// Tables of protected mode of 32 bits, in the same page: descriptors, gates and
/// task state.
pub(super) const LEGACY_DESCRIPTORS: u64 = SPARE;
/// See [`LEGACY_DESCRIPTORS`].
pub(super) const LEGACY_GATES: u64 = SPARE + 0x400;
/// See [`LEGACY_DESCRIPTORS`].
pub(super) const LEGACY_TASK_STATE: u64 = SPARE + 0xc00;
/// Where no memory is.
pub(super) const NOWHERE: u64 = 0x1_0000;
/// Virtual address of what is shared; its physical address is this much less.
pub(super) const SHARED: u64 = 0x20_0000;
/// Virtual address of 2 MiB whose page table lies in no memory.
pub(super) const LOST_TABLE: u64 = 0x40_0000;
/// Virtual and physical address of 2 MiB, private and in one piece.
pub(super) const LARGE: u64 = 0x60_0000;

/// Address of the handler of `vector`: a HLT.
pub(super) const fn handler(vector: u8) -> u64 {
    HANDLERS + vector as u64 * 16
}
