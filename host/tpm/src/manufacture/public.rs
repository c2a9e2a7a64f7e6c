//! Public keys: from the device's to a certificate's.

use rsa::{BoxedUint, RsaPublicKey};
use tpm::EndorsementKey;
use tpm_crypto::ecc::Curve;
use x509_cert::spki::{self, SubjectPublicKeyInfoOwned};

/// How a key is used by whoever encrypts to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// RSA: a secret is encrypted.
    Encipherment,
    /// Elliptic curves: a secret is agreed on.
    Agreement,
}

/// Why a key cannot be certified.
#[derive(Debug, thiserror::Error)]
pub enum PublicError {
    /// Its numbers are no key.
    #[error("the device made numbers that are no key: {0}")]
    NoKey(String),
    /// It is on a curve that no template has.
    #[error("the device made a key on {0:?}, which is certified nowhere")]
    Curve(Curve),
    /// The key cannot be encoded.
    #[error("cannot encode a public key: {0}")]
    Encoding(#[from] spki::Error),
}

/// An endorsement key as a certificate has it.
pub(super) fn certified(
    key: &EndorsementKey,
) -> Result<(SubjectPublicKeyInfoOwned, Use), PublicError> {
    let point = |x: &[u8], y: &[u8]| [&[4], x, y].concat();
    match key {
        EndorsementKey::Rsa { modulus, exponent } => {
            let modulus = BoxedUint::from_be_slice_vartime(modulus);
            let key = RsaPublicKey::new(modulus, BoxedUint::from(*exponent))
                .map_err(|error| PublicError::NoKey(error.to_string()))?;
            Ok((SubjectPublicKeyInfoOwned::from_key(&key)?, Use::Encipherment))
        }
        EndorsementKey::Ecc { curve: Curve::P256, x, y } => {
            let key = p256::PublicKey::from_sec1_bytes(&point(x, y))
                .map_err(|error| PublicError::NoKey(error.to_string()))?;
            Ok((SubjectPublicKeyInfoOwned::from_key(&key)?, Use::Agreement))
        }
        EndorsementKey::Ecc { curve: Curve::P384, x, y } => {
            let key = p384::PublicKey::from_sec1_bytes(&point(x, y))
                .map_err(|error| PublicError::NoKey(error.to_string()))?;
            Ok((SubjectPublicKeyInfoOwned::from_key(&key)?, Use::Agreement))
        }
        EndorsementKey::Ecc { curve, .. } => Err(PublicError::Curve(*curve)),
    }
}
