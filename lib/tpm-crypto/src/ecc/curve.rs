//! The curves, by name and by numbers.

/// The size of the largest coordinate or scalar, in bytes: P-521's.
pub const LARGEST_COORDINATE: usize = 66;

/// A curve [SP 800-186 §3.2.1; GB/T 32918.5-2017]. All have prime order and cofactor 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
    /// NIST P-521.
    P521,
    /// The curve with 256 bits that is recommended for SM2.
    Sm2,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Sm2];

    /// The number of bits of the order, and of the field's prime.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::P256 | Self::Sm2 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// The size of a coordinate, and of a scalar, in bytes.
    #[must_use]
    pub const fn coordinate_size(self) -> usize {
        match self {
            Self::P256 | Self::Sm2 => 32,
            Self::P384 => 48,
            Self::P521 => LARGEST_COORDINATE,
        }
    }
}
