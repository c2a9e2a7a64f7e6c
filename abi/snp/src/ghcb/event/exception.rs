//! An exception that the hypervisor wants delivered.

use abi_x86::ExceptionVector;

/// The exception that a guest shall deliver to whoever caused the exit: no
/// others can follow from an instruction that a hypervisor emulates
/// [GHCB 56421 2.04 §4.1]. Linux refuses others too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestedException {
    /// #GP.
    GeneralProtection {
        /// The error code; 0 if the hypervisor gave none.
        error_code: u32,
    },
    /// #UD.
    InvalidOpcode,
}

/// What makes a value no exception that a guest would deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestedExceptionError {
    /// The event is not marked as valid.
    #[error("EVENTINJ {0:#x} is not marked as valid")]
    NotValid(u64),
    /// Reserved bits are set, or an error code that is not marked as one.
    #[error("EVENTINJ has reserved bits {0:#x} set")]
    ReservedBits(u64),
    /// The type of event is not that of an exception.
    #[error("EVENTINJ has type {0}, not 3 for an exception")]
    Type(u8),
    /// Another exception than #GP and #UD.
    #[error("EVENTINJ asks for {0}, possible are #GP and #UD")]
    Vector(ExceptionVector),
    /// An error code for #UD, which has none.
    #[error("EVENTINJ has error code {0:#x} for #UD")]
    ErrorCode(u32),
}

/// Type 3 in bits 10:8: an exception.
const TYPE_EXCEPTION: u8 = 3;
/// There is an error code.
const ERROR_CODE_VALID: u64 = 1 << 11;
/// There is an event.
const VALID: u64 = 1 << 31;

impl RequestedException {
    /// The exception in the format of `EVENTINJ` [APM 24593 §15.20]: vector in
    /// bits 7:0, type in 10:8, error code in 63:32.
    #[must_use]
    pub const fn encode(self) -> u64 {
        let (vector, error_code) = match self {
            Self::GeneralProtection { error_code } => {
                (ExceptionVector::GENERAL_PROTECTION, ERROR_CODE_VALID | (error_code as u64) << 32)
            }
            Self::InvalidOpcode => (ExceptionVector::INVALID_OPCODE, 0),
        };
        VALID | error_code | (TYPE_EXCEPTION as u64) << 8 | vector.0 as u64
    }

    /// The exception in `event`.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn decode(event: u64) -> Result<Self, RequestedExceptionError> {
        if event & VALID == 0 {
            return Err(RequestedExceptionError::NotValid(event));
        }
        let error_code = (event & ERROR_CODE_VALID != 0).then_some((event >> 32) as u32);
        let used = error_code.map_or(0, |_| 0xffff_ffff << 32) | ERROR_CODE_VALID | VALID | 0x7ff;
        if event & !used != 0 {
            return Err(RequestedExceptionError::ReservedBits(event & !used));
        }
        let kind = (event >> 8) as u8 & 7;
        if kind != TYPE_EXCEPTION {
            return Err(RequestedExceptionError::Type(kind));
        }
        match (ExceptionVector(event as u8), error_code) {
            (ExceptionVector::GENERAL_PROTECTION, code) => {
                Ok(Self::GeneralProtection { error_code: code.unwrap_or(0) })
            }
            (ExceptionVector::INVALID_OPCODE, None) => Ok(Self::InvalidOpcode),
            (ExceptionVector::INVALID_OPCODE, Some(code)) => {
                Err(RequestedExceptionError::ErrorCode(code))
            }
            (other, _) => Err(RequestedExceptionError::Vector(other)),
        }
    }

    /// Its vector.
    #[must_use]
    pub const fn vector(self) -> ExceptionVector {
        match self {
            Self::GeneralProtection { .. } => ExceptionVector::GENERAL_PROTECTION,
            Self::InvalidOpcode => ExceptionVector::INVALID_OPCODE,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_two_exceptions() {
        let protection = RequestedException::GeneralProtection { error_code: 0x1234 };
        assert_eq!(protection.encode(), 0x1234_8000_0b0d);
        assert_eq!(RequestedException::InvalidOpcode.encode(), 0x8000_0306);
        // KVM's #GP comes without an error code.
        let plain = RequestedException::GeneralProtection { error_code: 0 };
        assert_eq!(RequestedException::decode(0x8000_030d), Ok(plain));
    }

    #[test]
    fn anything_else_is_refused() {
        use RequestedExceptionError as Error;
        for (event, error) in [
            (0, Error::NotValid(0)),
            (0x030d, Error::NotValid(0x030d)),
            (0x8000_130d, Error::ReservedBits(0x1000)),
            (0x1_8000_030d, Error::ReservedBits(1 << 32)),
            (0x8000_000d, Error::Type(0)),
            (0x8000_0202, Error::Type(2)),
            (0x8000_030e, Error::Vector(ExceptionVector::PAGE_FAULT)),
            (0x8000_031c, Error::Vector(ExceptionVector::HYPERVISOR_INJECTION)),
            (0x8000_0380, Error::Vector(ExceptionVector(0x80))),
            (0x7_8000_0b06, Error::ErrorCode(7)),
        ] {
            assert_eq!(RequestedException::decode(event), Err(error), "{event:#x}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(error_code in any::<u32>()) {
            let exception = RequestedException::GeneralProtection { error_code };
            prop_assert_eq!(RequestedException::decode(exception.encode()), Ok(exception));
        }

        #[test]
        fn whatever_decodes_is_an_exception(high in any::<u32>(), low in 0..0x1000_u64) {
            let event = u64::from(high) << 32 | VALID | low;
            if let Ok(exception) = RequestedException::decode(event) {
                prop_assert_eq!(u64::from(exception.vector().0), event & 0xff);
                prop_assert_eq!(RequestedException::decode(exception.encode()), Ok(exception));
            }
        }
    }
}
