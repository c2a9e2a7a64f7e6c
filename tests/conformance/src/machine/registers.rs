//! What an instruction under test starts with, and what it leaves.

use abi_x86::ExceptionVector;

/// General-purpose registers apart from RSP, and RFLAGS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Registers {
    pub(crate) rax: u64,
    pub(crate) rbx: u64,
    pub(crate) rcx: u64,
    pub(crate) rdx: u64,
    pub(crate) rsi: u64,
    pub(crate) rdi: u64,
    pub(crate) rbp: u64,
    pub(crate) r8: u64,
    pub(crate) r9: u64,
    pub(crate) r10: u64,
    pub(crate) r11: u64,
    pub(crate) r12: u64,
    pub(crate) r13: u64,
    pub(crate) r14: u64,
    pub(crate) r15: u64,
    pub(crate) rflags: u64,
}

/// An exception that ended an instruction under test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct Trap {
    /// The vector.
    pub(crate) vector: u64,
    /// Its error code, 0 if it has none.
    pub(crate) error_code: u64,
    /// Address of the instruction that the handler would return to.
    pub(crate) rip: u64,
    /// Code segment of the interrupted code.
    pub(crate) cs: u64,
    /// Stack pointer of the interrupted code.
    pub(crate) rsp: u64,
    /// RFLAGS of the interrupted code.
    pub(crate) rflags: u64,
    /// CR2.
    pub(crate) cr2: u64,
    /// Where the handler's stack was.
    pub(crate) handler_stack: u64,
}

impl Registers {
    /// All zero.
    pub(crate) const ZERO: Self = Self {
        rax: 0,
        rbx: 0,
        rcx: 0,
        rdx: 0,
        rsi: 0,
        rdi: 0,
        rbp: 0,
        r8: 0,
        r9: 0,
        r10: 0,
        r11: 0,
        r12: 0,
        r13: 0,
        r14: 0,
        r15: 0,
        rflags: 0,
    };
}

impl Trap {
    const NONE: Self = Self {
        vector: 0,
        error_code: 0,
        rip: 0,
        cs: 0,
        rsp: 0,
        rflags: 0,
        cr2: 0,
        handler_stack: 0,
    };

    /// Which exception it was.
    pub(crate) fn exception(&self) -> ExceptionVector {
        ExceptionVector(self.vector as u8)
    }
}

/// An instruction under test on its way: what the entry code and the trap
/// handler share.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Trial {
    /// Before: what to start with. Afterwards: what was left.
    pub(super) registers: Registers,
    /// Stack pointer to go back to.
    pub(super) return_stack: u64,
    /// Address of the code, which ends with a return.
    pub(super) code: u64,
    /// Stack for user mode; 0 stays in supervisor mode, on the current stack.
    pub(super) user_stack: u64,
    /// Not 0 if an exception ended it.
    pub(super) trapped: u64,
    /// The exception.
    pub(super) trap: Trap,
}

impl Trial {
    /// Nothing to run.
    pub(super) const EMPTY: Self = Self {
        registers: Registers::ZERO,
        return_stack: 0,
        code: 0,
        user_stack: 0,
        trapped: 0,
        trap: Trap::NONE,
    };
}
