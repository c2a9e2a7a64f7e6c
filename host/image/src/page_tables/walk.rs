//! A walk through page tables in memory, for tests: what the processor would do.

use abi_x86::{EntryFlags, Level, PageTableEntry};

/// Where a virtual address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Translation {
    pub(crate) gpa: u64,
    pub(crate) writable: bool,
    pub(crate) executable: bool,
    /// Bytes that the leaf maps.
    pub(crate) leaf_size: u64,
}

/// Translates `address` with `tables`, which lie at `root`. Every entry on the
/// way must have the C-bit mask and Accessed set and must not be for user mode
/// or global; a leaf is dirty exactly if it is writable.
pub(crate) fn translate(
    tables: &[u8],
    root: u64,
    c_bit_mask: u64,
    address: u64,
) -> Option<Translation> {
    let mut table = root;
    for level in Level::DOWNWARDS {
        let offset = usize::try_from(table - root).unwrap() + 8 * level.index(address);
        let bits = u64::from_le_bytes(tables[offset..offset + 8].try_into().unwrap());
        let entry = PageTableEntry::from_bits(bits);
        if !entry.is_present() {
            assert_eq!(bits, 0, "an absent entry of {address:#x} is not zero");
            return None;
        }
        let flags = entry.flags();
        assert_eq!(bits & c_bit_mask, c_bit_mask, "{address:#x}: {entry:?}");
        assert!(flags.contains(EntryFlags::ACCESSED));
        assert!(!flags.intersects(EntryFlags::USER | EntryFlags::GLOBAL));
        let leaf = level == Level::PageTable || flags.contains(EntryFlags::HUGE);
        if !leaf {
            assert!(flags.contains(EntryFlags::WRITABLE));
            assert!(!flags.contains(EntryFlags::NO_EXECUTE));
            table = entry.address(c_bit_mask);
            continue;
        }
        let writable = flags.contains(EntryFlags::WRITABLE);
        assert_eq!(flags.contains(EntryFlags::DIRTY), writable);
        let leaf_size = level.entry_size();
        let base = entry.address(c_bit_mask);
        assert!(base.is_multiple_of(leaf_size));
        return Some(Translation {
            gpa: base + address % leaf_size,
            writable,
            executable: !flags.contains(EntryFlags::NO_EXECUTE),
            leaf_size,
        });
    }
    unreachable!("the last level is a leaf")
}
