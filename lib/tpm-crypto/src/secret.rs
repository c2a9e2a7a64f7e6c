//! Bytes that nobody may see.
//!
//! Keys, seeds and what is decrypted travel as [`Secret`]: wiped when dropped,
//! compared in constant time, and never shown by `Debug`.

use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Bytes that are wiped from memory when they go out of use.
///
/// Equality takes the same time wherever two secrets of equal length differ;
/// the length itself is no secret.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes over `bytes`, without leaving a copy behind.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// A secret of `length` zero bytes, to be filled in.
    #[must_use]
    pub fn zeroed(length: usize) -> Self {
        Self::new(alloc::vec![0; length])
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be written.
    #[must_use]
    pub fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl From<&[u8]> for Secret {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({} bytes)", self.0.len())
    }
}

/// Whether two byte strings are the same, in a time that depends on their
/// lengths only.
#[must_use]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_shows_no_bytes() {
        let shown = format!("{:?}", Secret::from(&[0xAB, 0xCD][..]));
        assert_eq!(shown, "Secret(2 bytes)");
    }

    #[test]
    fn comparison_sees_content_and_length() {
        assert!(equal(b"same", b"same"));
        assert!(!equal(b"same", b"sane"));
        assert!(!equal(b"same", b"same!"));
        assert_ne!(Secret::zeroed(3), Secret::zeroed(4));
    }
}
