//! The map of physical memory.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A range of physical memory: `struct hvm_memmap_table_entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MemoryRange {
    /// Physical address of the first byte.
    pub address: u64,
    /// Size in bytes.
    pub size: u64,
    /// What is there.
    pub kind: MemoryKind,
    _reserved: u32,
}

const _: () = assert!(size_of::<MemoryRange>() == 24);

impl MemoryRange {
    /// A range of `size` bytes from physical `address` on.
    #[must_use]
    pub const fn new(address: u64, size: u64, kind: MemoryKind) -> Self {
        Self { address, size, kind, _reserved: 0 }
    }

    /// First address behind the range; `None` if it wraps.
    #[must_use]
    pub const fn end(&self) -> Option<u64> {
        self.address.checked_add(self.size)
    }
}

/// Open enumeration of what a [`MemoryRange`] can be: `XEN_HVM_MEMMAP_TYPE_*`,
/// the numbers of ACPI's address range types [ACPI 6.5 §15.2].
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct MemoryKind(pub u32);

impl MemoryKind {
    /// Memory that may be used.
    pub const RAM: Self = Self(1);
    /// Not to be used.
    pub const RESERVED: Self = Self(2);
    /// ACPI tables; memory once they have been read.
    pub const ACPI: Self = Self(3);
    /// ACPI's non-volatile storage.
    pub const ACPI_STORAGE: Self = Self(4);
    /// Memory with errors.
    pub const UNUSABLE: Self = Self(5);
    /// Memory that is not enabled.
    pub const DISABLED: Self = Self(6);
    /// Persistent memory.
    pub const PERSISTENT: Self = Self(7);

    /// The kind's name in words, if this version knows it.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::RAM => "memory",
            Self::RESERVED => "reserved",
            Self::ACPI => "ACPI tables",
            Self::ACPI_STORAGE => "ACPI storage",
            Self::UNUSABLE => "unusable",
            Self::DISABLED => "disabled",
            Self::PERSISTENT => "persistent memory",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(MemoryKind);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn ranges_that_wrap_have_no_end() {
        assert_eq!(MemoryRange::new(0x1000, 0x2000, MemoryKind::RAM).end(), Some(0x3000));
        assert_eq!(MemoryRange::new(u64::MAX, 1, MemoryKind::RAM).end(), None);
    }

    #[test]
    fn kinds_have_names() {
        assert_eq!(MemoryKind(1).to_string(), "memory");
        assert_eq!(MemoryKind(9).to_string(), "unknown (0x9)");
    }
}
