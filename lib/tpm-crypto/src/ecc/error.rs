//! What can go wrong with elliptic curves.

use thiserror::Error;

use super::curve::Curve;
use crate::random::RandomError;

/// Why an operation on a curve gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EccError {
    /// The coordinates are no point of the curve, or not below the field's
    /// prime.
    #[error("these coordinates are no point of {0:?}: refuse the key")]
    NotOnCurve(Curve),
    /// A scalar is zero, or not below the curve's order.
    #[error("this number is not between 1 and the order of {0:?} less 1: refuse it")]
    ScalarRange(Curve),
    /// A value of one curve met one of another.
    #[error("a value of {found:?} was given where {expected:?} is used: use values of one curve")]
    WrongCurve {
        /// The curve of what came first.
        expected: Curve,
        /// The curve of what was given with it.
        found: Curve,
    },
    /// The result has no coordinates.
    #[error("the result is the point at infinity, which has no coordinates")]
    PointAtInfinity,
    /// A signature is not one of this key over this digest.
    #[error("the signature is not one of this key over this digest")]
    BadSignature,
    /// The stream gave no bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The stream gave unusable numbers again and again, which a random one
    /// does not.
    #[error("the stream gave no usable number in {0} tries: it is not random")]
    NotRandom(u32),
    /// A provider's library failed where it must not.
    #[error("the provider failed with valid input: take another provider")]
    Provider,
}
