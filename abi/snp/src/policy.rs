//! Guest policy: what the owner allows and demands of the platform.
//!
//! The host gives it at the start of a launch; the security processor enforces
//! it from then on and reports it [SNP ABI 56860 §4.3].

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use abi_x86::show_flag_names;

/// The permissions and demands of a [`Policy`]: its bits from 16 on, without
/// the one that is always set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PolicyFlags(u64);

bitflags::bitflags! {
    impl PolicyFlags: u64 {
        /// The platform may run two threads on a core.
        const SMT_ALLOWED = 1 << 16;
        /// A migration agent may be associated with the guest.
        const MIGRATION_AGENT_ALLOWED = 1 << 18;
        /// The host may read and write the guest's memory for debugging.
        const DEBUG_ALLOWED = 1 << 19;
        /// The guest must run on one socket only.
        const SINGLE_SOCKET_REQUIRED = 1 << 20;
        /// Memory and devices behind CXL may be present.
        const CXL_ALLOWED = 1 << 21;
        /// Memory must be encrypted with AES-256-XTS.
        const AES_256_XTS_REQUIRED = 1 << 22;
        /// Power measurement (RAPL) must be off.
        const RAPL_OFF_REQUIRED = 1 << 23;
        /// Ciphertext of memory must be hidden from the host.
        const CIPHERTEXT_HIDING_REQUIRED = 1 << 24;
        /// The commands that move and swap pages must be refused.
        const PAGE_SWAP_OFF_REQUIRED = 1 << 25;
    }
}

show_flag_names!(PolicyFlags);

/// A guest policy.
///
/// Any 64-bit value can be held, because a policy also arrives from outside;
/// [`Policy::is_well_formed`] tells the ones that a launch can succeed with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Policy(u64);

const _: () = assert!(size_of::<Policy>() == 8);

/// The bit that is reserved and must be one.
const RESERVED_ONE: u64 = 1 << 17;

/// The bits of the ABI version.
const VERSION_MASK: u64 = 0xffff;

impl Policy {
    /// The policy that demands at least version `abi_major.abi_minor` of the
    /// firmware ABI, with `flags` as given (unknown ones are left out) and the
    /// reserved bit set.
    #[must_use]
    pub const fn new(abi_major: u8, abi_minor: u8, flags: PolicyFlags) -> Self {
        let flags = PolicyFlags::from_bits_truncate(flags.bits()).bits();
        Self((abi_major as u64) << 8 | abi_minor as u64 | RESERVED_ONE | flags)
    }

    /// The policy with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The policy as the security processor takes and reports it.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Major version of the firmware ABI that is needed.
    #[must_use]
    pub const fn abi_major(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Minor version of the firmware ABI that is needed.
    #[must_use]
    pub const fn abi_minor(self) -> u8 {
        self.0 as u8
    }

    /// The permissions and demands; unknown bits are left out.
    #[must_use]
    pub const fn flags(self) -> PolicyFlags {
        PolicyFlags::from_bits_truncate(self.0)
    }

    /// Bits that have no meaning in the specification this follows.
    #[must_use]
    pub const fn unknown_bits(self) -> u64 {
        self.0 & !(VERSION_MASK | RESERVED_ONE | PolicyFlags::all().bits())
    }

    /// Whether the reserved bit is one and no unknown bit is set.
    #[must_use]
    pub const fn is_well_formed(self) -> bool {
        self.0 & RESERVED_ONE != 0 && self.unknown_bits() == 0
    }
}

/// What the two values of each flag mean, in words.
const WORDS: [(PolicyFlags, &str, &str); 9] = [
    (PolicyFlags::SMT_ALLOWED, "SMT allowed", "SMT forbidden"),
    (PolicyFlags::MIGRATION_AGENT_ALLOWED, "migration agent allowed", "migration agent forbidden"),
    (PolicyFlags::DEBUG_ALLOWED, "debugging allowed", "debugging forbidden"),
    (PolicyFlags::SINGLE_SOCKET_REQUIRED, "single socket required", "any number of sockets"),
    (PolicyFlags::CXL_ALLOWED, "CXL allowed", "CXL forbidden"),
    (PolicyFlags::AES_256_XTS_REQUIRED, "AES-256-XTS required", "any memory cipher"),
    (PolicyFlags::RAPL_OFF_REQUIRED, "RAPL forbidden", "RAPL allowed"),
    (
        PolicyFlags::CIPHERTEXT_HIDING_REQUIRED,
        "ciphertext hiding required",
        "ciphertext hiding optional",
    ),
    (PolicyFlags::PAGE_SWAP_OFF_REQUIRED, "page swap forbidden", "page swap allowed"),
];

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ABI {}.{} or later", self.abi_major(), self.abi_minor())?;
        for (flag, set, clear) in WORDS {
            write!(f, ", {}", if self.flags().contains(flag) { set } else { clear })?;
        }
        if self.0 & RESERVED_ONE == 0 {
            f.write_str(", invalid: reserved bit 17 is zero")?;
        }
        match self.unknown_bits() {
            0 => Ok(()),
            bits => write!(f, ", invalid: unknown bits {bits:#x}"),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn new_sets_the_reserved_bit() {
        // The default policy of QEMU and of sev-snp-measure.
        assert_eq!(Policy::new(0, 0, PolicyFlags::SMT_ALLOWED).bits(), 0x3_0000);
        let policy = Policy::new(1, 55, PolicyFlags::all());
        assert_eq!(policy.bits(), 0x3ff_0137);
        assert_eq!((policy.abi_major(), policy.abi_minor()), (1, 55));
        assert_eq!(policy.flags(), PolicyFlags::all());
        assert!(policy.is_well_formed());
    }

    #[test]
    fn unknown_flags_do_not_get_in() {
        let policy = Policy::new(0, 0, PolicyFlags::from_bits_retain(u64::MAX));
        assert_eq!(policy.bits(), 0x3ff_0000);
    }

    #[test]
    fn malformed_policies_are_told() {
        for bits in [0, 1 << 16, 1 << 17 | 1 << 26, 1 << 17 | 1 << 63] {
            let policy = Policy::from_bits(bits);
            assert!(!policy.is_well_formed(), "{policy:?}");
            assert!(policy.to_string().contains("invalid"), "{policy}");
        }
        assert_eq!(Policy::from_bits(1 << 17 | 1 << 40).unknown_bits(), 1 << 40);
    }

    #[test]
    fn said_in_words() {
        let policy = Policy::new(1, 51, PolicyFlags::DEBUG_ALLOWED);
        let text = policy.to_string();
        let expected = "ABI 1.51 or later, SMT forbidden, migration agent forbidden, \
            debugging allowed, any number of sockets, CXL forbidden, any memory cipher, \
            RAPL allowed, ciphertext hiding optional, page swap allowed";
        assert_eq!(text, expected);
    }

    #[test]
    fn every_flag_has_words() {
        let worded = WORDS.iter().fold(PolicyFlags::empty(), |all, (flag, ..)| all | *flag);
        assert_eq!(worded, PolicyFlags::all());
    }
}
