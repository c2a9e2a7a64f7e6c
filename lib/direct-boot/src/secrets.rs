//! The guest's secrets page, made from the module's.

use abi_snp::{SecretsPage, Vmpl};
use zerocopy::{FromZeros, IntoBytes};

/// What a guest is told of the module above it [SVSM 58019].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleDescription {
    /// First guest physical address of the module's region, page-aligned.
    pub base: u64,
    /// Bytes of the region, whole pages, not 0.
    pub size: u64,
    /// Guest physical address of the calling area of the first processor,
    /// page-aligned.
    pub calling_area: u64,
    /// Highest version of the core protocol that the module speaks.
    pub max_version: u32,
    /// The level that the guest runs at: not the module's.
    pub guest_level: Vmpl,
}

/// Why a guest cannot be told so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// The guest would run at the module's level.
    #[error("a guest under the module cannot run at VMPL0")]
    TopLevel,
    /// The module's size is 0, which says that there is none.
    #[error("the module has no region")]
    NoRegion,
    /// This address or size is not a multiple of the page size.
    #[error("{0:#x} is not a multiple of 4096")]
    Unaligned(u64),
}

/// Writes the secrets page of a guest, in place of what stands there.
///
/// It gets what the platform says of itself, and of the keys to the security
/// processor those of its own level and of the levels below it. The area for
/// the guest's software, with its message counters, starts with zeros; so does
/// what this version does not know: it could be secret.
///
/// # Errors
///
/// See [`SecretsError`]. Nothing is written then.
pub fn hand_on_secrets(
    own: &SecretsPage,
    module: &ModuleDescription,
    guest: &mut SecretsPage,
) -> Result<(), SecretsError> {
    let ModuleDescription { base, size, calling_area, max_version, guest_level } = *module;
    if guest_level == Vmpl::Vmpl0 {
        return Err(SecretsError::TopLevel);
    }
    if size == 0 {
        return Err(SecretsError::NoRegion);
    }
    if let Some(unaligned) = [base, size, calling_area].iter().find(|n| !n.is_multiple_of(4096)) {
        return Err(SecretsError::Unaligned(*unaligned));
    }
    guest.zero();
    guest.version = own.version;
    guest.migration_image_enabled = own.migration_image_enabled;
    guest.family_model_stepping = own.family_model_stepping;
    guest.guest_os_workarounds = own.guest_os_workarounds;
    guest.vmsa_tweak_bitmap = own.vmsa_tweak_bitmap;
    guest.tsc_factor = own.tsc_factor;
    for (level, (from, to)) in Vmpl::ALL.iter().zip(own.vmpck.iter().zip(&mut guest.vmpck)) {
        if !level.is_above(guest_level) {
            to.as_mut_bytes().copy_from_slice(from.expose());
        }
    }
    guest.svsm_base = base;
    guest.svsm_size = size;
    guest.svsm_calling_area = calling_area;
    guest.svsm_max_version = max_version;
    guest.svsm_guest_vmpl = guest_level.number();
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zerocopy::FromBytes;

    use super::*;

    const MODULE: ModuleDescription = ModuleDescription {
        base: 0x800_0000,
        size: 0x100_0000,
        calling_area: 0xf000,
        max_version: 1,
        guest_level: Vmpl::Vmpl2,
    };

    fn page(fill: impl Fn(usize) -> u8) -> SecretsPage {
        let bytes: [u8; 4096] = core::array::from_fn(fill);
        SecretsPage::read_from_bytes(&bytes).unwrap()
    }

    #[test]
    fn a_guest_gets_the_platform_s_facts_and_the_module_s() {
        let own = page(|offset| (offset % 251) as u8 + 1);
        let mut guest = page(|_| 0xff);
        assert_eq!(hand_on_secrets(&own, &MODULE, &mut guest), Ok(()));
        let (own, guest) = (own.as_bytes(), guest.as_bytes());
        // Version to workarounds, VMSA bitmap, TSC factor.
        for facts in [0..0xc, 0x10..0x20, 0x100..0x140, 0x160..0x164] {
            assert_eq!(guest[facts.clone()], own[facts]);
        }
        // Message counters and what is unknown.
        assert_eq!(guest[0xa0..0x100], [0; 0x60]);
        assert_eq!(guest[0x164..], [0; 0xe9c]);
        let u64_at = |at: usize| u64::from_le_bytes(*guest[at..].first_chunk().unwrap());
        assert_eq!([0x140, 0x148, 0x150].map(u64_at), [0x800_0000, 0x100_0000, 0xf000]);
        assert_eq!(guest[0x158..0x160], [1, 0, 0, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn keys_of_higher_levels_are_missing() {
        let own = page(|offset| (offset / 0x20) as u8);
        for level in [Vmpl::Vmpl1, Vmpl::Vmpl2, Vmpl::Vmpl3] {
            let mut guest = page(|_| 0xff);
            let module = ModuleDescription { guest_level: level, ..MODULE };
            assert_eq!(hand_on_secrets(&own, &module, &mut guest), Ok(()));
            for (number, key) in (0_u8..).zip(&guest.vmpck) {
                let expected = if number < level.number() { 0 } else { number + 1 };
                assert_eq!(*key.expose(), [expected; 32], "key {number} of a guest at {level}");
            }
        }
    }

    #[test]
    fn what_a_guest_would_not_believe_is_refused() {
        let own = page(|_| 1);
        let refusal = |module| {
            let mut guest = page(|_| 7);
            let error = hand_on_secrets(&own, &module, &mut guest).unwrap_err();
            assert_eq!(guest.as_bytes(), page(|_| 7).as_bytes());
            error
        };
        let top = ModuleDescription { guest_level: Vmpl::Vmpl0, ..MODULE };
        assert_eq!(refusal(top), SecretsError::TopLevel);
        assert_eq!(refusal(ModuleDescription { size: 0, ..MODULE }), SecretsError::NoRegion);
        for module in [
            ModuleDescription { base: 0x801, ..MODULE },
            ModuleDescription { size: 0x801, ..MODULE },
            ModuleDescription { calling_area: 0x801, ..MODULE },
        ] {
            assert_eq!(refusal(module), SecretsError::Unaligned(0x801));
        }
    }

    proptest! {
        #[test]
        fn no_key_of_the_module_s_gets_anywhere(
            key in proptest::array::uniform32(1_u8..),
            level in 1_u8..4,
        ) {
            let mut bytes = [0; 4096];
            bytes[0x20..0x40].copy_from_slice(&key);
            let own = SecretsPage::read_from_bytes(&bytes).unwrap();
            let guest_level = Vmpl::from_number(level).unwrap();
            let mut guest = page(|_| 0);
            let module = ModuleDescription { guest_level, ..MODULE };
            prop_assert_eq!(hand_on_secrets(&own, &module, &mut guest), Ok(()));
            prop_assert!(!guest.as_bytes().windows(32).any(|window| window == key));
        }
    }
}
