//! How the security processor says that something went wrong.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Open enumeration of status codes.
///
/// A message that the security processor can make nothing of is the host's
/// problem: the host gets the code and passes it on, unprotected. A message
/// that it understands and refuses is answered by a message: the code is the
/// first word of the payload [SNP ABI 56860 ch. 7 and §8.26]. Numbers as in
/// `include/uapi/linux/psp-sev.h` of Linux.
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct FirmwareStatus(pub u32);

impl FirmwareStatus {
    /// All went well.
    pub const SUCCESS: Self = Self(0);
    /// The guest is not in the state that the command asks for.
    pub const INVALID_GUEST_STATE: Self = Self(0x02);
    /// The guest's policy does not allow it, or the platform cannot keep it.
    pub const POLICY_FAILURE: Self = Self(0x07);
    /// There is no such page, or it is not aligned to its size.
    pub const INVALID_ADDRESS: Self = Self(0x09);
    /// A signature does not hold, or the key that made it is none.
    pub const BAD_SIGNATURE: Self = Self(0x0a);
    /// The launch digest is not the expected one; for a message: it does not
    /// authenticate with the key that it names.
    pub const BAD_MEASUREMENT: Self = Self(0x0b);
    /// A field is wrong, or a reserved one is not zero.
    pub const INVALID_PARAMETER: Self = Self(0x16);
    /// The page does not have the size that the command asks for.
    pub const INVALID_PAGE_SIZE: Self = Self(0x19);
    /// The page is not in a state that the command leads on from.
    pub const INVALID_PAGE_STATE: Self = Self(0x1a);
    /// The message's number is not the next one, or there is no next one.
    pub const AEAD_OVERFLOW: Self = Self(0x1d);
    /// The key that the request names is not there, or not to be used.
    pub const INVALID_KEY: Self = Self(0x27);

    /// The code in words, if it is one that this version knows.
    #[must_use]
    pub const fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::SUCCESS => "success",
            Self::INVALID_GUEST_STATE => "invalid guest state",
            Self::POLICY_FAILURE => "policy failure",
            Self::INVALID_ADDRESS => "invalid address",
            Self::BAD_SIGNATURE => "bad signature",
            Self::BAD_MEASUREMENT => "bad measurement",
            Self::INVALID_PARAMETER => "invalid parameter",
            Self::INVALID_PAGE_SIZE => "invalid page size",
            Self::INVALID_PAGE_STATE => "invalid page state",
            Self::AEAD_OVERFLOW => "wrong or exhausted sequence number",
            Self::INVALID_KEY => "key not available",
            _ => return None,
        })
    }
}

impl fmt::Display for FirmwareStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:#x})", self.words().unwrap_or("unknown status"), self.0)
    }
}

impl fmt::Debug for FirmwareStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for FirmwareStatus {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn shown_in_words_with_the_number() {
        assert_eq!(FirmwareStatus::INVALID_KEY.to_string(), "key not available (0x27)");
        assert_eq!(FirmwareStatus(0x99).to_string(), "unknown status (0x99)");
    }
}
