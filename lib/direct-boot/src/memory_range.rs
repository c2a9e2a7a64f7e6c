//! A range of a guest's memory map.

/// A range of a guest's memory map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// First guest physical address.
    pub base: u64,
    /// Bytes.
    pub size: u64,
    /// What it is to the guest.
    pub kind: MemoryKind,
}

/// Kinds of memory that a guest is told of; the values are those of the E820
/// map [ACPI 6.5 §15].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum MemoryKind {
    /// Ordinary memory.
    Usable = 1,
    /// To be left alone.
    Reserved = 2,
    /// ACPI tables. Linux reads them as private memory, unlike what is
    /// reserved (`arch/x86/mm/ioremap.c`).
    AcpiTables = 3,
}

impl MemoryRange {
    /// First address behind the range, `None` if it wraps around the end of
    /// the address space.
    #[must_use]
    pub const fn end(&self) -> Option<u64> {
        self.base.checked_add(self.size)
    }
}
