//! Hash algorithms: digests in one go or piece by piece.
//!
//! SHA-1, SHA-256, SHA-384 and SHA-512 [FIPS 180-4 §6], SHA3-256, SHA3-384 and
//! SHA3-512 [FIPS 202 §6.1] and SM3 [GB/T 32905-2016 §5], chosen at run time by
//! [`HashAlgorithm`]. SHA-1 is
//! here because PCR banks and old keys still use it, not because it is safe.
//!
//! A hash under way ([`Hasher`]) can be [exported](Hasher::export) and
//! [taken up again](Hasher::import), which is what a TPM needs to save the
//! context of a hash sequence. The exported form is the algorithm's chaining
//! value and the bytes of an unfinished block, some hundred bytes at most, so
//! that a sequence over any amount of data has a context of bounded size. The
//! layout is that of the hash crates, which keep it within a minor version; a
//! test pins it, so that an update that changes it is noticed.

use core::fmt;

use digest::{Digest as _, common::hazmat::SerializableState};
use thiserror::Error;
use zeroize::Zeroize;

use crate::secret::{Secret, equal};

/// The size of the largest digest, in bytes.
pub const LARGEST_DIGEST: usize = 64;

/// The size of the largest input block of a hash, in bytes: SHA3-256's.
pub(crate) const LARGEST_BLOCK: usize = 136;

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-1: broken for signatures, still in use for PCRs.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SM3, with 256 bits.
    Sm3,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-384.
    Sha3_384,
    /// SHA3-512.
    Sha3_512,
}

impl HashAlgorithm {
    /// Every algorithm, in the order of their TPM identifiers.
    pub const ALL: [Self; 8] = [
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sm3,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
    ];

    /// The size of a digest, in bytes.
    #[must_use]
    pub const fn digest_size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 | Self::Sm3 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    /// The size of the blocks that the algorithm works on, in bytes. HMAC pads
    /// its key to this size.
    #[must_use]
    pub const fn block_size(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha256 | Self::Sm3 => 64,
            Self::Sha384 | Self::Sha512 => 128,
            Self::Sha3_256 => 136,
            Self::Sha3_384 => 104,
            Self::Sha3_512 => 72,
        }
    }

    /// The digest of `parts`, one after the other.
    #[must_use]
    pub fn digest(self, parts: &[&[u8]]) -> Digest {
        let mut hasher = Hasher::new(self);
        for part in parts {
            hasher.update(part);
        }
        hasher.finish()
    }
}

/// A digest or a MAC: at most [`LARGEST_DIGEST`] bytes, without allocation.
///
/// Equality is in constant time, because a digest may be a MAC or an
/// authorisation value. The bytes are wiped on drop for the same reason, and
/// `Debug` shows only how many there are.
#[derive(Clone)]
pub struct Digest {
    bytes: [u8; LARGEST_DIGEST],
    size: usize,
}

impl Digest {
    /// Room for a digest of `algorithm`, all zero.
    pub(crate) fn zeroed(algorithm: HashAlgorithm) -> Self {
        Self { bytes: [0; LARGEST_DIGEST], size: algorithm.digest_size() }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // `size` is a digest size, at most the array's length.
        &self.bytes[..self.size]
    }

    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.size]
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        equal(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for Digest {}

impl Drop for Digest {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({} bytes)", self.size)
    }
}

/// Why an exported hash was not taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    /// The bytes are not as many as this algorithm exports.
    #[error(
        "an exported {algorithm:?} state has {expected} bytes, not {found}: take the bytes that export gave for this algorithm"
    )]
    Size {
        /// The algorithm asked for.
        algorithm: HashAlgorithm,
        /// What it exports, in bytes.
        expected: usize,
        /// What was given, in bytes.
        found: usize,
    },
    /// The bytes are no state that the algorithm can be in.
    #[error(
        "these bytes are no state of {0:?}: they were changed after export, or another version wrote them"
    )]
    Content(HashAlgorithm),
}

/// A hash under way. What it has taken in is wiped on drop.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
    Sha512(sha2::Sha512),
    Sm3(sm3::Sm3),
    Sha3_256(sha3::Sha3_256),
    Sha3_384(sha3::Sha3_384),
    Sha3_512(sha3::Sha3_512),
}

/// Does the same with whichever algorithm's state is inside.
macro_rules! with_state {
    ($state:expr, $inner:ident => $action:expr) => {
        match $state {
            State::Sha1($inner) => $action,
            State::Sha256($inner) => $action,
            State::Sha384($inner) => $action,
            State::Sha512($inner) => $action,
            State::Sm3($inner) => $action,
            State::Sha3_256($inner) => $action,
            State::Sha3_384($inner) => $action,
            State::Sha3_512($inner) => $action,
        }
    };
}

