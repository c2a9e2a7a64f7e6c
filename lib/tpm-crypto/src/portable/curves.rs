//! Points by the crates `p256`, `p384`, `p521` and `sm2`.

use elliptic_curve::{CurveArithmetic, Group as _, ops::MulByGeneratorVartime as _};
use zeroize::Zeroizing;

use super::provider::Portable;
use crate::{
    ecc::{
        Curve, EccError, EccSignature, Point, Scalar, ecdsa,
        group::{self, Group, with_curve},
    },
    hash::HashAlgorithm,
    provider::Curves,
};

impl Curves for Portable {
    fn public_key(&self, scalar: &Scalar) -> Result<Point, EccError> {
        with_curve!(scalar.curve(), C => {
            let scalar_field = Zeroizing::new(field_scalar::<C>(scalar)?);
            point_of::<C>(scalar.curve(), <C as CurveArithmetic>::ProjectivePoint::mul_by_generator(&scalar_field))
        })
    }

    fn multiply(&self, scalar: &Scalar, point: &Point) -> Result<Point, EccError> {
        same_curve(scalar.curve(), point.curve())?;
        with_curve!(scalar.curve(), C => {
            let scalar_field = Zeroizing::new(field_scalar::<C>(scalar)?);
            point_of::<C>(scalar.curve(), projective::<C>(point)? * *scalar_field)
        })
    }

    fn add(&self, left: &Point, right: &Point) -> Result<Point, EccError> {
        same_curve(left.curve(), right.curve())?;
        with_curve!(left.curve(), C => {
            point_of::<C>(left.curve(), projective::<C>(left)? + projective::<C>(right)?)
        })
    }

    fn combine_public(
        &self,
        left: &Scalar,
        right: &Scalar,
        point: &Point,
    ) -> Result<Point, EccError> {
        same_curve(point.curve(), left.curve())?;
        same_curve(point.curve(), right.curve())?;
        with_curve!(point.curve(), C => {
            point_of::<C>(
                point.curve(),
                <C as CurveArithmetic>::ProjectivePoint::mul_by_generator_and_mul_add_vartime(
                    &field_scalar::<C>(left)?,
                    &field_scalar::<C>(right)?,
                    &projective::<C>(point)?,
                ),
            )
        })
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
        same_curve(key.curve(), signature.r.curve())?;
        same_curve(key.curve(), signature.s.curve())?;
        ecdsa::verify(key, digest, signature, |left, right| match left {
            Some(left) => self.combine_public(left, right, key),
            None => self.multiply(right, key),
        })
    }
}

fn same_curve(expected: Curve, found: Curve) -> Result<(), EccError> {
    if expected == found { Ok(()) } else { Err(EccError::WrongCurve { expected, found }) }
}

fn field_scalar<C: Group>(scalar: &Scalar) -> Result<C::Scalar, EccError> {
    group::scalar::<C>(scalar.as_bytes()).ok_or(EccError::ScalarRange(scalar.curve()))
}

fn projective<C: Group>(point: &Point) -> Result<C::ProjectivePoint, EccError> {
    group::point::<C>(point.x(), point.y())
        .map(Into::into)
        .ok_or(EccError::NotOnCurve(point.curve()))
}

fn point_of<C: Group>(curve: Curve, point: C::ProjectivePoint) -> Result<Point, EccError> {
    let (x, y) = group::coordinates::<C>(&point).ok_or(EccError::PointAtInfinity)?;
    Point::new(curve, &x, &y)
}
