//! The guest's CPUID page, made from the module's.

use abi_snp::CpuidPage;

/// Why a guest gets no CPUID page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuidError {
    /// The module's page says that it has more entries than fit.
    #[error("the CPUID page claims more entries than fit into it")]
    TooManyEntries,
}

/// The CPUID page of a guest: every entry of the module's own, unchanged.
///
/// The security processor has checked those, and the guest runs on the same
/// processor, with the same features. That there is a module, the secrets page
/// says; Linux sets the bit that means it (leaf 0x8000_001f, EAX, bit 28) in its
/// own copy. Whatever stands behind the entries in use is left out.
///
/// # Errors
///
/// See [`CpuidError`].
pub fn hand_on_cpuid(own: &CpuidPage) -> Result<CpuidPage, CpuidError> {
    own.entries().and_then(CpuidPage::new).ok_or(CpuidError::TooManyEntries)
}

#[cfg(test)]
mod tests {
    use abi_snp::CpuidEntry;
    use zerocopy::{FromBytes, IntoBytes};

    use super::*;

    #[test]
    fn entries_are_handed_on_and_nothing_else() {
        let mut entry = CpuidEntry::request(0x8000_001f, 0);
        (entry.eax, entry.edx) = (0x10, 7);
        let mut bytes = [0x5a; 4096];
        bytes[..4].copy_from_slice(&2_u32.to_le_bytes());
        bytes[16..64].copy_from_slice(entry.as_bytes());
        bytes[64..112].copy_from_slice(entry.as_bytes());
        let guest = hand_on_cpuid(&CpuidPage::read_from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!(guest.entries(), Some(&[entry, entry][..]));
        assert_eq!(guest.as_bytes()[4..16], [0; 12]);
        assert_eq!(guest.as_bytes()[112..], [0; 4096 - 112]);
    }

    #[test]
    fn an_impossible_count_is_refused() {
        let mut bytes = [0; 4096];
        bytes[0] = 65;
        let own = CpuidPage::read_from_bytes(&bytes).unwrap();
        assert_eq!(hand_on_cpuid(&own).err(), Some(CpuidError::TooManyEntries));
    }
}
