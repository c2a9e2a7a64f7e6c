//! What memory is accessed for, and by whom.

use abi_x86::Rflags;

/// What an access does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads data.
    Read,
    /// Writes data, or reads it in order to write.
    Write,
    /// Fetches an instruction.
    Fetch,
}

/// On whose behalf an access is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    /// Software at CPL 3.
    User,
    /// Software at CPL 0 to 2 while RFLAGS.AC is clear: SMAP keeps it from user
    /// pages.
    Supervisor,
    /// Software at CPL 0 to 2 that has set RFLAGS.AC to reach user pages.
    SupervisorReachingUser,
    /// The processor itself, at any CPL, for its own tables and stacks: the
    /// GDT, the IDT, a task-state segment. Heeds SMAP whatever RFLAGS.AC is
    /// [APM 24593 §5.6.6].
    Implicit,
}

impl Privilege {
    /// Of an access that software makes itself: by its privilege level, 0 to 3,
    /// and RFLAGS.
    #[must_use]
    pub const fn of_software(cpl: u8, rflags: Rflags) -> Self {
        match (cpl, rflags.contains(Rflags::AC)) {
            (0..=2, false) => Self::Supervisor,
            (0..=2, true) => Self::SupervisorReachingUser,
            _ => Self::User,
        }
    }
}
