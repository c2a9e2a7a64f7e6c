//! What a report says about keys: who signed it, and whether an author did.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use abi_x86::show_flag_names;

/// Open enumeration of the keys that sign reports, 3 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SigningKey(pub u8);

impl SigningKey {
    /// The versioned chip endorsement key: the processor's own.
    pub const VCEK: Self = Self(0);
    /// The versioned loaded endorsement key: one that AMD gave the owner of
    /// many processors.
    pub const VLEK: Self = Self(1);
    /// None: the signature is zero.
    pub const NONE: Self = Self(7);
}

impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::VCEK => f.pad("VCEK"),
            Self::VLEK => f.pad("VLEK"),
            Self::NONE => f.pad("none"),
            Self(number) => write!(f, "unknown ({number})"),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The single bits of a [`KeyInfo`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyInfoFlags(u32);

bitflags::bitflags! {
    impl KeyInfoFlags: u32 {
        /// `AUTHOR_KEY_EN`: the ID key is signed by an author key, whose
        /// digest the report holds.
        const AUTHOR_KEY = 1 << 0;
        /// `MASK_CHIP_KEY`: the host has forbidden the use of the VCEK.
        const CHIP_KEY_MASKED = 1 << 1;
    }
}

show_flag_names!(KeyInfoFlags);

/// The word of a report that holds [`KeyInfoFlags`] and, in bits 4 to 2, the
/// [`SigningKey`] [SNP ABI 56860 §7.3, table "ATTESTATION_REPORT"].
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct KeyInfo(u32);

const _: () = assert!(size_of::<KeyInfo>() == 4);

/// Place of the signing key.
const SIGNING_KEY_SHIFT: u32 = 2;

/// Bits of the signing key, shifted down.
const SIGNING_KEY_MASK: u32 = 7;

impl KeyInfo {
    /// The word for a report that `signing_key` signs (its lowest 3 bits),
    /// with `flags` as given (unknown ones are left out).
    #[must_use]
    pub const fn new(signing_key: SigningKey, flags: KeyInfoFlags) -> Self {
        let key = signing_key.0 as u32 & SIGNING_KEY_MASK;
        Self(key << SIGNING_KEY_SHIFT | KeyInfoFlags::from_bits_truncate(flags.bits()).bits())
    }

    /// The word itself.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The key that signed the report.
    #[must_use]
    pub const fn signing_key(self) -> SigningKey {
        SigningKey((self.0 >> SIGNING_KEY_SHIFT & SIGNING_KEY_MASK) as u8)
    }

    /// The single bits; unknown ones are left out.
    #[must_use]
    pub const fn flags(self) -> KeyInfoFlags {
        KeyInfoFlags::from_bits_truncate(self.0)
    }
}

impl fmt::Display for KeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.flags();
        let masked = flags.contains(KeyInfoFlags::CHIP_KEY_MASKED);
        let author = flags.contains(KeyInfoFlags::AUTHOR_KEY);
        write!(
            f,
            "signed with {}, chip key {}, {}",
            self.signing_key(),
            if masked { "masked" } else { "not masked" },
            if author { "author key" } else { "no author key" },
        )?;
        match self.0 & !(SIGNING_KEY_MASK << SIGNING_KEY_SHIFT | KeyInfoFlags::all().bits()) {
            0 => Ok(()),
            bits => write!(f, ", unknown bits {bits:#x}"),
        }
    }
}

impl fmt::Debug for KeyInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyInfo({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn parts_go_in_and_come_out() {
        let info = KeyInfo::new(SigningKey::VLEK, KeyInfoFlags::AUTHOR_KEY);
        assert_eq!(info.bits(), 0b00101);
        assert_eq!(info.signing_key(), SigningKey::VLEK);
        assert_eq!(info.flags(), KeyInfoFlags::AUTHOR_KEY);
        let unsigned = KeyInfo::new(SigningKey::NONE, KeyInfoFlags::CHIP_KEY_MASKED);
        assert_eq!(unsigned.bits(), 0b11110);
        let overflowing = KeyInfo::new(SigningKey(0xf9), KeyInfoFlags::from_bits_retain(u32::MAX));
        assert_eq!(overflowing.bits(), 0b00111);
    }

    #[test]
    fn said_in_words() {
        let info = KeyInfo::new(SigningKey::NONE, KeyInfoFlags::CHIP_KEY_MASKED);
        assert_eq!(info.to_string(), "signed with none, chip key masked, no author key");
        let strange = KeyInfo::read_from_bytes(&[0x2d, 0, 0, 0x80]).unwrap();
        let expected =
            "signed with unknown (3), chip key not masked, author key, unknown bits 0x80000020";
        assert_eq!(strange.to_string(), expected);
    }
}
