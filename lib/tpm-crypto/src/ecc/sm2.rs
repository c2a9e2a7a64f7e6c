//! SM2 signatures [GB/T 32918.2-2016 §6, §7].
//!
//! With a nonce k, `r` is the sum of the digest and the x-coordinate of `k · G`, and
//! `s = (k - r · d) / (1 + d)`, all modulo the order. The digest is the standard's
//! e: whoever signs a message hashes it behind the hash of the signer's identity,
//! curve and key. TPMs sign so on every curve.

use elliptic_curve::{Field, FieldBytes, PrimeField as _};
use zeroize::Zeroizing;

use super::{
    curve::Curve,
    error::EccError,
    group::{self, Group, with_curve},
    nonce::until_signed,
    value::{EccSignature, Point, Scalar},
};
use crate::{provider::Curves, random::RandomStream};

/// Signs `digest`, of at most 80 bytes, with `key`, with nonces from `stream`.
///
/// # Errors
/// [`EccError::Random`] or [`EccError::NotRandom`] when the stream fails.
pub fn sign(
    curves: &dyn Curves,
    key: &Scalar,
    digest: &[u8],
    stream: &mut dyn RandomStream,
) -> Result<EccSignature, EccError> {
    let curve = key.curve();
    until_signed(|| {
        let nonce = Scalar::draw(curve, stream)?;
        let commitment = curves.public_key(&nonce)?;
        Ok(with_curve!(curve, C => complete::<C>(curve, key, &nonce, &commitment, digest)))
    })
}

/// Both numbers; `None` when one of them is zero or the nonce shows.
fn complete<C: Group>(
    curve: Curve,
    key: &Scalar,
    nonce: &Scalar,
    commitment: &Point,
    digest: &[u8],
) -> Option<EccSignature> {
    let r = traced::<C>(curve, digest, commitment)?;
    let key = Zeroizing::new(group::scalar::<C>(key.as_bytes())?);
    let nonce = Zeroizing::new(group::scalar::<C>(nonce.as_bytes())?);
    let shown: bool = (r + *nonce).is_zero().into();
    if shown {
        return None;
    }
    let inverse = Zeroizing::new(Field::invert(&(C::Scalar::ONE + *key)).into_option()?);
    let s = *inverse * (*nonce - r * *key);
    EccSignature::new(curve, &r.to_repr(), &s.to_repr()).ok()
}

/// Checks a signature of `digest`: `s · G + (r + s) · Q` has to lead to `r` again.
///
/// # Errors
/// [`EccError::BadSignature`] when it does not; [`EccError::WrongCurve`] when key and
/// signature do not belong to one curve.
pub fn verify(
    curves: &dyn Curves,
    key: &Point,
    digest: &[u8],
    signature: &EccSignature,
) -> Result<(), EccError> {
    let curve = key.curve();
    let (r, s) = (&signature.r, &signature.s);
    for number in [r, s] {
        if number.curve() != curve {
            return Err(EccError::WrongCurve { expected: curve, found: number.curve() });
        }
    }
    with_curve!(curve, C => check::<C>(curves, key, digest, signature))
}

fn check<C: Group>(
    curves: &dyn Curves,
    key: &Point,
    digest: &[u8],
    signature: &EccSignature,
) -> Result<(), EccError> {
    let bad = EccError::BadSignature;
    let r = group::scalar::<C>(signature.r.as_bytes()).ok_or(bad)?;
    let s = group::scalar::<C>(signature.s.as_bytes()).ok_or(bad)?;
    let sum = Scalar::new(key.curve(), &(r + s).to_repr()).map_err(|_| bad)?;
    let commitment = match curves.combine_public(&signature.s, &sum, key) {
        Err(EccError::PointAtInfinity) => return Err(bad),
        other => other?,
    };
    if traced::<C>(key.curve(), digest, &commitment) == Some(r) { Ok(()) } else { Err(bad) }
}

