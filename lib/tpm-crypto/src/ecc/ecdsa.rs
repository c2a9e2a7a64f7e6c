//! ECDSA signatures [FIPS 186-5 §6.4], given a provider's multiples of the
//! generator.
//!
//! The nonces are those of RFC 6979, so that a signature depends on key, digest
//! and hash only, whatever the provider, and no random number can spoil a key.

use elliptic_curve::{FieldBytes, PrimeField as _, ops::Invert as _, ops::Reduce};
use zeroize::Zeroizing;

use super::{
    curve::Curve,
    error::EccError,
    group::{self, Group, with_curve},
    nonce::until_signed,
    value::{EccSignature, Point, Scalar},
};
use crate::{drbg::HmacDrbg, hash::HashAlgorithm, random::RandomStream};

/// Signs `digest` with `key`; `multiple` gives a scalar's multiple of the
/// generator, in constant time. A digest longer than the order is cut.
///
/// # Errors
/// The errors of `multiple`; [`EccError::NotRandom`] never in practice.
pub(crate) fn sign(
    key: &Scalar,
    hash: HashAlgorithm,
    digest: &[u8],
    multiple: impl Fn(&Scalar) -> Result<Point, EccError>,
) -> Result<EccSignature, EccError> {
    let curve = key.curve();
    let reduced = with_curve!(curve, C => group::digest_modulo_order::<C>(digest).to_vec());
    let mut nonces = HmacDrbg::new(hash, &[key.as_bytes(), &reduced]);
    until_signed(|| {
        let mut drawn = Zeroizing::new([0; super::curve::LARGEST_COORDINATE]);
        let drawn = &mut drawn[..curve.coordinate_size()];
        // One request is one of that standard's nonces, and what follows it is
        // what the standard does to have another.
        nonces.fill(drawn)?;
        keep_leftmost_bits(drawn, curve.bits());
        let Ok(nonce) = Scalar::new(curve, drawn) else {
            return Ok(None);
        };
        let commitment = multiple(&nonce)?;
        Ok(with_curve!(curve, C => complete::<C>(curve, key, &nonce, &commitment, &reduced)))
    })
}

/// `r` is the commitment's x-coordinate, `s = (digest + r · key) / nonce`, all
/// modulo the order. `None` when one of them is zero.
fn complete<C: Group>(
    curve: Curve,
    key: &Scalar,
    nonce: &Scalar,
    commitment: &Point,
    digest: &[u8],
) -> Option<EccSignature> {
    let x = FieldBytes::<C>::try_from(commitment.x()).ok()?;
    let digest = FieldBytes::<C>::try_from(digest).ok()?;
    let digest: C::Scalar = Option::from(C::Scalar::from_repr(digest))?;
    let r = <C::Scalar as Reduce<FieldBytes<C>>>::reduce(&x);
    let key = Zeroizing::new(group::scalar::<C>(key.as_bytes())?);
    let nonce = Zeroizing::new(group::scalar::<C>(nonce.as_bytes())?);
    let inverse = Zeroizing::new(nonce.invert().into_option()?);
    let s = *inverse * (digest + r * *key);
    EccSignature::new(curve, &r.to_repr(), &s.to_repr()).ok()
}

/// Checks a signature of `digest` by `key`; `combine` gives the sum of a multiple of
/// the generator, which is nothing for a digest of zero, and one of the key's point.
/// All belong to one curve.
///
/// # Errors
/// [`EccError::BadSignature`]; the errors of `combine` but
/// [`EccError::PointAtInfinity`].
pub(crate) fn verify(
    key: &Point,
    digest: &[u8],
    signature: &EccSignature,
    combine: impl Fn(Option<&Scalar>, &Scalar) -> Result<Point, EccError>,
) -> Result<(), EccError> {
    with_curve!(key.curve(), C => check::<C>(key.curve(), digest, signature, combine))
}

fn check<C: Group>(
    curve: Curve,
    digest: &[u8],
    signature: &EccSignature,
    combine: impl Fn(Option<&Scalar>, &Scalar) -> Result<Point, EccError>,
) -> Result<(), EccError> {
    let bad = EccError::BadSignature;
    let digest = group::digest_modulo_order::<C>(digest);
    let digest: C::Scalar = Option::from(C::Scalar::from_repr(digest)).ok_or(bad)?;
    let r = group::scalar::<C>(signature.r.as_bytes()).ok_or(bad)?;
    let s = group::scalar::<C>(signature.s.as_bytes()).ok_or(bad)?;
    let inverse = s.invert_vartime().into_option().ok_or(bad)?;
    let right = Scalar::new(curve, &(r * inverse).to_repr())?;
    let left = Scalar::new(curve, &(digest * inverse).to_repr()).ok();
    let commitment = match combine(left.as_ref(), &right) {
        Err(EccError::PointAtInfinity) => return Err(bad),
        other => other?,
    };
    let x = FieldBytes::<C>::try_from(commitment.x()).map_err(|_| bad)?;
    if <C::Scalar as Reduce<FieldBytes<C>>>::reduce(&x) == r { Ok(()) } else { Err(bad) }
}

/// Shifts a byte string right so that `bits` bits of it remain, fewer than eight
/// being lost [RFC 6979 §2.3.2].
fn keep_leftmost_bits(bytes: &mut [u8], bits: u32) {
    let excess = (bytes.len() * 8).saturating_sub(bits as usize) % 8;
    let mut carried = 0;
    for byte in bytes {
        let whole = u16::from(carried) << 8 | u16::from(*byte);
        carried = *byte;
        *byte = (whole >> excess) as u8;
    }
}
