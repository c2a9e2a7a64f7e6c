//! Exceptions: vectors and the page-fault error code.
//!
//! Vectors 0 to 31 belong to the processor [APM 24593 §8.2], [SDM 3A §6.3.1].

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::flag_names::show_flag_names;

/// Open enumeration of interrupt vectors; those of exceptions have names.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct ExceptionVector(pub u8);

impl ExceptionVector {
    /// #DE: division by zero or overflow of a quotient.
    pub const DIVIDE_ERROR: Self = Self(0);
    /// #DB: single step or a breakpoint register.
    pub const DEBUG: Self = Self(1);
    /// NMI: non-maskable interrupt.
    pub const NON_MASKABLE_INTERRUPT: Self = Self(2);
    /// #BP: the INT3 instruction.
    pub const BREAKPOINT: Self = Self(3);
    /// #OF: the INTO instruction.
    pub const OVERFLOW: Self = Self(4);
    /// #BR: the BOUND instruction.
    pub const BOUND_RANGE: Self = Self(5);
    /// #UD: invalid opcode.
    pub const INVALID_OPCODE: Self = Self(6);
    /// #NM: x87 or SSE instruction while the unit is unavailable.
    pub const DEVICE_NOT_AVAILABLE: Self = Self(7);
    /// #DF: an exception while another was delivered.
    pub const DOUBLE_FAULT: Self = Self(8);
    /// #TS: invalid task-state segment.
    pub const INVALID_TSS: Self = Self(10);
    /// #NP: segment or gate not present.
    pub const SEGMENT_NOT_PRESENT: Self = Self(11);
    /// #SS: stack segment, or a non-canonical stack address.
    pub const STACK: Self = Self(12);
    /// #GP: general protection.
    pub const GENERAL_PROTECTION: Self = Self(13);
    /// #PF: page fault.
    pub const PAGE_FAULT: Self = Self(14);
    /// #MF: x87 floating-point error.
    pub const X87_FLOATING_POINT: Self = Self(16);
    /// #AC: alignment check.
    pub const ALIGNMENT_CHECK: Self = Self(17);
    /// #MC: machine check.
    pub const MACHINE_CHECK: Self = Self(18);
    /// #XF: SIMD floating-point error.
    pub const SIMD_FLOATING_POINT: Self = Self(19);
    /// #CP: control protection (shadow stacks).
    pub const CONTROL_PROTECTION: Self = Self(21);
    /// #HV: the hypervisor injects an event [APM 24593 §15.36.16].
    pub const HYPERVISOR_INJECTION: Self = Self(28);
    /// #VC: an intercept that the guest has to handle [APM 24593 §15.35.5].
    pub const VMM_COMMUNICATION: Self = Self(29);
    /// #SX: security-sensitive event [APM 24593 §8.2].
    pub const SECURITY: Self = Self(30);