/// The sum of digest and x-coordinate, both public, modulo the order.
fn traced<C: Group>(curve: Curve, digest: &[u8], commitment: &Point) -> Option<C::Scalar> {
    let reduced = |number: &[u8]| {
        let bytes = group::number_modulo_order(curve, number);
        let bytes = FieldBytes::<C>::try_from(bytes.as_slice()).ok()?;
        Option::<C::Scalar>::from(C::Scalar::from_repr(bytes))
    };
    Some(reduced(digest)? + reduced(commitment.x())?)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::{
        ecc::{Curve, EccError, EccSignature, Point, Scalar, sign_sm2, verify_sm2},
        hash::HashAlgorithm,
        random::{RandomError, RandomStream},
        test_providers::providers,
        test_vectors::bytes,
    };

    /// Gives these bytes behind as many zeros as [`Scalar::draw`] takes besides.
    struct Given(Vec<u8>);

    impl RandomStream for Given {
        fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
            let (above, number) = output.split_at_mut(output.len() - self.0.len());
            above.fill(0);
            number.copy_from_slice(&self.0);
            Ok(())
        }
    }

    /// [GB/T 32918.5-2017 §A.2]: key, public key, hash of the identity, nonce.
    const KEY: &str = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8";
    const X: &str = "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020";
    const Y: &str = "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
    const IDENTITY: &str = "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3";
    const NONCE: &str = "59276e27d506861a16680f3ad9c02dccef3cc1fa3cdbe4ce6d54b80deac1bc21";
    const R: &str = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3";
    const S: &str = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

    #[test]
    fn the_standards_example() {
        let identity = HashAlgorithm::Sm3.digest(&[
            &[0, 128],
            b"1234567812345678",
            Curve::Sm2.parameters().a,
            Curve::Sm2.parameters().b,
            Point::generator(Curve::Sm2).x(),
            Point::generator(Curve::Sm2).y(),
            &bytes(X),
            &bytes(Y),
        ]);
        assert_eq!(identity.as_bytes(), bytes(IDENTITY));
        let digest = HashAlgorithm::Sm3.digest(&[identity.as_bytes(), b"message digest"]);
        let key = Scalar::new(Curve::Sm2, &bytes(KEY)).unwrap();
        for provider in providers() {
            let curves = &*provider;
            let public = curves.public_key(&key).unwrap();
            assert_eq!((public.x(), public.y()), (&bytes(X)[..], &bytes(Y)[..]));
            // The nonce that is drawn is one above the number modulo the order less one.
            let mut before = bytes(NONCE);
            *before.last_mut().unwrap() -= 1;
            let signature = sign_sm2(curves, &key, digest.as_bytes(), &mut Given(before)).unwrap();
            assert_eq!(signature.r.as_bytes(), bytes(R));
            assert_eq!(signature.s.as_bytes(), bytes(S));
            verify_sm2(curves, &public, digest.as_bytes(), &signature).unwrap();
            let other = HashAlgorithm::Sm3.digest(&[b"other"]);
            let refused = verify_sm2(curves, &public, other.as_bytes(), &signature);
            assert_eq!(refused, Err(EccError::BadSignature));
        }
    }

    #[test]
    fn every_curve_and_digest_signs_and_no_changed_number_passes() {
        let mut stream = crate::drbg::HmacDrbg::new(HashAlgorithm::Sha256, &[b"sm2"]);
        for curve in Curve::ALL {
            for provider in providers() {
                let curves = &*provider;
                let key = Scalar::draw(curve, &mut stream).unwrap();
                let public = curves.public_key(&key).unwrap();
                for digest in [&[0; 20][..], &[7; 32], &[0xFF; 64]] {
                    let signature = sign_sm2(curves, &key, digest, &mut stream).unwrap();
                    verify_sm2(curves, &public, digest, &signature).unwrap();
                    let EccSignature { r, s } = signature;
                    let swapped = EccSignature { r: s.clone(), s: r.clone() };
                    let refused = verify_sm2(curves, &public, digest, &swapped);
                    assert_eq!(refused, Err(EccError::BadSignature));
                    let elsewhere = if curve == Curve::P256 { Curve::Sm2 } else { Curve::P256 };
                    let one = Scalar::new(elsewhere, &[1]).unwrap();
                    let mixed = EccSignature { r, s: one };
                    let refused = verify_sm2(curves, &public, digest, &mixed);
                    assert!(matches!(refused, Err(EccError::WrongCurve { .. })));
                }
            }
        }
    }
}
