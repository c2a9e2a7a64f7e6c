//! Multiples of the generators by `graviola`.

use graviola::key_agreement::{p256, p384};

use super::provider::Fast;
use crate::{
    ecc::{Curve, EccError, EccSignature, Point, Scalar, ecdsa},
    hash::HashAlgorithm,
    portable::Portable,
    provider::Curves,
};

impl Curves for Fast {
    fn public_key(&self, scalar: &Scalar) -> Result<Point, EccError> {
        match scalar.curve() {
            Curve::P256 => point(
                Curve::P256,
                &p256::StaticPrivateKey::from_bytes(scalar.as_bytes())
                    .map_err(|_| EccError::Provider)?
                    .public_key_uncompressed(),
            ),
            Curve::P384 => point(
                Curve::P384,
                &p384::StaticPrivateKey::from_bytes(scalar.as_bytes())
                    .map_err(|_| EccError::Provider)?
                    .public_key_uncompressed(),
            ),
            Curve::P521 | Curve::Sm2 => Portable.public_key(scalar),
        }
    }

    fn multiply(&self, scalar: &Scalar, point: &Point) -> Result<Point, EccError> {
        Portable.multiply(scalar, point)
    }

    fn add(&self, left: &Point, right: &Point) -> Result<Point, EccError> {
        Portable.add(left, right)
    }

    fn combine_public(
        &self,
        left: &Scalar,
        right: &Scalar,
        point: &Point,
    ) -> Result<Point, EccError> {
        Portable.combine_public(left, right, point)
    }

    fn sign_ecdsa(
        &self,
        key: &Scalar,
        hash: HashAlgorithm,
        digest: &[u8],
    ) -> Result<EccSignature, EccError> {
        ecdsa::sign(key, hash, digest, |nonce| self.public_key(nonce))
    }

    fn verify_ecdsa(
        &self,
        key: &Point,
        digest: &[u8],
        signature: &EccSignature,
    ) -> Result<(), EccError> {
        Portable.verify_ecdsa(key, digest, signature)
    }
}

/// The point of an uncompressed encoding [SEC 1 §2.3.3].
fn point(curve: Curve, encoded: &[u8]) -> Result<Point, EccError> {
    let (_, coordinates) = encoded.split_first().ok_or(EccError::Provider)?;
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    Point::new(curve, x, y).map_err(|_| EccError::Provider)
}
