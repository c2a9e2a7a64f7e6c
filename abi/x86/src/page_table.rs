//! Entries of the page tables of long mode.
//!
//! An entry names either a table of the next level or a page. On a machine
//! with memory encryption one of the address bits, the *C-bit*, is not part of
//! the address but says that the memory is encrypted; its mask is a parameter
//! wherever it matters and 0 on a machine without it [APM 24593 §15.34].
//!
//! The formats: [APM 24593 §5.3 and §5.4], [SDM 3A §4.5].

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::flag_names::show_flag_names;

/// Bytes in a small page.
pub const SIZE_4K: u64 = 1 << 12;

/// Bytes in a page that an entry of a page directory maps.
pub const SIZE_2M: u64 = 1 << 21;

/// Bytes in a page that an entry of a page-directory-pointer table maps.
pub const SIZE_1G: u64 = 1 << 30;

/// Entries in a table of any level.
pub const TABLE_ENTRIES: usize = 512;

/// The bits of an entry that can hold an address, C-bit included: 12 to 51.
const ADDRESS_MASK: u64 = 0x000f_ffff_ffff_f000;

/// Everything in a page-table entry but the address.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct EntryFlags(u64);

bitflags::bitflags! {
    impl EntryFlags: u64 {
        /// The entry is valid. Without this bit the processor ignores all others.
        const PRESENT = 1 << 0;
        /// Writing is allowed, if every level above allows it too.
        const WRITABLE = 1 << 1;
        /// User mode may access, if every level above allows it too.
        const USER = 1 << 2;
        /// Set by the processor when it uses the entry.
        const ACCESSED = 1 << 5;
        /// Set by the processor when it writes to the page.
        const DIRTY = 1 << 6;
        /// The entry of a page directory or page-directory-pointer table maps
        /// a page of 2 MiB or 1 GiB instead of naming a table.
        const HUGE = 1 << 7;
        /// The translation survives a write to CR3.
        const GLOBAL = 1 << 8;
        /// Instructions must not be fetched; needs [`Efer::NXE`](crate::Efer::NXE).
        const NO_EXECUTE = 1 << 63;
    }
}

show_flag_names!(EntryFlags);

/// One entry of a page table of any level.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct PageTableEntry(u64);

const _: () = assert!(size_of::<PageTableEntry>() == 8);

impl PageTableEntry {
    /// The entry that maps nothing.
    pub const EMPTY: Self = Self(0);

    /// An entry that names the table of the next level at physical `address`,
    /// for supervisor mode.
    ///
    /// It is writable, because the entries below decide about that, and
    /// already accessed, so that the processor need not write to it. The table
    /// is encrypted: `c_bit_mask` is set.
    ///
    /// `None` if `address` is not a multiple of 4096, reaches beyond bit 51 or
    /// has the C-bit set.
    #[must_use]
    pub const fn table(address: u64, c_bit_mask: u64) -> Option<Self> {
        let flags = EntryFlags::PRESENT.union(EntryFlags::WRITABLE).union(EntryFlags::ACCESSED);
        Self::encode(address, flags, c_bit_mask)
    }

    /// An entry that maps the page at physical `address` with exactly `flags`,
    /// encrypted if `c_bit_mask` is not 0: give 0 for a page that is shared
    /// with the host.
    ///
    /// `None` if `address` is not a multiple of 4096 (of 2 MiB, if `flags` has
    /// [`EntryFlags::HUGE`]), reaches beyond bit 51 or has the C-bit set. The
    /// entry does not know its level, so that a 1 GiB page is 1 GiB-aligned is
    /// the caller's to see to.
    #[must_use]
    pub const fn page(address: u64, flags: EntryFlags, c_bit_mask: u64) -> Option<Self> {
        if flags.contains(EntryFlags::HUGE) && !address.is_multiple_of(SIZE_2M) {
            return None;
        }
        Self::encode(address, flags, c_bit_mask)
    }

    const fn encode(address: u64, flags: EntryFlags, c_bit_mask: u64) -> Option<Self> {
        if address & !ADDRESS_MASK != 0 || address & c_bit_mask != 0 {
            return None;
        }
        Some(Self(address | flags.bits() | c_bit_mask))
    }

    /// The entry with these bits.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The entry as the processor reads it.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The flags that [`EntryFlags`] names; other bits are left out.
    #[must_use]
    pub const fn flags(self) -> EntryFlags {
        EntryFlags::from_bits_truncate(self.0)
    }

    /// Whether the entry names a table or page at all.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.flags().contains(EntryFlags::PRESENT)
    }

    /// The physical address of the table or small page, without the C-bit.
    #[must_use]
    pub const fn address(self, c_bit_mask: u64) -> u64 {
        self.0 & ADDRESS_MASK & !c_bit_mask
    }
}

impl fmt::Debug for PageTableEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageTableEntry({:#x} {:?})", self.address(0), self.flags())
    }
}

/// The levels of a page table, by the name of the table there. The fifth is
/// optional: [`Cr4::LA57`](crate::Cr4::LA57) [APM 24593 §5.3.3].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Entries map pages of 4 KiB.
    PageTable = 0,
    /// Entries map pages of 2 MiB or name a [`Level::PageTable`].
    PageDirectory = 1,
    /// Entries map pages of 1 GiB or name a [`Level::PageDirectory`].
    PageDirectoryPointer = 2,
    /// The top of four levels: entries name a [`Level::PageDirectoryPointer`].
    Pml4 = 3,
    /// The top of five levels: entries name a [`Level::Pml4`].
    Pml5 = 4,
}

