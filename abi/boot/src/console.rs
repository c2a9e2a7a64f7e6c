//! Who may read the module's messages on the console.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Open enumeration of whom the console is for.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct ConsoleAudience(pub u32);

impl ConsoleAudience {
    /// Nobody: no message is printed.
    pub const NONE: Self = Self(0);
    /// The host: messages for it are printed.
    pub const HOST: Self = Self(1);
    /// The tenant: messages for it and for the host are printed, and the host
    /// can read them all.
    pub const TENANT: Self = Self(2);

    /// The audience's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE => "none",
            Self::HOST => "host",
            Self::TENANT => "tenant",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(ConsoleAudience);
