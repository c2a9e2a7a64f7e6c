//! Scalars, points and signatures that have been checked.

use core::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::{
    curve::{Curve, LARGEST_COORDINATE},
    error::EccError,
    group,
};
use crate::{random::RandomStream, secret::equal};

/// A number from 1 to the order of a curve less 1: a private key, a nonce, or
/// half of a signature. Wiped on drop, compared in constant time, not shown.
#[derive(Clone)]
pub struct Scalar {
    curve: Curve,
    bytes: [u8; LARGEST_COORDINATE],
}

impl Scalar {
    /// The scalar with these big-endian bytes. Leading zeros may be missing.
    ///
    /// # Errors
    /// [`EccError::ScalarRange`] when the number is zero or too large.
    pub fn new(curve: Curve, bytes: &[u8]) -> Result<Self, EccError> {
        let bytes = padded(curve, bytes).ok_or(EccError::ScalarRange(curve))?;
        let scalar = Self { curve, bytes: *bytes };
        if group::is_scalar(curve, scalar.as_bytes()) {
            Ok(scalar)
        } else {
            Err(EccError::ScalarRange(curve))
        }
    }

    /// Draws a scalar: as many bits of `stream` as the order has and 64 more
    /// [FIPS 186-5 §A.2.1, §A.3.1]. The order less 1 divides them, the remainder
    /// and 1 are the scalar. What is drawn depends on the stream and the curve
    /// only; one request is made, of 40, 56 or 74 bytes, of which P-521 leaves
    /// the seven highest bits unused.
    ///
    /// # Errors
    /// [`EccError::Random`] when the stream fails.
    pub fn draw(curve: Curve, stream: &mut dyn RandomStream) -> Result<Self, EccError> {
        let mut wide = Zeroizing::new([0; LARGEST_COORDINATE + 8]);
        // A curve's coordinates are at most that large.
        let used = &mut wide[..curve.coordinate_size() + 8];
        stream.fill(used)?;
        if curve == Curve::P521 {
            used[0] &= 1;
        }
        let reduced = group::reduce_extra_bits(curve, used);
        Self::new(curve, &reduced[..])
    }

    /// `self + factor · secret` modulo the order, all of one curve: the step that
    /// Schnorr signatures, ECDAA and SM2's key exchange share. `None` when the sum
    /// is zero.
    pub(super) fn plus_product(&self, factor: &Self, secret: &Self) -> Option<Self> {
        let (summand, factor) = (self.as_bytes(), factor.as_bytes());
        let sum = group::multiply_add(self.curve, summand, factor, secret.as_bytes())?;
        Self::new(self.curve, &sum[..self.curve.coordinate_size()]).ok()
    }

    /// The order less this number.
    pub(super) fn negated(&self) -> Self {
        let mut negated = self.clone();
        group::negate(self.curve, &mut negated.bytes[..self.curve.coordinate_size()]);
        negated
    }

    /// The scalar's curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The number, big-endian, with leading zeros.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.curve.coordinate_size()]
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.curve == other.curve && equal(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for Scalar {}

impl Drop for Scalar {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scalar({:?})", self.curve)
    }
}

/// A point of a curve, other than the one at infinity.
///
/// It is as secret as what it stands for: a public key or a shared secret. So it
/// is wiped on drop, compared in constant time and not shown.
#[derive(Clone)]
pub struct Point {
    curve: Curve,
    x: [u8; LARGEST_COORDINATE],
    y: [u8; LARGEST_COORDINATE],
}

impl Point {
    /// The point with these big-endian coordinates. Leading zeros may be missing.
    ///
    /// # Errors
    /// [`EccError::NotOnCurve`] when there is no such point. Since the curves
    /// have prime order, every point there is has that order: this is the full
    /// validation of [SP 800-56A §5.6.2.3.3].
    pub fn new(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, EccError> {
        let missing = EccError::NotOnCurve(curve);
        let point = Self {
            curve,
            x: *padded(curve, x).ok_or(missing)?,
            y: *padded(curve, y).ok_or(missing)?,
        };
        if group::is_point(curve, point.x(), point.y()) { Ok(point) } else { Err(missing) }
    }

    /// The point whose x-coordinate is `number` modulo the field's prime, with
    /// this y-coordinate: how TPMs name a point by a hash [TPM 2.0 Part 1
    /// §C.4.2, *from memory*]. `number` has at most 80 bytes; of more, what is
    /// above is left off.
    ///
    /// # Errors
    /// [`EccError::NotOnCurve`] when there is no such point.
    pub fn with_reduced_x(curve: Curve, number: &[u8], y: &[u8]) -> Result<Self, EccError> {
        Self::new(curve, &group::number_modulo_prime(curve, number), y)
    }

    /// The curve's generator.
    #[must_use]
    pub fn generator(curve: Curve) -> Self {
        let (x, y) = group::generator(curve);
        Self { curve, x, y }
    }

    /// The point's curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The x-coordinate, big-endian, with leading zeros.
    #[must_use]
    pub fn x(&self) -> &[u8] {
        &self.x[..self.curve.coordinate_size()]
    }

    /// The y-coordinate, big-endian, with leading zeros.
    #[must_use]
    pub fn y(&self) -> &[u8] {
        &self.y[..self.curve.coordinate_size()]
    }
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.curve == other.curve && equal(self.x(), other.x()) & equal(self.y(), other.y())
    }
}

impl Eq for Point {}

impl Drop for Point {
    fn drop(&mut self) {
        self.x.zeroize();
        self.y.zeroize();
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Point({:?})", self.curve)
    }
}

/// A signature of ECDSA, EC-Schnorr or ECDAA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EccSignature {
    /// What TPMs call signatureR: the nonce's trace, or ECDAA's nonce.
    pub r: Scalar,
    /// What TPMs call signatureS.
    pub s: Scalar,
}

impl EccSignature {
    /// The signature with these big-endian numbers.
    ///
    /// # Errors
    /// [`EccError::ScalarRange`] when one is zero or not below the order: no
    /// signature of this curve then.
    pub fn new(curve: Curve, r: &[u8], s: &[u8]) -> Result<Self, EccError> {
        Ok(Self { r: Scalar::new(curve, r)?, s: Scalar::new(curve, s)? })
    }
}

/// A number as many bytes long as a coordinate, at the front of an array;
/// `None` when it does not fit.
fn padded(curve: Curve, number: &[u8]) -> Option<Zeroizing<[u8; LARGEST_COORDINATE]>> {
    let size = curve.coordinate_size();
    let (excess, number) = number.split_at(number.len().saturating_sub(size));
    if excess.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut array = Zeroizing::new([0; LARGEST_COORDINATE]);
    array[size - number.len()..size].copy_from_slice(number);
    Some(array)
}