impl Hasher {
    /// Begins a digest.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm) -> Self {
        Self(match algorithm {
            HashAlgorithm::Sha1 => State::Sha1(sha1::Sha1::new()),
            HashAlgorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
            HashAlgorithm::Sha384 => State::Sha384(sha2::Sha384::new()),
            HashAlgorithm::Sha512 => State::Sha512(sha2::Sha512::new()),
            HashAlgorithm::Sm3 => State::Sm3(sm3::Sm3::new()),
            HashAlgorithm::Sha3_256 => State::Sha3_256(sha3::Sha3_256::new()),
            HashAlgorithm::Sha3_384 => State::Sha3_384(sha3::Sha3_384::new()),
            HashAlgorithm::Sha3_512 => State::Sha3_512(sha3::Sha3_512::new()),
        })
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        match self.0 {
            State::Sha1(_) => HashAlgorithm::Sha1,
            State::Sha256(_) => HashAlgorithm::Sha256,
            State::Sha384(_) => HashAlgorithm::Sha384,
            State::Sha512(_) => HashAlgorithm::Sha512,
            State::Sm3(_) => HashAlgorithm::Sm3,
            State::Sha3_256(_) => HashAlgorithm::Sha3_256,
            State::Sha3_384(_) => HashAlgorithm::Sha3_384,
            State::Sha3_512(_) => HashAlgorithm::Sha3_512,
        }
    }

    /// Takes in more data.
    pub fn update(&mut self, data: &[u8]) {
        with_state!(&mut self.0, state => state.update(data));
    }

    /// The digest of all that was taken in.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut digest = Digest::zeroed(self.algorithm());
        with_state!(self.0, state => digest.as_mut_bytes().copy_from_slice(&state.finalize()));
        digest
    }

    /// The state, from which [`import`](Self::import) goes on. It tells what
    /// was hashed last, hence is a secret.
    #[must_use]
    pub fn export(&self) -> Secret {
        with_state!(&self.0, state => {
            let mut exported = state.serialize();
            let secret = Secret::from(&exported[..]);
            exported.zeroize();
            secret
        })
    }

    /// Takes up the hash that [`export`](Self::export) gave.
    ///
    /// # Errors
    /// [`ImportError`] when `state` cannot come from a hash of `algorithm`.
    /// Bytes that could come from one are believed: whoever stores a state
    /// outside authenticates it.
    pub fn import(algorithm: HashAlgorithm, state: &[u8]) -> Result<Self, ImportError> {
        fn restore<T: SerializableState>(
            algorithm: HashAlgorithm,
            state: &[u8],
        ) -> Result<T, ImportError> {
            let mut array = digest::common::hazmat::SerializedState::<T>::default();
            if array.len() != state.len() {
                return Err(ImportError::Size {
                    algorithm,
                    expected: array.len(),
                    found: state.len(),
                });
            }
            if let Some(count) = block_count_end(algorithm).and_then(|end| state.get(end - 2..end))
                && count != [0, 0]
            {
                return Err(ImportError::Content(algorithm));
            }
            array.copy_from_slice(state);
            let restored = T::deserialize(&array);
            array.zeroize();
            restored.map_err(|_| ImportError::Content(algorithm))
        }
        Ok(Self(match algorithm {
            HashAlgorithm::Sha1 => State::Sha1(restore(algorithm, state)?),
            HashAlgorithm::Sha256 => State::Sha256(restore(algorithm, state)?),
            HashAlgorithm::Sha384 => State::Sha384(restore(algorithm, state)?),
            HashAlgorithm::Sha512 => State::Sha512(restore(algorithm, state)?),
            HashAlgorithm::Sm3 => State::Sm3(restore(algorithm, state)?),
            HashAlgorithm::Sha3_256 => State::Sha3_256(restore(algorithm, state)?),
            HashAlgorithm::Sha3_384 => State::Sha3_384(restore(algorithm, state)?),
            HashAlgorithm::Sha3_512 => State::Sha3_512(restore(algorithm, state)?),
        }))
    }
}

/// Where the number of finished blocks, in little-endian order, ends in an
/// exported state. The hash crates count on it being so small that it fits as a
/// number of bits; no honest state has anything in its two highest bytes.
const fn block_count_end(algorithm: HashAlgorithm) -> Option<usize> {
    match algorithm {
        HashAlgorithm::Sha1 => Some(20 + 8),
        HashAlgorithm::Sha256 | HashAlgorithm::Sm3 => Some(32 + 8),
        HashAlgorithm::Sha384 | HashAlgorithm::Sha512 => Some(64 + 16),
        HashAlgorithm::Sha3_256 | HashAlgorithm::Sha3_384 | HashAlgorithm::Sha3_512 => None,
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hasher({:?})", self.algorithm())
    }
}

#[cfg(test)]
mod tests;
