//! The CPUID page: CPUID values that the security processor has checked.
//!
//! The host fills it in; a launch fails if a value claims more than the
//! processor can do, so that the guest may rely on what stands there [SNP ABI
//! 56860 §8.14.2.6].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The result of CPUID for one leaf and subleaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CpuidEntry {
    /// The leaf.
    pub eax_in: u32,
    /// The subleaf; 0 for leaves without one.
    pub ecx_in: u32,
    /// XCR0 that the result holds for; only leaf 0xD depends on it.
    pub xcr0_in: u64,
    /// XSS that the result holds for; only leaf 0xD depends on it.
    pub xss_in: u64,
    /// EAX of the result.
    pub eax: u32,
    /// EBX of the result.
    pub ebx: u32,
    /// ECX of the result.
    pub ecx: u32,
    /// EDX of the result.
    pub edx: u32,
    _reserved: u64,
}

impl CpuidEntry {
    /// An entry that asks for leaf `eax_in`, subleaf `ecx_in`, with all else
    /// zero.
    #[must_use]
    pub const fn request(eax_in: u32, ecx_in: u32) -> Self {
        Self { eax_in, ecx_in, xcr0_in: 0, xss_in: 0, eax: 0, ebx: 0, ecx: 0, edx: 0, _reserved: 0 }
    }

    /// Whether the reserved bytes are zero, which the security processor
    /// insists on for leaves that it checks.
    #[must_use]
    pub const fn is_well_formed(&self) -> bool {
        self._reserved == 0
    }
}

/// The whole page.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CpuidPage {
    count: u32,
    _reserved_004: [u32; 3],
    entries: [CpuidEntry; CpuidPage::CAPACITY],
    _reserved_c10: [u8; 0x3f0],
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<CpuidEntry>() == 0x30);
    assert!(offset_of!(CpuidEntry, xcr0_in) == 0x08);
    assert!(offset_of!(CpuidEntry, xss_in) == 0x10);
    assert!(offset_of!(CpuidEntry, eax) == 0x18);
    assert!(offset_of!(CpuidEntry, edx) == 0x24);

    assert!(size_of::<CpuidPage>() == 0x1000);
    assert!(offset_of!(CpuidPage, entries) == 0x010);
    assert!(offset_of!(CpuidPage, _reserved_c10) == 0xc10);
};

impl CpuidPage {
    /// Entries that fit.
    pub const CAPACITY: usize = 64;

    /// A page with these entries, `None` if there are more than
    /// [`Self::CAPACITY`].
    #[must_use]
    pub fn new(entries: &[CpuidEntry]) -> Option<Self> {
        let mut all = [CpuidEntry::request(0, 0); Self::CAPACITY];
        all.get_mut(..entries.len())?.copy_from_slice(entries);
        let count = u32::try_from(entries.len()).ok()?;
        Some(Self { count, _reserved_004: [0; 3], entries: all, _reserved_c10: [0; 0x3f0] })
    }

    /// The entries in use, `None` if the page claims more than
    /// [`Self::CAPACITY`].
    #[must_use]
    pub fn entries(&self) -> Option<&[CpuidEntry]> {
        self.entries.get(..usize::try_from(self.count).ok()?)
    }

    /// The entries in use, to be changed; `None` as for [`Self::entries`].
    #[must_use]
    pub fn entries_mut(&mut self) -> Option<&mut [CpuidEntry]> {
        self.entries.get_mut(..usize::try_from(self.count).ok()?)
    }

    /// Whether the reserved bytes before the entries are zero, which the
    /// security processor insists on. Those of the entries are another matter.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self._reserved_004 == [0; 3]
    }
}

#[cfg(test)]
mod tests {
    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn entries_come_back() {
        let entries = [CpuidEntry { eax: 0x10, ..CpuidEntry::request(0, 0) }; 64];
        for count in [0, 1, 63, 64] {
            let page = CpuidPage::new(&entries[..count]).unwrap();
            assert_eq!(page.entries(), Some(&entries[..count]));
            assert_eq!(page.as_bytes()[..4], [count as u8, 0, 0, 0]);
        }
    }

    #[test]
    fn reserved_bytes_are_found() {
        let page = CpuidPage::new(&[CpuidEntry::request(1, 0)]).unwrap();
        for place in 4..0x10 {
            let mut bytes = [0; 0x1000];
            bytes.copy_from_slice(page.as_bytes());
            bytes[place] = 1;
            assert!(!CpuidPage::read_from_bytes(&bytes).unwrap().is_well_formed(), "{place}");
        }
        assert!(page.is_well_formed());
        let mut entry = [0; 0x30];
        assert!(CpuidEntry::read_from_bytes(&entry).unwrap().is_well_formed());
        entry[0x2f] = 1;
        assert!(!CpuidEntry::read_from_bytes(&entry).unwrap().is_well_formed());
    }

    #[test]
    fn entries_can_be_changed_in_place() {
        let mut page = CpuidPage::new(&[CpuidEntry::request(1, 0)]).unwrap();
        page.entries_mut().unwrap()[0].ebx = 7;
        assert_eq!(page.entries().unwrap()[0].ebx, 7);
        page.count = 65;
        assert!(page.entries_mut().is_none());
    }

    #[test]
    fn too_many_entries_are_refused() {
        assert!(CpuidPage::new(&[CpuidEntry::request(0, 0); 65]).is_none());
        for count in [65, u32::MAX] {
            let page = CpuidPage { count, ..CpuidPage::new_zeroed() };
            assert_eq!(page.entries(), None);
        }
    }
}
