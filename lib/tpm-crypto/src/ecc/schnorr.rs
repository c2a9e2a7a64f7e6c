//! EC-Schnorr signatures as TPMs make them [TPM 2.0 Part 1 Annex C].
//!
//! With a nonce k, `r` is the hash of the x-coordinate of `k · G` and the digest,
//! cut to the size of the order, and `s = k + r · d`. The coordinate is hashed
//! with leading zeros.

use super::{
    curve::Curve,
    error::EccError,
    nonce::until_signed,
    value::{EccSignature, Point, Scalar},
};
use crate::{hash::HashAlgorithm, provider::Curves, random::RandomStream};

/// Signs `digest` with `key`, with nonces from `stream`.
///
/// # Errors
/// [`EccError::Random`] or [`EccError::NotRandom`] when the stream fails.
pub fn sign(
    curves: &dyn Curves,
    key: &Scalar,
    hash: HashAlgorithm,
    digest: &[u8],
    stream: &mut dyn RandomStream,
) -> Result<EccSignature, EccError> {
    let curve = key.curve();
    until_signed(|| {
        let nonce = Scalar::draw(curve, stream)?;
        let commitment = curves.public_key(&nonce)?;
        let r = challenge(curve, hash, &commitment, digest);
        Ok(r.and_then(|r| Some(EccSignature { s: nonce.plus_product(&r, key)?, r })))
    })
}

/// Checks a signature of `digest`: `s · G - r · Q` has to lead to `r` again.
///
/// # Errors
/// [`EccError::BadSignature`] when it does not; [`EccError::WrongCurve`] when
/// key and signature do not belong to one curve.
pub fn verify(
    curves: &dyn Curves,
    key: &Point,
    hash: HashAlgorithm,
    digest: &[u8],
    signature: &EccSignature,
) -> Result<(), EccError> {
    let curve = key.curve();
    let commitment = match curves.combine_public(&signature.s, &signature.r.negated(), key) {
        Err(EccError::PointAtInfinity) => return Err(EccError::BadSignature),
        other => other?,
    };
    match challenge(curve, hash, &commitment, digest) {
        Some(r) if r == signature.r => Ok(()),
        _ => Err(EccError::BadSignature),
    }
}

/// The hash of commitment and digest, unless it is out of range as a scalar:
/// then the signer takes another nonce, and a verifier refuses.
fn challenge(
    curve: Curve,
    hash: HashAlgorithm,
    commitment: &Point,
    digest: &[u8],
) -> Option<Scalar> {
    let hashed = hash.digest(&[commitment.x(), digest]);
    let cut = hashed.as_bytes().len().min(curve.coordinate_size());
    Scalar::new(curve, &hashed.as_bytes()[..cut]).ok()
}
