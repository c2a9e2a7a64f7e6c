//! Virtual machine privilege levels.

use core::fmt;

/// A virtual machine privilege level. Smaller numbers have more rights
/// [APM 24593 §15.36.7]; every SNP processor so far has these four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Vmpl {
    /// The most privileged level: an SVSM's.
    Vmpl0 = 0,
    /// Below level 0.
    Vmpl1 = 1,
    /// Below level 1: where guests under an SVSM usually run.
    Vmpl2 = 2,
    /// The least privileged level.
    Vmpl3 = 3,
}

impl Vmpl {
    /// All levels, the most privileged first.
    pub const ALL: [Self; 4] = [Self::Vmpl0, Self::Vmpl1, Self::Vmpl2, Self::Vmpl3];

    /// The level with this number, `None` if it is above 3.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Vmpl0,
            1 => Self::Vmpl1,
            2 => Self::Vmpl2,
            3 => Self::Vmpl3,
            _ => return None,
        })
    }

    /// 0 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether this level has more rights than `other`.
    #[must_use]
    pub const fn is_above(self, other: Self) -> bool {
        self.number() < other.number()
    }
}

impl fmt::Display for Vmpl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Vmpl0 => "VMPL0",
            Self::Vmpl1 => "VMPL1",
            Self::Vmpl2 => "VMPL2",
            Self::Vmpl3 => "VMPL3",
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
        for (number, vmpl) in (0_u8..).zip(Vmpl::ALL) {
            assert_eq!(vmpl.number(), number);
            assert_eq!(Vmpl::from_number(number), Some(vmpl));
            assert_eq!(vmpl.to_string(), std::format!("VMPL{number}"));
        }
        assert_eq!(Vmpl::from_number(4), None);
        assert_eq!(Vmpl::from_number(u8::MAX), None);
    }

    #[test]
    fn smaller_numbers_are_above() {
        assert!(Vmpl::Vmpl0.is_above(Vmpl::Vmpl1));
        assert!(!Vmpl::Vmpl2.is_above(Vmpl::Vmpl2));
        assert!(!Vmpl::Vmpl3.is_above(Vmpl::Vmpl2));
    }
}
