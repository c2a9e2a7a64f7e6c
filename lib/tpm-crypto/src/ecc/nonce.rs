//! Signing with nonces until one of them leads to a signature.

use super::{error::EccError, value::EccSignature};

/// Nonces tried before the stream is called broken. A sound one gives an unusable
/// number less than once in 2³² tries.
const TRIES: u32 = 16;

/// Tries, with another nonce each time, until there is a signature. There is none
/// when a number is out of range that is hardly ever so.
///
/// # Errors
/// [`EccError::NotRandom`] after too many tries; the errors of `attempt`.
pub(super) fn until_signed(
    mut attempt: impl FnMut() -> Result<Option<EccSignature>, EccError>,
) -> Result<EccSignature, EccError> {
    for _ in 0..TRIES {
        if let Some(signature) = attempt()? {
            return Ok(signature);
        }
    }
    Err(EccError::NotRandom(TRIES))
}