    /// Mnemonic and name in words, if the vector is an exception's.
    const fn names(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::DIVIDE_ERROR => ("#DE", "divide error"),
            Self::DEBUG => ("#DB", "debug"),
            Self::NON_MASKABLE_INTERRUPT => ("NMI", "non-maskable interrupt"),
            Self::BREAKPOINT => ("#BP", "breakpoint"),
            Self::OVERFLOW => ("#OF", "overflow"),
            Self::BOUND_RANGE => ("#BR", "bound range"),
            Self::INVALID_OPCODE => ("#UD", "invalid opcode"),
            Self::DEVICE_NOT_AVAILABLE => ("#NM", "device not available"),
            Self::DOUBLE_FAULT => ("#DF", "double fault"),
            Self::INVALID_TSS => ("#TS", "invalid TSS"),
            Self::SEGMENT_NOT_PRESENT => ("#NP", "segment not present"),
            Self::STACK => ("#SS", "stack"),
            Self::GENERAL_PROTECTION => ("#GP", "general protection"),
            Self::PAGE_FAULT => ("#PF", "page fault"),
            Self::X87_FLOATING_POINT => ("#MF", "x87 floating point"),
            Self::ALIGNMENT_CHECK => ("#AC", "alignment check"),
            Self::MACHINE_CHECK => ("#MC", "machine check"),
            Self::SIMD_FLOATING_POINT => ("#XF", "SIMD floating point"),
            Self::CONTROL_PROTECTION => ("#CP", "control protection"),
            Self::HYPERVISOR_INJECTION => ("#HV", "hypervisor injection"),
            Self::VMM_COMMUNICATION => ("#VC", "VMM communication"),
            Self::SECURITY => ("#SX", "security"),
            _ => return None,
        })
    }

    /// The manuals' short name, such as `#GP`, if the vector is an exception's.
    #[must_use]
    pub const fn mnemonic(self) -> Option<&'static str> {
        match self.names() {
            Some((mnemonic, _)) => Some(mnemonic),
            None => None,
        }
    }

    /// Whether the processor pushes an error code before it enters the
    /// handler.
    #[must_use]
    pub const fn pushes_error_code(self) -> bool {
        matches!(
            self,
            Self::DOUBLE_FAULT
                | Self::INVALID_TSS
                | Self::SEGMENT_NOT_PRESENT
                | Self::STACK
                | Self::GENERAL_PROTECTION
                | Self::PAGE_FAULT
                | Self::ALIGNMENT_CHECK
                | Self::CONTROL_PROTECTION
                | Self::VMM_COMMUNICATION
                | Self::SECURITY
        )
    }
}

impl fmt::Display for ExceptionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            Some((mnemonic, name)) => write!(f, "{mnemonic} {name}"),
            None => write!(f, "vector {}", self.0),
        }
    }
}

impl fmt::Debug for ExceptionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error code of a page fault [APM 24593 §8.4.2].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct PageFaultError(u64);

bitflags::bitflags! {
    impl PageFaultError: u64 {
        /// A page is mapped there, but the access is not allowed.
        const PRESENT = 1 << 0;
        /// The access was a write.
        const WRITE = 1 << 1;
        /// The access came from user mode.
        const USER = 1 << 2;
        /// A reserved bit is set in a page-table entry.
        const RESERVED_BIT = 1 << 3;
        /// The access was an instruction fetch.
        const INSTRUCTION = 1 << 4;
        /// A protection key forbids it.
        const PROTECTION_KEY = 1 << 5;
        /// The access was one to a shadow stack.
        const SHADOW_STACK = 1 << 6;
        /// The reverse map forbids it: not this guest's page, or not validated.
        const REVERSE_MAP = 1 << 31;
    }
}

show_flag_names!(PageFaultError);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn error_codes_are_pushed_by_these_only() {
        let pushing: Vec<u8> =
            (0..=u8::MAX).filter(|v| ExceptionVector(*v).pushes_error_code()).collect();
        assert_eq!(pushing, [8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
    }

    #[test]
    fn names_in_words() {
        assert_eq!(ExceptionVector(14).to_string(), "#PF page fault");
        assert_eq!(ExceptionVector(28).to_string(), "#HV hypervisor injection");
        assert_eq!(ExceptionVector(29).mnemonic(), Some("#VC"));
        assert_eq!(ExceptionVector(30).mnemonic(), Some("#SX"));
        assert_eq!(ExceptionVector(9).to_string(), "vector 9");
        assert_eq!(ExceptionVector(0x80).mnemonic(), None);
    }

    #[test]
    fn no_two_vectors_share_a_mnemonic() {
        let mut mnemonics: Vec<_> =
            (0..=u8::MAX).filter_map(|v| ExceptionVector(v).mnemonic()).collect();
        let count = mnemonics.len();
        mnemonics.sort_unstable();
        mnemonics.dedup();
        assert_eq!((count, mnemonics.len()), (22, 22));
    }

    #[test]
    fn page_fault_bits() {
        let error = PageFaultError::from_bits_retain(0x8000_0013);
        let expected = PageFaultError::PRESENT
            | PageFaultError::WRITE
            | PageFaultError::INSTRUCTION
            | PageFaultError::REVERSE_MAP;
        assert_eq!(error, expected);
    }
}
