//! The symbol table: names of the kernel's functions, by address.
//!
//! A [`SymbolsHeader`], [`SymbolsHeader::count`] entries of type
//! [`SymbolEntry`], sorted by address and without overlap, then all names in
//! the order of their entries, in UTF-8 without separators: an entry's name
//! ends where the next one's begins. The part is as trustworthy as the kernel's
//! code; [`Symbols::parse`] still checks what it relies on.
//!
//! All integers are little-endian, all sizes are in bytes.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::region::{MAX_REGION_SIZE, VIRTUAL_BASE};

/// First eight bytes of a symbol table.
const MAGIC: [u8; 8] = *b"SVSMSYMS";

/// The fixed start of a symbol table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SymbolsHeader {
    magic: [u8; 8],
    /// Number of [`SymbolEntry`]s that follow.
    pub count: u32,
    /// Bytes of all names.
    pub names_size: u32,
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SymbolEntry {
    /// Its first byte, counted from [`VIRTUAL_BASE`].
    pub start: u32,
    /// Bytes of code, not 0.
    pub size: u32,
    /// Where its name begins, counted from the first name.
    pub name: u32,
}

const _: () = assert!(size_of::<SymbolsHeader>() == 16);
const _: () = assert!(size_of::<SymbolEntry>() == 12);

/// A checked symbol table.
#[derive(Clone, Copy, Debug)]
pub struct Symbols<'a> {
    entries: &'a [SymbolEntry],
    names: &'a [u8],
}

/// A function that an address lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Symbol<'a> {
    /// Its name, readable for people; empty if the table has none in UTF-8.
    pub name: &'a str,
    /// How many bytes the address lies behind its first byte.
    pub offset: u64,
}

/// What can be wrong with a symbol table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolsError {
    /// Shorter than it says.
    Truncated,
    /// It does not start with the magic value.
    Magic,
    /// The entry of this index is empty, reaches behind the greatest region,
    /// overlaps or precedes the one before, or has its name before that one's or behind all names.
    Entry(usize),
}

impl SymbolsHeader {
    /// A header with the magic value filled in.
    #[must_use]
    pub const fn new(count: u32, names_size: u32) -> Self {
        Self { magic: MAGIC, count, names_size }
    }
}

impl<'a> Symbols<'a> {
    /// Checks `bytes`, the part's content. Bytes behind the table do not
    /// matter.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold; see [`SymbolsError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SymbolsError> {
        let truncated = SymbolsError::Truncated;
        let (header, rest) = SymbolsHeader::read_from_prefix(bytes).map_err(|_| truncated)?;
        if header.magic != MAGIC {
            return Err(SymbolsError::Magic);
        }
        let (entries, rest) =
            <[SymbolEntry]>::ref_from_prefix_with_elems(rest, header.count as usize)
                .map_err(|_| truncated)?;
        let names = rest.get(..header.names_size as usize).ok_or(truncated)?;
        check_entries(entries, header.names_size)?;
        Ok(Self { entries, names })
    }

    /// The function that has the byte at a virtual address, if one has.
    #[must_use]
    pub fn find(&self, address: u64) -> Option<Symbol<'a>> {
        let place = address.checked_sub(VIRTUAL_BASE)?;
        let behind = self.entries.partition_point(|entry| u64::from(entry.start) <= place);
        let index = behind.checked_sub(1)?;
        let entry = self.entries.get(index)?;
        let offset = place.checked_sub(entry.start.into())?;
        (offset < entry.size.into()).then(|| Symbol { name: self.name(index), offset })
    }

    /// Every function: virtual address, size and name, by address.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u32, &'a str)> + '_ {
        self.entries.iter().enumerate().map(|(index, entry)| {
            (VIRTUAL_BASE + u64::from(entry.start), entry.size, self.name(index))
        })
    }

    fn name(&self, index: usize) -> &'a str {
        let start = self.entries.get(index).map_or(0, |entry| entry.name as usize);
        let next = index.saturating_add(1);
        let end = self.entries.get(next).map_or(self.names.len(), |next| next.name as usize);
        self.names.get(start..end).and_then(|name| str::from_utf8(name).ok()).unwrap_or_default()
    }
}

fn check_entries(entries: &[SymbolEntry], names_size: u32) -> Result<(), SymbolsError> {
    let (mut free_from, mut named_to) = (0, 0);
    for (index, entry) in entries.iter().enumerate() {
        let wrong = SymbolsError::Entry(index);
        let in_order = entry.start >= free_from && entry.name >= named_to;
        if entry.size == 0 || !in_order || entry.name > names_size {
            return Err(wrong);
        }
        free_from = entry.start.checked_add(entry.size).ok_or(wrong)?;
        if u64::from(free_from) > MAX_REGION_SIZE {
            return Err(wrong);
        }
        named_to = entry.name;
    }
    Ok(())
}

impl fmt::Display for Symbol<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:#x}", self.name, self.offset)
    }
}

impl fmt::Display for SymbolsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("symbol table is truncated"),
            Self::Magic => f.write_str("symbol table has no magic value"),
            Self::Entry(index) => write!(f, "symbol table: entry {index} is malformed"),
        }
    }
}

impl core::error::Error for SymbolsError {}

#[cfg(test)]
mod tests;
