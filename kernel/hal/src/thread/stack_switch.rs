//! The instructions that go from one stack to another.
//!
//! What a function must preserve is pushed on the stack that is left, in the
//! order that [`first_frame`] imitates for a thread that has not run yet:
//! R15, R14, R13, R12, RBX, RBP, return address, from the lowest address on.
//! Other registers belong to the caller, and the kernel does not use those of
//! SSE and its successors. Flags are the same on both sides: interrupts masked,
//! DF clear.

use core::arch::naked_asm;

/// Words of a thread's first frame.
const FIRST_FRAME: usize = 8;

/// What the top of a new thread's stack holds: zero for all registers, so that
/// a walk over frame pointers ends here; then `start`, where the thread begins;
/// then a zero where its caller would be. After `start` is taken off, RSP is 8
/// below a multiple of 16, as at the first instruction of any function, if the
/// stack's top is a multiple of 16.
pub(super) fn first_frame(start: extern "C" fn() -> !) -> [u64; FIRST_FRAME] {
    [0, 0, 0, 0, 0, 0, start as usize as u64, 0]
}

/// Saves what a function must preserve on this stack, its pointer to `*save`,
/// and goes on where `stack_pointer` was saved.
///
/// # Safety
///
/// INV-THREAD-1: `stack_pointer` was saved by this function, or points to a
/// [`first_frame`], and is used for the first time since; interrupts are masked.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn switch_stacks(save: *mut u64, stack_pointer: u64) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rdi], rsp",
        "mov rsp, rsi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}
