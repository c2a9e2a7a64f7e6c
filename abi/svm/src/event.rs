//! Events: exceptions and interrupts on their way to a guest.
//!
//! One format for two fields of the control area: EVENTINJ, what VMRUN shall
//! deliver [APM 24593 §15.20], and EXITINTINFO, what was being delivered when
//! the guest exited [APM 24593 §15.7.2].
//!
//! | bits | meaning |
//! |---|---|
//! | 7:0 | vector |
//! | 10:8 | kind |
//! | 11 | there is an error code |
//! | 31 | valid |
//! | 63:32 | error code |

use core::fmt;

use abi_x86::ExceptionVector;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

const ERROR_CODE_VALID: u64 = 1 << 11;
const VALID: u64 = 1 << 31;

/// An exception or interrupt, or none.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Event(u64);

/// Open enumeration of what kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKind(pub u8);

impl EventKind {
    /// An external or virtual interrupt.
    pub const INTERRUPT: Self = Self(0);
    /// A non-maskable interrupt.
    pub const NMI: Self = Self(2);
    /// An exception.
    pub const EXCEPTION: Self = Self(3);
    /// A software interrupt (INT n).
    pub const SOFTWARE_INTERRUPT: Self = Self(4);
}

impl Event {
    /// No event.
    pub const NONE: Self = Self(0);

    /// An external interrupt.
    #[must_use]
    pub const fn interrupt(vector: u8) -> Self {
        Self::new(EventKind::INTERRUPT, vector)
    }

    /// A non-maskable interrupt.
    #[must_use]
    pub const fn nmi() -> Self {
        Self::new(EventKind::NMI, ExceptionVector::NON_MASKABLE_INTERRUPT.0)
    }

    /// An exception without error code.
    #[must_use]
    pub const fn exception(vector: ExceptionVector) -> Self {
        Self::new(EventKind::EXCEPTION, vector.0)
    }

    /// An exception with an error code.
    #[must_use]
    pub const fn exception_with_code(vector: ExceptionVector, error_code: u32) -> Self {
        let event = Self::exception(vector);
        Self(event.0 | ERROR_CODE_VALID | (error_code as u64) << 32)
    }

    const fn new(kind: EventKind, vector: u8) -> Self {
        Self(VALID | (kind.0 as u64) << 8 | vector as u64)
    }

    /// Whether there is an event at all.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.0 & VALID != 0
    }

    /// The vector.
    #[must_use]
    pub const fn vector(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// The kind.
    #[must_use]
    pub const fn kind(self) -> EventKind {
        EventKind((self.0 >> 8) as u8 & 0b111)
    }

    /// The error code, if there is one.
    #[must_use]
    pub const fn error_code(self) -> Option<u32> {
        if self.0 & ERROR_CODE_VALID == 0 { None } else { Some((self.0 >> 32) as u32) }
    }

    /// What the processor reads in a field with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The field as the processor reads it.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_valid() {
            return write!(f, "none ({:#x})", self.0);
        }
        write!(f, "{:?} vector {}", self.kind(), self.vector())?;
        match self.error_code() {
            Some(code) => write!(f, " error code {code:#x}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_as_the_processor_reads_them() {
        assert_eq!(Event::interrupt(0x31).bits(), 0x8000_0031);
        assert_eq!(Event::nmi().bits(), 0x8000_0202);
        assert_eq!(Event::exception(ExceptionVector::VMM_COMMUNICATION).bits(), 0x8000_031d);
        let fault = Event::exception_with_code(ExceptionVector::GENERAL_PROTECTION, 0x1234);
        assert_eq!(fault.bits(), 0x0000_1234_8000_0b0d);
    }

    #[test]
    fn fields_are_read_back() {
        let event = Event::exception_with_code(ExceptionVector::PAGE_FAULT, 7);
        assert!(event.is_valid());
        assert_eq!(
            (event.vector(), event.kind(), event.error_code()),
            (14, EventKind::EXCEPTION, Some(7))
        );
        assert_eq!(Event::nmi().error_code(), None);
        assert_eq!(Event::nmi().kind(), EventKind::NMI);
        assert!(!Event::NONE.is_valid());
    }
}
