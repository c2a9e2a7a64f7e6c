//! Return codes of the instructions on the reverse map.

use core::fmt;

/// What an instruction leaves in EAX [APM 24594, PVALIDATE, RMPADJUST,
/// RMPQUERY, RMPUPDATE, PSMASH].
///
/// The numbers 1, 2, 3, 4 and 6 are in public software; 7 was seen on
/// processors when PSMASH met a page of 4 KiB, its name is from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum ReturnCode {
    /// `SUCCESS`: done, whether or not the entry changed.
    Success = 0,
    /// `FAIL_INPUT`: operands that make no sense.
    FailInput = 1,
    /// `FAIL_PERMISSION`: the caller may not.
    FailPermission = 2,
    /// `FAIL_INUSE`: the entry is in use; try again later.
    FailInUse = 3,
    /// `FAIL_OVERLAP`: pages of 4 KiB and 2 MiB would overlap.
    FailOverlap = 4,
    /// `FAIL_SIZEMISMATCH`: pages of 4 KiB where 2 MiB were asked for.
    FailSizeMismatch = 6,
    /// `FAIL_BADADDR`: the page is not one that can be split.
    FailBadAddress = 7,
}

impl ReturnCode {
    /// All codes, by number.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::FailInput,
        Self::FailPermission,
        Self::FailInUse,
        Self::FailOverlap,
        Self::FailSizeMismatch,
        Self::FailBadAddress,
    ];

    /// The value of EAX.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The code that EAX holds, `None` if it is none of these.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.number() == number)
    }
}

impl fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Success => "SUCCESS",
            Self::FailInput => "FAIL_INPUT",
            Self::FailPermission => "FAIL_PERMISSION",
            Self::FailInUse => "FAIL_INUSE",
            Self::FailOverlap => "FAIL_OVERLAP",
            Self::FailSizeMismatch => "FAIL_SIZEMISMATCH",
            Self::FailBadAddress => "FAIL_BADADDR",
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn numbers_and_names() {
        let numbers = ReturnCode::ALL.map(ReturnCode::number);
        assert_eq!(numbers, [0, 1, 2, 3, 4, 6, 7]);
        for code in ReturnCode::ALL {
            assert_eq!(ReturnCode::from_number(code.number()), Some(code));
        }
        assert_eq!(ReturnCode::from_number(5), None);
        assert_eq!(ReturnCode::from_number(u32::MAX), None);
        assert_eq!(ReturnCode::FailSizeMismatch.to_string(), "FAIL_SIZEMISMATCH");
    }
}
