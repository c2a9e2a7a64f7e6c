//! Why the module stops.

use core::fmt;

use abi_x86::ExceptionVector;

/// Why the module stops. The text goes to the console, the code to a
/// hypervisor that takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The image contains no service.
    NoServices,
    /// The image contains services, and this kernel cannot start any yet.
    ServiceStart,
    /// The image is for a platform that this kernel cannot start on yet.
    PlatformStart,
    /// The boot block is malformed.
    BootBlock,
    /// A Rust panic: an invariant of our own does not hold.
    Panic,
    /// An exception or interrupt that nothing handles.
    Trap(ExceptionVector),
}

impl StopReason {
    /// The reason as a number for the hypervisor. The codes are part of the
    /// documented interface: do not reuse one.
    ///
    /// | code | reason |
    /// |---|---|
    /// | 0x00 | [`NoServices`](Self::NoServices) |
    /// | 0x01 | [`PlatformStart`](Self::PlatformStart) |
    /// | 0x02 | [`BootBlock`](Self::BootBlock) |
    /// | 0x03 | [`Panic`](Self::Panic) |
    /// | 0x04 | [`ServiceStart`](Self::ServiceStart) |
    /// | 0x7f | [`Trap`](Self::Trap) by an interrupt, vector 32 and above |
    /// | 0x80 + vector | [`Trap`](Self::Trap) by an exception, vector 0 to 31 |
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::NoServices => 0x00,
            Self::PlatformStart => 0x01,
            Self::BootBlock => 0x02,
            Self::Panic => 0x03,
            Self::ServiceStart => 0x04,
            Self::Trap(ExceptionVector(vector @ 0..32)) => 0x80 | vector,
            Self::Trap(_) => 0x7f,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServices => f.write_str("no services to start"),
            Self::ServiceStart => f.write_str("this kernel cannot start services yet"),
            Self::PlatformStart => f.write_str("this kernel cannot start on this platform yet"),
            Self::BootBlock => f.write_str("malformed boot block"),
            Self::Panic => f.write_str("panic"),
            Self::Trap(vector) => write!(f, "unhandled {vector}"),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;
    use std::string::ToString;

    use super::*;

    #[test]
    fn codes_differ() {
        let mut codes = BTreeSet::new();
        for reason in [
            StopReason::NoServices,
            StopReason::ServiceStart,
            StopReason::PlatformStart,
            StopReason::BootBlock,
            StopReason::Panic,
            StopReason::Trap(ExceptionVector(32)),
        ] {
            assert!(codes.insert(reason.code()), "{reason:?}");
        }
        for vector in 0..32 {
            assert!(
                codes.insert(StopReason::Trap(ExceptionVector(vector)).code()),
                "vector {vector}"
            );
        }
        assert_eq!(
            StopReason::Trap(ExceptionVector(255)).code(),
            StopReason::Trap(ExceptionVector(32)).code()
        );
    }

    #[test]
    fn text_names_the_exception() {
        assert_eq!(
            StopReason::Trap(ExceptionVector::PAGE_FAULT).to_string(),
            "unhandled #PF page fault"
        );
    }
}
