//! How an access or instruction ends that does not complete.

use abi_x86::{ExceptionVector, PageFaultError};

use crate::gpa::Gpa;
use crate::nested_fault::NestedFaultError;
use crate::reverse_map::rule::FaultRule;

/// Error code of the #VC exception for a page that the guest has not
/// accepted: `PAGE_NOT_VALIDATED` [APM 24593 §15.36.10].
pub const PAGE_NOT_VALIDATED: u64 = 0x404;

/// An access or instruction that did not complete. The instruction pointer
/// stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct Fault {
    /// The rule that was broken.
    pub rule: FaultRule,
    /// What the processor does about it.
    pub kind: FaultKind,
}

/// What the processor does about a broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The guest gets `#UD`.
    InvalidOpcode,
    /// The guest gets `#GP(0)`.
    GeneralProtection,
    /// The guest gets `#PF` with this error code; CR2 is the linear address of
    /// the access.
    PageFault(PageFaultError),
    /// The guest gets `#VC` with error code [`PAGE_NOT_VALIDATED`]; CR2 is the
    /// linear address of the access.
    PageNotValidated {
        /// Where the page lies that is not validated: for messages, the
        /// processor does not tell.
        gpa: Gpa,
    },
    /// The guest exits to the hypervisor with code 0x400.
    NestedPageFault {
        /// `EXITINFO2`.
        gpa: Gpa,
        /// `EXITINFO1`.
        error: NestedFaultError,
    },
}

impl FaultKind {
    /// The exception that the guest gets, with its error code; `None` for an
    /// exit to the hypervisor.
    #[must_use]
    pub const fn exception(self) -> Option<(ExceptionVector, Option<u64>)> {
        Some(match self {
            Self::InvalidOpcode => (ExceptionVector::INVALID_OPCODE, None),
            Self::GeneralProtection => (ExceptionVector::GENERAL_PROTECTION, Some(0)),
            Self::PageFault(error) => (ExceptionVector::PAGE_FAULT, Some(error.bits())),
            Self::PageNotValidated { .. } => {
                (ExceptionVector::VMM_COMMUNICATION, Some(PAGE_NOT_VALIDATED))
            }
            Self::NestedPageFault { .. } => return None,
        })
    }
}

impl Fault {
    /// What breaking `rule` leads to, in an access or instruction at `gpa`
    /// whose nested page fault would have the error code `error`, apart from
    /// what the rule adds.
    #[must_use]
    pub(crate) fn new(rule: FaultRule, gpa: Gpa, error: NestedFaultError) -> Self {
        let with = |extra: NestedFaultError| {
            let error = error | NestedFaultError::REVERSE_MAP | extra;
            FaultKind::NestedPageFault { gpa, error }
        };
        let kind = match rule {
            FaultRule::SnpActive => FaultKind::InvalidOpcode,
            FaultRule::Cpl0 | FaultRule::Vmpl0 => FaultKind::GeneralProtection,
            FaultRule::ShadowStackPrivate => FaultKind::PageFault(shadow_stack_error(error)),
            FaultRule::Validated => FaultKind::PageNotValidated { gpa },
            FaultRule::SmallInLarge => with(NestedFaultError::SIZE_MISMATCH),
            FaultRule::Vmpl | FaultRule::WriteNeedsRead => with(NestedFaultError::VMPL),
            FaultRule::RmpCovered
            | FaultRule::GuestOwned
            | FaultRule::ReverseMap
            | FaultRule::Mutable
            | FaultRule::PageSize
            | FaultRule::EntryFree
            | FaultRule::HypervisorOwned => with(NestedFaultError::empty()),
        };
        Self { rule, kind }
    }
}

/// The error code of the page fault for a shared shadow stack. The manual
/// names the reserved bit only; that the others are as in any page fault on a
/// shadow stack is from memory.
fn shadow_stack_error(error: NestedFaultError) -> PageFaultError {
    let mut code =
        PageFaultError::PRESENT | PageFaultError::RESERVED_BIT | PageFaultError::SHADOW_STACK;
    code.set(PageFaultError::WRITE, error.contains(NestedFaultError::WRITE));
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPA: Gpa = Gpa(0x1234_5678);
    const BASE: NestedFaultError =
        NestedFaultError::PRESENT.union(NestedFaultError::USER).union(NestedFaultError::ENCRYPTED);

    fn kind(rule: FaultRule) -> FaultKind {
        let fault = Fault::new(rule, GPA, BASE);
        assert_eq!(fault.rule, rule);
        fault.kind
    }

    #[test]
    fn exceptions_go_to_the_guest() {
        let exception = |rule| kind(rule).exception();
        assert_eq!(exception(FaultRule::SnpActive), Some((ExceptionVector(6), None)));
        assert_eq!(exception(FaultRule::Cpl0), Some((ExceptionVector(13), Some(0))));
        assert_eq!(exception(FaultRule::Vmpl0), Some((ExceptionVector(13), Some(0))));
        assert_eq!(exception(FaultRule::Validated), Some((ExceptionVector(29), Some(0x404))));
        let shadow_stack = exception(FaultRule::ShadowStackPrivate);
        assert_eq!(shadow_stack, Some((ExceptionVector(14), Some(0x49))));
    }

    #[test]
    fn exits_go_to_the_hypervisor_and_say_reverse_map() {
        for rule in [
            FaultRule::RmpCovered,
            FaultRule::GuestOwned,
            FaultRule::ReverseMap,
            FaultRule::Mutable,
            FaultRule::PageSize,
            FaultRule::EntryFree,
            FaultRule::HypervisorOwned,
        ] {
            let error = NestedFaultError::from_bits_retain(0x4_8000_0005);
            assert_eq!(kind(rule), FaultKind::NestedPageFault { gpa: GPA, error });
            assert_eq!(kind(rule).exception(), None);
        }
    }

    #[test]
    fn some_rules_have_a_bit_of_their_own() {
        let error = |rule| match kind(rule) {
            FaultKind::NestedPageFault { error, .. } => error.bits(),
            other => panic!("{other:?}"),
        };
        assert_eq!(error(FaultRule::Vmpl), 0x14_8000_0005);
        assert_eq!(error(FaultRule::WriteNeedsRead), 0x14_8000_0005);
        // As an EPYC processor reported it for PVALIDATE of 4 KiB in 2 MiB.
        assert_eq!(error(FaultRule::SmallInLarge), 0xc_8000_0005);
    }
}
