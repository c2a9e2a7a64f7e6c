//! The operations that providers carry out.
//!
//! Public-key arithmetic is where implementations differ in speed by an order
//! of magnitude, so that is what a provider provides: [`Rsa`] and [`Curves`].
//! All that is built from it (paddings, other signature schemes, key generation)
//! and all that is not worth a second implementation (hashes, ciphers,
//! derivation, whose crates use the processor's instructions where there are
//! some) is written once, in the other modules, for every provider alike. That
//! is what makes keys derived from a seed the same everywhere.
//!
//! The traits are small and make objects, so that a device chooses its provider
//! when it starts. A family of algorithms to come, like ML-KEM or ML-DSA, is one
//! more trait here and one more bound of [`Provider`].

use alloc::vec::Vec;

use crate::{
    ecc::{EccError, EccSignature, Point, Scalar},
    hash::HashAlgorithm,
    random::RandomStream,
    rsa::{RsaError, RsaPrivateKey, RsaPublicKey},
    secret::Secret,
};

/// Everything that a device needs of a provider.
pub trait Provider: Rsa + Curves + Send + Sync {
    /// The provider's name, for logs.
    fn name(&self) -> &'static str;
}

/// Arithmetic with RSA keys: the primitives of [RFC 8017 §5].
pub trait Rsa {
    /// `message^e mod n` (RSAEP, RSAVP1), as many bytes as the modulus has.
    ///
    /// # Errors
    /// [`RsaError::MessageTooLarge`] unless the message, a big-endian number,
    /// is below the modulus.
    fn public_operation(&self, key: &RsaPublicKey, message: &[u8]) -> Result<Vec<u8>, RsaError>;

    /// `message^d mod n` (RSADP, RSASP1), as many bytes as the modulus has. The
    /// computation is blinded with a factor drawn from `blinding`, and checked
    /// with the public exponent before the result is released, so that a fault
    /// in the processor does not give away a prime.
    ///
    /// # Errors
    /// [`RsaError::MessageTooLarge`] unless the message, a big-endian number,
    /// is below the modulus; [`RsaError::Fault`] when the check fails;
    /// [`RsaError::Random`] when `blinding` fails.
    fn private_operation(
        &self,
        key: &RsaPrivateKey,
        message: &[u8],
        blinding: &mut dyn RandomStream,
    ) -> Result<Secret, RsaError>;
}

/// Arithmetic with points on elliptic curves, and ECDSA.
pub trait Curves {
    /// `scalar · G`: the public key of a private one, in constant time.
    ///
    /// # Errors
    /// [`EccError::Provider`] when the provider's library fails.
    fn public_key(&self, scalar: &Scalar) -> Result<Point, EccError>;

    /// `scalar · point`, in constant time. The x-coordinate of a private scalar
    /// and a peer's point is their shared secret [SP 800-56A §5.7.1.2].
    ///
    /// # Errors
    /// [`EccError::WrongCurve`] when both belong to different curves;
    /// [`EccError::Provider`] when the provider's library fails.
    fn multiply(&self, scalar: &Scalar, point: &Point) -> Result<Point, EccError>;

    /// The sum of two points, in constant time.
    ///
    /// # Errors
    /// [`EccError::WrongCurve`] when both belong to different curves;
    /// [`EccError::PointAtInfinity`] when that is the sum.
    fn add(&self, left: &Point, right: &Point) -> Result<Point, EccError>;

    /// `left · G + right · point`, in variable time: for public values, as in
    /// verification.
    ///
    /// # Errors
    /// [`EccError::WrongCurve`] when not all belong to one curve;
    /// [`EccError::PointAtInfinity`] when that is the sum;
    /// [`EccError::Provider`] when the provider's library fails.
    fn combine_public(
        &self,
        left: &Scalar,
        right: &Scalar,
        point: &Point,
    ) -> Result<Point, EccError>;

    /// Signs `digest` by ECDSA [FIPS 186-5 §6.4]. A digest longer than the
    /// curve's order is cut. The nonce is derived from key and digest as RFC
    /// 6979 says, with `hash`, so that every provider makes the same signature.
    ///
    /// # Errors
    /// [`EccError::Provider`] when the provider's library fails.
    fn sign_ecdsa(
        &self,
        key: &Scalar,
        hash: HashAlgorithm,
        digest: &[u8],
    ) -> Result<EccSignature, EccError>;

    /// Checks an ECDSA signature of `digest`.
    ///
    /// # Errors
    /// [`EccError::BadSignature`] when it is not one of this key over this
    /// digest; [`EccError::WrongCurve`] when key and signature do not belong to
    /// one curve.
    fn verify_ecdsa(
        &self,
        key: &Point,
        digest: &[u8],
        signature: &EccSignature,
    ) -> Result<(), EccError>;
}