impl Level {
    /// From the top of four levels to the bottom, the order of a walk.
    pub const DOWNWARDS: [Self; 4] =
        [Self::Pml4, Self::PageDirectoryPointer, Self::PageDirectory, Self::PageTable];

    /// Bytes of address space that one entry of this level covers.
    #[must_use]
    pub const fn entry_size(self) -> u64 {
        SIZE_4K << (9 * self as u32)
    }

    /// The entry of a table of this level that translates `virtual_address`:
    /// 0 to 511.
    #[must_use]
    pub const fn index(self, virtual_address: u64) -> usize {
        (virtual_address / self.entry_size()) as usize % TABLE_ENTRIES
    }

    /// The level below, `None` below the last.
    #[must_use]
    pub const fn below(self) -> Option<Self> {
        match self {
            Self::Pml5 => Some(Self::Pml4),
            Self::Pml4 => Some(Self::PageDirectoryPointer),
            Self::PageDirectoryPointer => Some(Self::PageDirectory),
            Self::PageDirectory => Some(Self::PageTable),
            Self::PageTable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    const C_BIT: u64 = 1 << 51;
    const ADDRESS: u64 = 0x0000_1234_5678_9000;

    #[test]
    fn table_is_encrypted_and_supervisor_only() {
        let entry = PageTableEntry::table(ADDRESS, C_BIT).unwrap();
        assert_eq!(entry.bits(), 0x0008_1234_5678_9023);
        assert_eq!(entry.address(C_BIT), ADDRESS);
        assert!(entry.is_present());
        assert!(!entry.flags().contains(EntryFlags::USER));
    }

    #[test]
    fn page_has_the_flags_given() {
        let flags = EntryFlags::PRESENT | EntryFlags::DIRTY | EntryFlags::NO_EXECUTE;
        let private = PageTableEntry::page(ADDRESS, flags, C_BIT).unwrap();
        assert_eq!(private.bits(), 0x8008_1234_5678_9041);
        assert_eq!(private.flags(), flags);
        let shared = PageTableEntry::page(ADDRESS, flags, 0).unwrap();
        assert_eq!(shared.bits(), 0x8000_1234_5678_9041);
        assert_eq!(shared.address(C_BIT), ADDRESS);
        let empty = PageTableEntry::page(0, EntryFlags::empty(), 0).unwrap();
        assert_eq!(empty, PageTableEntry::EMPTY);
        assert!(!empty.is_present());
    }

    #[test]
    fn flags_have_the_processors_numbers() {
        let expected = [0x1, 0x2, 0x4, 0x20, 0x40, 0x80, 0x100, 0x8000_0000_0000_0000];
        let named = EntryFlags::all().iter().map(|flag| flag.bits());
        assert!(named.eq(expected));
    }

    #[test]
    fn addresses_that_do_not_fit_are_refused() {
        for address in [1, 0x800, ADDRESS + 8, 1 << 52, u64::MAX, ADDRESS | C_BIT] {
            assert_eq!(PageTableEntry::table(address, C_BIT), None, "{address:#x}");
            let page = PageTableEntry::page(address, EntryFlags::PRESENT, C_BIT);
            assert_eq!(page, None, "{address:#x}");
        }
        assert!(PageTableEntry::table(ADDRESS | C_BIT, 0).is_some());
    }

    #[test]
    fn huge_pages_are_aligned() {
        let flags = EntryFlags::PRESENT | EntryFlags::HUGE;
        assert_eq!(PageTableEntry::page(SIZE_2M + SIZE_4K, flags, 0), None);
        let entry = PageTableEntry::page(3 * SIZE_2M, flags, C_BIT).unwrap();
        assert_eq!(entry.bits(), 0x0008_0000_0060_0081);
    }

    #[test]
    fn indices_of_a_walk() {
        let address = 0xffff_ffff_8123_4567;
        let walk = Level::DOWNWARDS.map(|level| level.index(address));
        assert_eq!(walk, [511, 510, 9, 0x34]);
        assert_eq!(Level::DOWNWARDS.map(|level| level.index(u64::MAX)), [511; 4]);
        assert_eq!(Level::DOWNWARDS.map(|level| level.index(0)), [0; 4]);
        let sizes = Level::DOWNWARDS.map(Level::entry_size);
        assert_eq!(sizes, [1 << 39, SIZE_1G, SIZE_2M, SIZE_4K]);
        assert_eq!((Level::Pml5.index(address), Level::Pml5.entry_size()), (511, 1 << 48));
        assert_eq!(Level::Pml5.index(1 << 51), 8);
    }

    #[test]
    fn levels_go_down_to_the_page_table() {
        let mut level = Some(Level::Pml5);
        for expected in [Level::Pml5].into_iter().chain(Level::DOWNWARDS) {
            assert_eq!(level, Some(expected));
            level = expected.below();
        }
        assert_eq!(level, None);
    }

    #[test]
    fn entries_are_shown_with_address_and_flags() {
        let entry = PageTableEntry::table(ADDRESS, 0).unwrap();
        let text = std::format!("{entry:?}");
        assert!(text.contains("0x123456789000") && text.contains("PRESENT"), "{text}");
    }
}
