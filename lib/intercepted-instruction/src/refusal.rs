//! Why a #VC is not answered.

use abi_svm::ExitCode;

/// What is wrong with a #VC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The interrupted code does not run at privilege level 0 (level given).
    #[error("#VC at privilege level {0}, where only the kernel's own instructions are answered")]
    PrivilegeLevel(u8),
    /// The exit is of a kind that the kernel never causes on purpose.
    #[error("#VC with exit code {:#x} ({code}), which nothing in the kernel causes", code.0)]
    Unexpected {
        /// The error code.
        code: ExitCode,
    },
    /// The instruction at RIP does not make exits with this code. The
    /// hypervisor injected the exception.
    #[error("the host injected #VC: the instruction at RIP makes no exit {:#x} ({code})", code.0)]
    CodeDoesNotFit {
        /// The error code.
        code: ExitCode,
    },
    /// The bytes at RIP are no instruction, or not a whole one.
    #[error("#VC where there is no instruction")]
    NoInstruction,
    /// Port I/O with 32-bit addresses, with the prefix REPNE, with two prefixes
    /// for the operand size, or from a segment with a base. The kernel has none.
    #[error("#VC at a form of port I/O that the kernel does not use")]
    UnusedForm,
}
