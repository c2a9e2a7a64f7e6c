//! Why a guest gives up.
//!
//! A guest tells it to its hypervisor by the GHCB MSR
//! ([`MsrRequest::Terminate`](crate::ghcb::MsrRequest::Terminate)) or by the
//! page (`ExitCode::TERMINATION_REQUEST`) [GHCB 56421 2.04 §2.3.1 and §4.1,
//! "Termination Request"]. Who defines a code is told by its set, so that a
//! number in the host's log leads to the right list.

use core::fmt;

/// Open enumeration of reason code sets: 0 to 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReasonSet(u8);

impl ReasonSet {
    /// Codes of the GHCB specification itself.
    pub const GHCB: Self = Self(0);
    /// Codes of Linux.
    pub const LINUX: Self = Self(1);
    /// Codes of this module: the kernel's `StopReason`.
    pub const MODULE: Self = Self(2);

    /// The set with this number, `None` if it is above 15.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 16 { Some(Self(number)) } else { None }
    }

    /// The set in bits 3:0 of `word`; other bits do not count.
    pub(super) const fn from_bits_3_0(word: u64) -> Self {
        Self((word & 0xf) as u8)
    }

    /// 0 to 15.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// A reason: a code and the set that gives it a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TerminationReason {
    /// Who defines the code.
    pub set: ReasonSet,
    /// The code.
    pub code: u8,
}

/// Meanings of Linux's codes, from 0 on [Linux 7.2
/// `arch/x86/include/asm/sev-common.h`].
const LINUX_NAMES: [&str; 13] = [
    "the hypervisor did not register the GHCB",
    "the hypervisor did not change a page's state",
    "a page could not be validated",
    "not at VMPL0",
    "unusable CPUID page",
    "the hypervisor did not answer for CPUID",
    "unusable secrets page",
    "not at VMPL0, and the secrets page names no SVSM",
    "an SVSM is present, but the secrets page says VMPL0",
    "the secrets page has an unaligned calling area",
    "no Secure TSC",
    "the SVSM did not move the calling area",
    "no Secure AVIC",
];

impl TerminationReason {
    /// No particular reason.
    pub const GENERAL: Self = Self::new(ReasonSet::GHCB, 0);
    /// Guest and hypervisor have no version of the GHCB protocol in common.
    pub const PROTOCOL_VERSION: Self = Self::new(ReasonSet::GHCB, 1);
    /// The guest needs SEV-SNP features that are not there, or finds some that
    /// it cannot run with.
    pub const SNP_FEATURES: Self = Self::new(ReasonSet::GHCB, 2);

    /// `code` of `set`.
    #[must_use]
    pub const fn new(set: ReasonSet, code: u8) -> Self {
        Self { set, code }
    }

    /// What the event `ExitCode::TERMINATION_REQUEST` has in `SW_EXITINFO1`:
    /// the set in bits 3:0, the code in 11:4 [Linux 7.2
    /// `SVM_VMGEXIT_TERM_REASON`]. `SW_EXITINFO2` is free for more about the
    /// reason.
    #[must_use]
    pub const fn exit_info_1(self) -> u64 {
        (self.code as u64) << 4 | self.set.0 as u64
    }

    /// The reason in `exit_info_1`, `None` if a bit from 12 on is set.
    #[must_use]
    pub const fn from_exit_info_1(exit_info_1: u64) -> Option<Self> {
        if exit_info_1 >> 12 != 0 {
            return None;
        }
        Some(Self::new(ReasonSet::from_bits_3_0(exit_info_1), (exit_info_1 >> 4) as u8))
    }

    /// The reason in words, for codes of the GHCB specification and of Linux.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::GENERAL => "no particular reason",
            Self::PROTOCOL_VERSION => "no GHCB protocol version in common",
            Self::SNP_FEATURES => "unsuitable SEV-SNP features",
            Self { set: ReasonSet::LINUX, code } => LINUX_NAMES.get(usize::from(code))?,
            _ => return None,
        })
    }
}

impl fmt::Display for TerminationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reason set {}, code {:#04x}", self.set.0, self.code)?;
        match self.name() {
            Some(name) => write!(f, ": {name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn sets_have_four_bits() {
        assert_eq!(ReasonSet::new(2), Some(ReasonSet::MODULE));
        assert_eq!(ReasonSet::new(15).map(ReasonSet::number), Some(15));
        assert_eq!(ReasonSet::new(16), None);
    }

    #[test]
    fn every_reason_survives_the_page() {
        for set in (0..16).filter_map(ReasonSet::new) {
            for code in 0..=u8::MAX {
                let reason = TerminationReason::new(set, code);
                let info = reason.exit_info_1();
                assert_eq!(TerminationReason::from_exit_info_1(info), Some(reason));
            }
        }
        assert_eq!(TerminationReason::new(ReasonSet::LINUX, 3).exit_info_1(), 0x031);
        assert_eq!(TerminationReason::from_exit_info_1(0x1000), None);
        assert_eq!(TerminationReason::from_exit_info_1(1 << 63), None);
    }

    #[test]
    fn said_in_words() {
        let words = [
            (TerminationReason::GENERAL, "reason set 0, code 0x00: no particular reason"),
            (TerminationReason::new(ReasonSet::LINUX, 3), "reason set 1, code 0x03: not at VMPL0"),
            (TerminationReason::new(ReasonSet::LINUX, 13), "reason set 1, code 0x0d"),
            (TerminationReason::new(ReasonSet::MODULE, 0x8e), "reason set 2, code 0x8e"),
        ];
        for (reason, expected) in words {
            assert_eq!(reason.to_string(), expected);
        }
    }
}
