//! Checking signatures in the security processor's format.

use abi_snp::{Curve, EcdsaP384PublicKey, EcdsaSignature, P384Integer};
use p384::ecdsa::signature::Verifier;
use p384::ecdsa::{Signature, VerifyingKey};
use p384::{FieldBytes, Sec1Point};

/// Whether `key` is a point of P-384 and made `signature` of `message`, with
/// SHA-384.
pub(super) fn holds(key: &EcdsaP384PublicKey, signature: &EcdsaSignature, message: &[u8]) -> bool {
    let key = (key.curve == Curve::P384).then(|| point(key)).flatten();
    let signature = scalars(signature);
    key.zip(signature).is_some_and(|(key, signature)| key.verify(message, &signature).is_ok())
}

fn point(key: &EcdsaP384PublicKey) -> Option<VerifyingKey> {
    let (x, y) = (field_bytes(&key.x)?, field_bytes(&key.y)?);
    let point = Sec1Point::from_affine_coordinates(&x, &y, false);
    VerifyingKey::from_sec1_point(&point).ok()
}

fn scalars(signature: &EcdsaSignature) -> Option<Signature> {
    Signature::from_scalars(field_bytes(&signature.r)?, field_bytes(&signature.s)?).ok()
}

fn field_bytes(number: &P384Integer) -> Option<FieldBytes> {
    number.to_big_endian().map(FieldBytes::from)
}
