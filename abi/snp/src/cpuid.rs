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
    fn too_many_entries_are_refused() {
        assert!(CpuidPage::new(&[CpuidEntry::request(0, 0); 65]).is_none());
        for count in [65, u32::MAX] {
            let page = CpuidPage { count, ..CpuidPage::new_zeroed() };
            assert_eq!(page.entries(), None);
        }
    }
}
