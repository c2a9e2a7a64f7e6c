//! Message authentication with a hash: HMAC [FIPS 198-1 §4, RFC 2104].

use core::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    hash::{Digest, HashAlgorithm, Hasher, ImportError, LARGEST_BLOCK},
    secret::Secret,
};

/// An HMAC under way. To compute several with one key, clone a fresh one: the
/// key is then worked in only once.
#[derive(Clone)]
pub struct Hmac {
    inner: Hasher,
    outer: Hasher,
}

/// Why an exported HMAC was not taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ImportHmacError {
    /// The two halves are not of equal size.
    #[error(
        "an exported HMAC has two halves of one size, {0} bytes cannot be: take the bytes that export gave"
    )]
    Size(usize),
    /// A half is no hash state.
    #[error(transparent)]
    State(#[from] ImportError),
}

impl Hmac {
    /// Begins an HMAC with `key`, which may have any length. Keys longer than
    /// the hash's block are hashed first, as the standard says.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, key: &[u8]) -> Self {
        let hashed;
        let key = if key.len() > algorithm.block_size() {
            hashed = algorithm.digest(&[key]);
            hashed.as_bytes()
        } else {
            key
        };
        Self { inner: keyed(algorithm, key, 0x36), outer: keyed(algorithm, key, 0x5C) }
    }

    /// The hash algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.inner.algorithm()
    }

    /// Takes in more data.
    pub fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    /// The HMAC of all that was taken in. Compare it with `==`, which takes
    /// constant time, or with [`equal`](crate::secret::equal).
    #[must_use]
    pub fn finish(mut self) -> Digest {
        self.outer.update(self.inner.finish().as_bytes());
        self.outer.finish()
    }

    /// The HMAC of `parts`, one after the other.
    #[must_use]
    pub fn mac(algorithm: HashAlgorithm, key: &[u8], parts: &[&[u8]]) -> Digest {
        let mut hmac = Self::new(algorithm, key);
        for part in parts {
            hmac.update(part);
        }
        hmac.finish()
    }

    /// The state, from which [`import`](Self::import) goes on. Whoever has it
    /// can make MACs as with the key.
    #[must_use]
    pub fn export(&self) -> Secret {
        let (inner, outer) = (self.inner.export(), self.outer.export());
        let mut both = Secret::zeroed(inner.as_bytes().len() + outer.as_bytes().len());
        let (left, right) = both.as_mut_bytes().split_at_mut(inner.as_bytes().len());
        left.copy_from_slice(inner.as_bytes());
        right.copy_from_slice(outer.as_bytes());
        both
    }

    /// Takes up the HMAC that [`export`](Self::export) gave.
    ///
    /// # Errors
    /// [`ImportHmacError`] when `state` cannot come from an HMAC with
    /// `algorithm`. Bytes that could are believed, as with
    /// [`Hasher::import`].
    pub fn import(algorithm: HashAlgorithm, state: &[u8]) -> Result<Self, ImportHmacError> {
        if !state.len().is_multiple_of(2) {
            return Err(ImportHmacError::Size(state.len()));
        }
        let (inner, outer) = state.split_at(state.len() / 2);
        Ok(Self {
            inner: Hasher::import(algorithm, inner)?,
            outer: Hasher::import(algorithm, outer)?,
        })
    }
}

/// A hash that has taken in the key, padded to a block, with every byte
/// exclusive-ored with `mask`. The key is at most a block long.
fn keyed(algorithm: HashAlgorithm, key: &[u8], mask: u8) -> Hasher {
    let mut block = Zeroizing::new([mask; LARGEST_BLOCK]);
    for (byte, key) in block.iter_mut().zip(key) {
        *byte ^= key;
    }
    let mut hasher = Hasher::new(algorithm);
    hasher.update(&block[..algorithm.block_size()]);
    hasher
}

impl fmt::Debug for Hmac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hmac({:?})", self.algorithm())
    }
}

#[cfg(test)]
mod tests;
