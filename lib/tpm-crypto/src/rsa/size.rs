//! The sizes of keys.

/// The size of a key, that is, of its modulus.
///
/// [`generate`](super::generate()) makes no keys of 1024 bits: those are known for
/// the sake of keys that others have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RsaSize {
    /// 1024 bits.
    Rsa1024,
    /// 2048 bits.
    Rsa2048,
    /// 3072 bits.
    Rsa3072,
    /// 4096 bits.
    Rsa4096,
}

impl RsaSize {
    /// The number of bits of the modulus.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rsa1024 => 1024,
            Self::Rsa2048 => 2048,
            Self::Rsa3072 => 3072,
            Self::Rsa4096 => 4096,
        }
    }

    /// The size of the modulus, of signatures and of ciphertexts, in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Rsa1024 => 128,
            Self::Rsa2048 => 256,
            Self::Rsa3072 => 384,
            Self::Rsa4096 => 512,
        }
    }

    /// The size of a prime, in bytes.
    #[must_use]
    pub const fn prime_bytes(self) -> usize {
        self.bytes() / 2
    }

    /// The size with that many bits, if there is one.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        match bits {
            1024 => Some(Self::Rsa1024),
            2048 => Some(Self::Rsa2048),
            3072 => Some(Self::Rsa3072),
            4096 => Some(Self::Rsa4096),
            _ => None,
        }
    }
}
