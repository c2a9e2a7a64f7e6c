//! The secrets page: keys and facts that the security processor gives a guest.
//!
//! The page starts with what the security processor writes [SNP ABI 56860
//! §8.14.2.5]; in the areas left to software an SVSM tells the guest below it
//! where it is [SVSM 58019]. Whoever holds one of the keys can speak to
//! the security processor in the name of its privilege level, so an SVSM hands
//! on a copy of the page without those of the levels above the guest.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A VM platform communication key: the AES-256 key of messages between one
/// privilege level and the security processor.
///
/// Never shown, neither copied nor compared by accident.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct Vmpck([u8; 32]);

impl Vmpck {
    /// The key itself.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Vmpck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vmpck(redacted)")
    }
}

/// The whole page.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SecretsPage {
    /// Version of the security processor's part.
    pub version: u32,
    /// Bit 0: the guest was launched with an initial migration image.
    pub migration_image_enabled: u32,
    /// Family, model and stepping as in EAX of CPUID leaf 1.
    pub family_model_stepping: u32,
    _reserved_00c: u32,
    /// Workarounds that the hypervisor announces; it defines the format.
    pub guest_os_workarounds: [u8; 16],
    /// The keys, by privilege level.
    pub vmpck: [Vmpck; 4],
    /// For the guest's software: message counters and the like [GHCB 56421].
    pub guest_area: [u8; 96],
    /// Which 8-byte units of a VMSA are masked, with VMSA register protection.
    pub vmsa_tweak_bitmap: [u8; 64],
    /// Guest physical address of the SVSM's first byte.
    pub svsm_base: u64,
    /// Size of the SVSM in bytes; 0 says that there is none.
    pub svsm_size: u64,
    /// Guest physical address of the calling area of the first processor,
    /// page-aligned.
    pub svsm_calling_area: u64,
    /// Highest version of the core protocol that the SVSM speaks.
    pub svsm_max_version: u32,
    /// Privilege level that the guest runs at, 1 to 3.
    pub svsm_guest_vmpl: u8,
    _reserved_15d: [u8; 3],
    /// With Secure TSC: by how many hundred-thousandths the mean frequency of
    /// the counter is below the nominal one.
    pub tsc_factor: u32,
    _reserved_164: [u8; 0xe9c],
}

impl fmt::Debug for SecretsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsPage")
            .field("version", &self.version)
            .field("migration_image_enabled", &self.migration_image_enabled)
            .field("family_model_stepping", &self.family_model_stepping)
            .field("vmpck", &self.vmpck)
            .field("svsm_base", &self.svsm_base)
            .field("svsm_size", &self.svsm_size)
            .field("svsm_calling_area", &self.svsm_calling_area)
            .field("svsm_max_version", &self.svsm_max_version)
            .field("svsm_guest_vmpl", &self.svsm_guest_vmpl)
            .field("tsc_factor", &self.tsc_factor)
            .finish_non_exhaustive()
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<SecretsPage>() == 0x1000);
    assert!(offset_of!(SecretsPage, family_model_stepping) == 0x008);
    assert!(offset_of!(SecretsPage, guest_os_workarounds) == 0x010);
    assert!(offset_of!(SecretsPage, vmpck) == 0x020);
    assert!(offset_of!(SecretsPage, guest_area) == 0x0a0);
    assert!(offset_of!(SecretsPage, vmsa_tweak_bitmap) == 0x100);
    assert!(offset_of!(SecretsPage, svsm_base) == 0x140);
    assert!(offset_of!(SecretsPage, svsm_size) == 0x148);
    assert!(offset_of!(SecretsPage, svsm_calling_area) == 0x150);
    assert!(offset_of!(SecretsPage, svsm_max_version) == 0x158);
    assert!(offset_of!(SecretsPage, svsm_guest_vmpl) == 0x15c);
    assert!(offset_of!(SecretsPage, tsc_factor) == 0x160);
};

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn keys_do_not_show() {
        let mut bytes = [0_u8; 4096];
        bytes[0x20..0xa0].fill(0xa5);
        let page = SecretsPage::read_from_bytes(&bytes).unwrap();
        assert!(page.vmpck.iter().all(|key| *key.expose() == [0xa5; 32]));
        let text = format!("{page:?} {page:#?}");
        assert!(text.contains("redacted"), "{text}");
        assert!(!text.contains("a5") && !text.contains("165"), "{text}");
    }

    #[test]
    fn fields_are_read_from_their_places() {
        let mut bytes = [0_u8; 4096];
        bytes[0] = 3;
        bytes[0x40..0x60].fill(1);
        bytes[0x158] = 1;
        bytes[0x15c] = 2;
        bytes[0x160] = 9;
        let page = SecretsPage::read_from_bytes(&bytes).unwrap();
        assert_eq!((page.version, page.svsm_max_version), (3, 1));
        assert_eq!((page.svsm_guest_vmpl, page.tsc_factor), (2, 9));
        assert_eq!(*page.vmpck[1].expose(), [1; 32]);
        assert_eq!(page.as_bytes(), bytes);
    }
}
