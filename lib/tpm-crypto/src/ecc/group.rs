//! The curve crates behind one set of functions, chosen by [`Curve`].
//!
//! Numbers are big-endian byte strings of [`Curve::coordinate_size`] bytes. This
//! is what every provider shares: checks, and arithmetic with numbers modulo the
//! order. Arithmetic with points, where providers differ, is not here.

use crypto_bigint::{NonZero, U640};
use elliptic_curve::{
    Curve as _, CurveArithmetic, CurveGroup as _, FieldBytes, Group as _, PrimeCurve, PrimeField,
    ops::Reduce, point::AffineCoordinates,
};
use zeroize::Zeroizing;

use super::curve::{Curve, LARGEST_COORDINATE};

/// What the curves have in common.
pub(crate) trait Group: PrimeCurve + CurveArithmetic {}

impl Group for p256::NistP256 {}
impl Group for p384::NistP384 {}
impl Group for p521::NistP521 {}
impl Group for sm2::Sm2 {}

/// Evaluates an expression with a type parameter that stands for the curve.
macro_rules! with_curve {
    ($curve:expr, $parameter:ident => $action:expr) => {
        match $curve {
            $crate::ecc::Curve::P256 => {
                type $parameter = p256::NistP256;
                $action
            }
            $crate::ecc::Curve::P384 => {
                type $parameter = p384::NistP384;
                $action
            }
            $crate::ecc::Curve::P521 => {
                type $parameter = p521::NistP521;
                $action
            }
            $crate::ecc::Curve::Sm2 => {
                type $parameter = sm2::Sm2;
                $action
            }
        }
    };
}
pub(crate) use with_curve;

/// The scalar with these bytes, unless zero or too large.
pub(crate) fn scalar<C: Group>(bytes: &[u8]) -> Option<C::Scalar> {
    let bytes = FieldBytes::<C>::try_from(bytes).ok()?;
    let scalar = Option::<C::Scalar>::from(C::Scalar::from_repr(bytes))?;
    let zero: bool = elliptic_curve::Field::is_zero(&scalar).into();
    (!zero).then_some(scalar)
}

/// The point with these coordinates, if it is on the curve.
pub(crate) fn point<C: Group>(x: &[u8], y: &[u8]) -> Option<C::AffinePoint> {
    let x = FieldBytes::<C>::try_from(x).ok()?;
    let y = FieldBytes::<C>::try_from(y).ok()?;
    C::AffinePoint::from_coordinates(&x, &y).into()
}

/// The coordinates of a point; `None` at infinity.
pub(crate) fn coordinates<C: Group>(
    point: &C::ProjectivePoint,
) -> Option<(FieldBytes<C>, FieldBytes<C>)> {
    let infinite: bool = point.is_identity().into();
    let affine = point.to_affine();
    (!infinite).then(|| (affine.x(), affine.y()))
}

pub(super) fn is_scalar(curve: Curve, bytes: &[u8]) -> bool {
    with_curve!(curve, C => scalar::<C>(bytes).is_some())
}

pub(super) fn is_point(curve: Curve, x: &[u8], y: &[u8]) -> bool {
    with_curve!(curve, C => point::<C>(x, y).is_some())
}

pub(super) fn generator(curve: Curve) -> ([u8; LARGEST_COORDINATE], [u8; LARGEST_COORDINATE]) {
    let mut xy = ([0; LARGEST_COORDINATE], [0; LARGEST_COORDINATE]);
    let size = curve.coordinate_size();
    with_curve!(curve, C => {
        let generator = <C as CurveArithmetic>::ProjectivePoint::generator().to_affine();
        xy.0[..size].copy_from_slice(&generator.x());
        xy.1[..size].copy_from_slice(&generator.y());
    });
    xy
}

/// `(wide mod (n - 1)) + 1` for the order n. `wide` has at most 80 bytes.
pub(super) fn reduce_extra_bits(curve: Curve, wide: &[u8]) -> Zeroizing<[u8; 80]> {
    let mut array = Zeroizing::new([0; 80]);
    array[80 - wide.len()..].copy_from_slice(wide);
    let number = Zeroizing::new(U640::from_be_slice(&array[..]));
    let below = NonZero::new(order(curve).wrapping_sub(&U640::ONE));
    let below = below.expect_copied("an order is above 1");
    let remainder = Zeroizing::new(number.rem(&below));
    let reduced = Zeroizing::new(remainder.wrapping_add(&U640::ONE));
    array.copy_from_slice(reduced.to_be_bytes().as_ref());
    array
}

/// The order of the curve.
fn order(curve: Curve) -> NonZero<U640> {
    let order = with_curve!(curve, C => widened(C::ORDER.as_ref().to_be_bytes().as_ref()));
    NonZero::new(order).expect_copied("an order is not zero")
}

/// A big-endian number of at most 80 bytes; of more, what is above is left off.
fn widened(number: &[u8]) -> U640 {
    let mut array = [0; 80];
    for (to, from) in array.iter_mut().rev().zip(number.iter().rev()) {
        *to = *from;
    }
    U640::from_be_slice(&array)
}

/// `summand + factor · secret` modulo the order. `None` when something is out of
/// range.
pub(super) fn multiply_add(
    curve: Curve,
    summand: &[u8],
    factor: &[u8],
    secret: &[u8],
) -> Option<Zeroizing<[u8; LARGEST_COORDINATE]>> {
    with_curve!(curve, C => {
        let sum = scalar::<C>(summand)? + scalar::<C>(factor)? * scalar::<C>(secret)?;
        let mut result = Zeroizing::new([0; LARGEST_COORDINATE]);
        result[..curve.coordinate_size()].copy_from_slice(&sum.to_repr());
        Some(result)
    })
}

/// A big-endian number of at most 80 bytes modulo the order, for public numbers.
pub(super) fn number_modulo_order(curve: Curve, number: &[u8]) -> alloc::vec::Vec<u8> {
    let order = order(curve);
    let remainder = widened(number).rem(&order);
    remainder.to_be_bytes().as_ref()[80 - curve.coordinate_size()..].to_vec()
}

/// A big-endian number of at most 80 bytes modulo the field's prime, for public
/// numbers.
pub(super) fn number_modulo_prime(curve: Curve, number: &[u8]) -> alloc::vec::Vec<u8> {
    let prime = NonZero::new(widened(curve.parameters().prime));
    let remainder = widened(number).rem(&prime.expect_copied("a prime is not zero"));
    remainder.to_be_bytes().as_ref()[80 - curve.coordinate_size()..].to_vec()
}

/// The order less a scalar, in its place.
pub(super) fn negate(curve: Curve, number: &mut [u8]) {
    with_curve!(curve, C => if let Some(scalar) = scalar::<C>(number) {
        number.copy_from_slice(&(-scalar).to_repr());
    });
}

/// A digest as a number modulo the order: its leftmost bits, as many as the
/// order has [FIPS 186-5 §6.4.1, RFC 6979 §2.3.4].
pub(crate) fn digest_modulo_order<C: Group>(digest: &[u8]) -> FieldBytes<C> {
    let mut bytes = FieldBytes::<C>::default();
    let size = bytes.len();
    // No digest is longer than P-521's order, which alone ends within a byte.
    let digest = &digest[..digest.len().min(size)];
    bytes[size - digest.len()..].copy_from_slice(digest);
    <C::Scalar as Reduce<FieldBytes<C>>>::reduce(&bytes).to_repr()
}
