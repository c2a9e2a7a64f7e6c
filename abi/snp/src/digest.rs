//! SHA-384 digests, the only kind that SNP uses.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A SHA-384 digest; shown as 96 hexadecimal digits.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(transparent)]
pub struct Digest(pub [u8; 48]);

impl Digest {
    /// All zeros: the start of a launch digest, and "there is none" wherever a
    /// digest is optional.
    pub const ZERO: Self = Self([0; 48]);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn shown_in_hexadecimal() {
        let digest = Digest(core::array::from_fn(|i| i as u8));
        let text = digest.to_string();
        assert_eq!(text.len(), 96);
        assert!(text.starts_with("000102") && text.ends_with("2d2e2f"), "{text}");
    }
}
