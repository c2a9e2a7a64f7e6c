//! ECDSA keys and signatures in the security processor's format.
//!
//! Numbers are little-endian in 72 bytes, of which P-384 uses the first 48;
//! everything around them is zero [SNP ABI 56860 ch. 10]. Cryptographic
//! libraries give the same numbers big-endian in 48 bytes: [`P384Integer`]
//! goes between the two. Nothing here signs or verifies.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Open enumeration of signature algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct KeyAlgorithm(pub u32);

impl KeyAlgorithm {
    /// No signature.
    pub const NONE: Self = Self(0);
    /// ECDSA on P-384 with SHA-384.
    pub const ECDSA_P384_SHA384: Self = Self(1);
}

/// Open enumeration of elliptic curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Curve(pub u32);

impl Curve {
    /// NIST P-384.
    pub const P384: Self = Self(2);
}

/// A coordinate or a signature component: little-endian, zero-extended to 72
/// bytes.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(transparent)]
pub struct P384Integer(pub [u8; 72]);

impl P384Integer {
    /// Zero, which is what a field that is not in use holds.
    pub const ZERO: Self = Self([0; 72]);

    /// The number that is `bytes` in big-endian order.
    #[must_use]
    pub fn from_big_endian(bytes: &[u8; 48]) -> Self {
        let mut number = Self::ZERO;
        for (to, from) in number.0.iter_mut().zip(bytes.iter().rev()) {
            *to = *from;
        }
        number
    }

    /// The number in big-endian order; `None` if it is 2^384 or more.
    #[must_use]
    pub fn to_big_endian(&self) -> Option<[u8; 48]> {
        let (number, padding) = self.0.split_first_chunk::<48>()?;
        let mut bytes = *number;
        bytes.reverse();
        padding.iter().all(|byte| *byte == 0).then_some(bytes)
    }
}

impl fmt::Debug for P384Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A public key: 0x404 bytes.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct EcdsaP384PublicKey {
    /// The curve, [`Curve::P384`].
    pub curve: Curve,
    /// First coordinate of the point.
    pub x: P384Integer,
    /// Second coordinate of the point.
    pub y: P384Integer,
    _reserved: [u8; 0x370],
}

impl EcdsaP384PublicKey {
    /// The key with these coordinates.
    #[must_use]
    pub const fn new(x: P384Integer, y: P384Integer) -> Self {
        Self { curve: Curve::P384, x, y, _reserved: [0; 0x370] }
    }

    /// All zeros: there is no key.
    pub const NONE: Self =
        Self { curve: Curve(0), ..Self::new(P384Integer::ZERO, P384Integer::ZERO) };
}

impl fmt::Debug for EcdsaP384PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcdsaP384PublicKey")
            .field("curve", &self.curve)
            .field("x", &self.x)
            .field("y", &self.y)
            .finish_non_exhaustive()
    }
}

/// A signature: 0x200 bytes.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct EcdsaSignature {
    /// First component.
    pub r: P384Integer,
    /// Second component.
    pub s: P384Integer,
    _reserved: [u8; 0x170],
}

impl EcdsaSignature {
    /// The signature with these components.
    #[must_use]
    pub const fn new(r: P384Integer, s: P384Integer) -> Self {
        Self { r, s, _reserved: [0; 0x170] }
    }

    /// All zeros: there is no signature.
    pub const NONE: Self = Self::new(P384Integer::ZERO, P384Integer::ZERO);
}

impl fmt::Debug for EcdsaSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EcdsaSignature")
            .field("r", &self.r)
            .field("s", &self.s)
            .finish_non_exhaustive()
    }
}

const _: () = {
    assert!(size_of::<EcdsaP384PublicKey>() == 0x404);
    assert!(core::mem::offset_of!(EcdsaP384PublicKey, x) == 0x004);
    assert!(core::mem::offset_of!(EcdsaP384PublicKey, y) == 0x04c);
    assert!(size_of::<EcdsaSignature>() == 0x200);
    assert!(core::mem::offset_of!(EcdsaSignature, s) == 0x048);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_endian_goes_both_ways() {
        let bytes: [u8; 48] = core::array::from_fn(|i| i as u8 + 1);
        let number = P384Integer::from_big_endian(&bytes);
        assert_eq!((number.0[0], number.0[47]), (48, 1));
        assert_eq!(number.0[48..], [0; 24]);
        assert_eq!(number.to_big_endian(), Some(bytes));
    }

    #[test]
    fn numbers_that_are_too_large_are_refused() {
        for position in [48, 71] {
            let mut number = P384Integer::ZERO;
            number.0[position] = 1;
            assert_eq!(number.to_big_endian(), None);
        }
    }

    #[test]
    fn key_names_its_curve() {
        let key = EcdsaP384PublicKey::new(P384Integer([0xaa; 72]), P384Integer([0xbb; 72]));
        let bytes = key.as_bytes();
        assert_eq!(bytes[..4], [2, 0, 0, 0]);
        assert_eq!((bytes[0x04], bytes[0x4b], bytes[0x4c], bytes[0x93]), (0xaa, 0xaa, 0xbb, 0xbb));
        assert_eq!(bytes[0x94..], [0; 0x370]);
        assert_eq!(EcdsaP384PublicKey::NONE.as_bytes(), [0; 0x404]);
        assert_eq!(EcdsaSignature::NONE.as_bytes(), [0; 0x200]);
    }
}
