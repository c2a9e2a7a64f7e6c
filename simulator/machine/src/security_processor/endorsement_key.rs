//! The keys that sign reports and that others are derived from.

use core::fmt;

use abi_snp::{EcdsaP384PublicKey, EcdsaSignature, P384Integer, TcbVersion};
use p384::FieldBytes;
use p384::ecdsa::signature::Signer;
use p384::ecdsa::{Signature, SigningKey};
use zerocopy::IntoBytes;
use zeroize::Zeroizing;

use crate::key_derivation::{Secret, derive};

/// The number is no private key of P-384.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the number is no private key of P-384: zero, or not below the order of the curve")]
pub struct InvalidScalar;

/// A private key of P-384. Never shown, and wiped when it is dropped.
pub struct EndorsementKey {
    key: SigningKey,
}

impl EndorsementKey {
    /// The key that is the number `scalar`, big-endian.
    ///
    /// # Errors
    ///
    /// There is no such key.
    pub fn from_scalar(scalar: &[u8; 48]) -> Result<Self, InvalidScalar> {
        SigningKey::from_slice(scalar).map(|key| Self { key }).map_err(|_| InvalidScalar)
    }

    /// The public key, as a certificate names it.
    #[must_use]
    pub fn public_key(&self) -> EcdsaP384PublicKey {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else {
            unreachable!("a public key is a point with two coordinates")
        };
        EcdsaP384PublicKey::new(number(x), number(y))
    }

    /// The deterministic signature of `message` with SHA-384.
    pub(super) fn sign(&self, message: &[u8]) -> EcdsaSignature {
        let signature: Signature = self.key.sign(message);
        let (r, s) = signature.split_bytes();
        EcdsaSignature::new(number(&r), number(&s))
    }

    /// What keys are derived from, for a TCB of version `tcb`.
    pub(super) fn root(&self, tcb: TcbVersion) -> Secret {
        let scalar = Zeroizing::new(self.key.to_bytes());
        derive(&scalar, "endorsement key", tcb.as_bytes())
    }
}

fn number(bytes: &FieldBytes) -> P384Integer {
    P384Integer::from_big_endian(&(*bytes).into())
}

impl fmt::Debug for EndorsementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndorsementKey(redacted)")
    }
}

/// The endorsement keys of a processor.
#[derive(Debug)]
pub struct EndorsementKeys {
    /// The chip's own.
    pub vcek: EndorsementKey,
    /// One that AMD gave the owner of many processors; `None` if none is
    /// loaded.
    pub vlek: Option<EndorsementKey>,
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn only_numbers_below_the_order_are_keys() {
        assert_eq!(EndorsementKey::from_scalar(&[0; 48]).err(), Some(InvalidScalar));
        assert_eq!(EndorsementKey::from_scalar(&[0xff; 48]).err(), Some(InvalidScalar));
        let mut one = [0; 48];
        one[47] = 1;
        let key = EndorsementKey::from_scalar(&one).unwrap().public_key();
        // The generator [FIPS 186-4 §D.1.2.4].
        assert_eq!(key.x.0[..4], [0xb7, 0x0a, 0x76, 0x72]);
        assert_eq!(key.y.0[..4], [0x5f, 0x0e, 0xea, 0x90]);
    }

    #[test]
    fn signatures_repeat_and_keys_do_not_show() {
        let key = EndorsementKey::from_scalar(&[0x5a; 48]).unwrap();
        assert_eq!(key.sign(b"message"), key.sign(b"message"));
        assert_ne!(key.sign(b"message"), key.sign(b"messagf"));
        assert_ne!(key.root(TcbVersion([0; 8])), key.root(TcbVersion([1; 8])));
        let text = format!("{key:?} {key:#?}").to_lowercase();
        assert!(!text.contains("5a") && !text.contains("90"), "{text}");
    }
}
