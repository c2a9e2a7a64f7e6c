//! What a report says about the machine.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The `PLATFORM_INFO` word of a report [SNP ABI 56860 §7.3, table
/// "PLATFORM_INFO"].
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct PlatformInfo(u64);

bitflags::bitflags! {
    impl PlatformInfo: u64 {
        /// `SMT_EN`: two threads may run on a core.
        const SMT_ENABLED = 1 << 0;
        /// `TSME_EN`: all memory is encrypted, the host's too.
        const TSME_ENABLED = 1 << 1;
        /// `ECC_EN`: memory corrects errors.
        const ECC_ENABLED = 1 << 2;
        /// `RAPL_DIS`: power cannot be measured.
        const RAPL_DISABLED = 1 << 3;
        /// `CIPHERTEXT_HIDING_DRAM_EN`: the host cannot read ciphertext.
        const CIPHERTEXT_HIDING_ENABLED = 1 << 4;
        /// `ALIAS_CHECK_COMPLETE`: since the last reset the firmware has made
        /// sure that no two addresses lead to the same memory. Reports of
        /// version 3 and later.
        const ALIAS_CHECK_COMPLETE = 1 << 5;
        /// `TIO_EN`: devices can be trusted (SEV-TIO). Reports of version 5
        /// and later.
        const TIO_ENABLED = 1 << 7;
    }
}

const _: () = assert!(size_of::<PlatformInfo>() == 8);

/// What the two values of each bit mean, in words.
const WORDS: [(PlatformInfo, &str, &str); 7] = [
    (PlatformInfo::SMT_ENABLED, "SMT on", "SMT off"),
    (PlatformInfo::TSME_ENABLED, "TSME on", "TSME off"),
    (PlatformInfo::ECC_ENABLED, "ECC memory", "no ECC memory"),
    (PlatformInfo::RAPL_DISABLED, "RAPL off", "RAPL on"),
    (
        PlatformInfo::CIPHERTEXT_HIDING_ENABLED,
        "ciphertext hidden from the host",
        "ciphertext visible to the host",
    ),
    (PlatformInfo::ALIAS_CHECK_COMPLETE, "checked for aliases", "not checked for aliases"),
    (PlatformInfo::TIO_ENABLED, "SEV-TIO on", "SEV-TIO off"),
];

impl fmt::Display for PlatformInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (bit, set, clear)) in WORDS.into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", if self.contains(bit) { set } else { clear })?;
        }
        match self.difference(Self::all()).bits() {
            0 => Ok(()),
            bits => write!(f, ", unknown bits {bits:#x}"),
        }
    }
}

impl fmt::Debug for PlatformInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlatformInfo({:#x})", self.bits())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn said_in_words() {
        let info = PlatformInfo::SMT_ENABLED | PlatformInfo::ALIAS_CHECK_COMPLETE;
        let expected = "SMT on, TSME off, no ECC memory, RAPL on, \
            ciphertext visible to the host, checked for aliases, SEV-TIO off";
        assert_eq!(info.to_string(), expected);
        let unknown = PlatformInfo::from_bits_retain(1 << 6 | 1 << 63);
        assert!(unknown.to_string().ends_with(", unknown bits 0x8000000000000040"), "{unknown}");
    }

    #[test]
    fn every_bit_has_words() {
        let worded = WORDS.iter().fold(PlatformInfo::empty(), |all, (bit, ..)| all | *bit);
        assert_eq!(worded, PlatformInfo::all());
        assert_eq!(worded.bits(), 0xbf);
    }
}
