//! The registers of a call.

/// What a guest puts into registers when it calls, and what it finds there
/// afterwards. Those that a call does not name are left as they are.
///
/// A module reads them from the save area once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CallRegisters {
    /// The [`CallId`](crate::CallId); afterwards the
    /// [`ResultCode`](crate::ResultCode).
    pub rax: u64,
    /// First argument.
    pub rcx: u64,
    /// Second argument.
    pub rdx: u64,
    /// Third argument.
    pub r8: u64,
    /// Fourth argument.
    pub r9: u64,
}
