//! Which bits of an entry must be zero.
//!
//! [APM 24593 §5.2.2, §5.2.3, §5.3.3 to §5.3.5], [SDM 3A §4.4 and §4.5].

use abi_x86::{EntryFlags, Level, PageTableEntry};

use crate::paging::{Kind, Paging};

const NO_EXECUTE: u64 = EntryFlags::NO_EXECUTE.bits();
const HUGE: u64 = EntryFlags::HUGE.bits();
const GLOBAL: u64 = EntryFlags::GLOBAL.bits();

/// Bits 29:13 and 20:13: those of a large page's address that are none, but the
/// lowest, which selects a memory type.
const LOW_BITS_OF_1G: u64 = 0x3fff_e000;
const LOW_BITS_OF_2M: u64 = 0x001f_e000;

/// Bits 62:52, which long mode ignores and PAE does not.
const HIGH_BITS_OF_PAE: u64 = 0x7ff0_0000_0000_0000;

/// Bits 8:5 and 2:1: PAE's four top entries have no permissions.
const FLAGS_OF_PAE_ROOT: u64 = 0x1e6;

/// Whether an entry of 64 bits maps a page, and not a table, at `level`.
pub(crate) const fn is_page(kind: Kind, level: Level, entry: PageTableEntry) -> bool {
    let is_huge = entry.flags().contains(EntryFlags::HUGE);
    match level {
        Level::PageTable => true,
        Level::PageDirectory => is_huge,
        Level::PageDirectoryPointer => is_huge && matches!(kind, Kind::Long(_)),
        Level::Pml4 | Level::Pml5 => false,
    }
}

/// The bits of a present entry of 64 bits that must be zero at `level`.
///
/// That the global bit is reserved at the two upper levels is so on AMD's
/// processors only [APM 24593 §5.3.3].
pub(crate) const fn reserved_bits(paging: &Paging, level: Level, entry: PageTableEntry) -> u64 {
    let kind = paging.kind();
    let mut reserved = paging.physical_addresses.reserved_bits();
    if !paging.has_no_execute() {
        reserved |= NO_EXECUTE;
    }
    if matches!(kind, Kind::Pae) {
        reserved |= HIGH_BITS_OF_PAE;
    }
    let is_page = is_page(kind, level, entry);
    reserved
        | match (kind, level, is_page) {
            (_, Level::Pml5 | Level::Pml4, _) => HUGE | GLOBAL,
            (Kind::Pae, Level::PageDirectoryPointer, _) => NO_EXECUTE | FLAGS_OF_PAE_ROOT,
            (_, Level::PageDirectoryPointer, true) => LOW_BITS_OF_1G,
            (_, Level::PageDirectory, true) => LOW_BITS_OF_2M,
            (_, Level::PageDirectoryPointer | Level::PageDirectory, false)
            | (_, Level::PageTable, _) => 0,
        }
}
