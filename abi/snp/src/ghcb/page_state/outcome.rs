//! How a page state change went.

use core::fmt;

/// Open enumeration of outcomes: `SW_EXITINFO2` of an answer, while
/// `SW_EXITINFO1` is always 0 [GHCB 56421 2.04 §4.1.6].
///
/// Bits 63:32 tell the kind of error, bits 31:0 details. More kinds exist (KVM's
/// first versions used 3 and 4) whose meaning could not be established.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageStateOutcome(pub u64);

impl PageStateOutcome {
    /// No error: either all is done, or the hypervisor was interrupted and wants
    /// to be asked again. The header tells which.
    pub const NO_ERROR: Self = Self(0);
    /// The header is malformed.
    pub const INVALID_HEADER: Self = Self(0x1_0000_0001);
    /// The entry that the header names is malformed.
    pub const INVALID_ENTRY: Self = Self(0x1_0000_0002);
    /// The hypervisor could not do it [Linux/KVM `VMGEXIT_PSC_ERROR_GENERIC`].
    pub const FAILED: Self = Self(0x100_0000_0000);

    /// The outcome in words, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NO_ERROR => "no error",
            Self::INVALID_HEADER => "invalid header",
            Self::INVALID_ENTRY => "invalid entry",
            Self::FAILED => "failed",
            _ => return None,
        })
    }
}

impl fmt::Display for PageStateOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "unknown error ({:#x})", self.0),
        }
    }
}

impl fmt::Debug for PageStateOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
