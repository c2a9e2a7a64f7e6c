//! The start information itself, and the modules it lists.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::memory_map::MemoryRange;

/// `XEN_HVM_START_MAGIC_VALUE`.
const MAGIC: u32 = 0x336e_c578;

/// The first version with a memory map. Later ones only add fields.
const VERSION: u32 = 1;

/// Most modules and memory ranges that are accepted, each: far more than any
/// loader has, so that a count is known to be sane before it is used.
const MAX_ENTRIES: u32 = 4096;

/// `struct hvm_start_info`, version 1. An address of 0 means that there is
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct StartInfo {
    magic: u32,
    version: u32,
    /// Flags of Xen; other loaders leave them 0.
    pub flags: u32,
    module_count: u32,
    modules: u64,
    /// Physical address of the command line, ASCII with a terminating zero.
    pub command_line: u64,
    /// Physical address of ACPI's root pointer.
    pub rsdp: u64,
    memory_map: u64,
    memory_range_count: u32,
    _reserved: u32,
}

/// A file that the loader placed in memory: `struct hvm_modlist_entry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Module {
    /// Physical address of the first byte.
    pub address: u64,
    /// Size in bytes.
    pub size: u64,
    /// Physical address of the module's command line, ASCII with a terminating
    /// zero; 0 if it has none.
    pub command_line: u64,
    _reserved: u64,
}

const _: () = assert!(size_of::<StartInfo>() == 56);
const _: () = assert!(core::mem::offset_of!(StartInfo, memory_map) == 40);
const _: () = assert!(size_of::<Module>() == 32);

/// Where an array of fixed-size entries lies in physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array {
    /// Physical address of the first entry.
    pub address: u64,
    /// Bytes of all entries.
    pub size: usize,
}

/// What can be wrong with start information.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the structure or array has.
    #[error("start information is truncated")]
    Truncated,
    /// It does not start with the magic value.
    #[error("start information has no magic value: found {0:#x}, expected {MAGIC:#x}")]
    Magic(u32),
    /// Older than the first version that has a memory map.
    #[error("start information has version {0}, at least {VERSION} is needed for a memory map")]
    Version(u32),
    /// The loader gave no memory map.
    #[error("start information has no memory map")]
    NoMemoryMap,
    /// More modules or memory ranges than any loader has.
    #[error("start information lists {0} entries, at most {MAX_ENTRIES} are accepted")]
    TooMany(u32),
}

impl StartInfo {
    /// Bytes to read at the address that the loader gave.
    pub const SIZE: usize = size_of::<Self>();

    /// Checks `bytes`, which begin with start information.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold; see [`Error`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (info, _) = Self::read_from_prefix(bytes).map_err(|_| Error::Truncated)?;
        if info.magic != MAGIC {
            return Err(Error::Magic(info.magic));
        }
        if info.version < VERSION {
            return Err(Error::Version(info.version));
        }
        if info.memory_map == 0 || info.memory_range_count == 0 {
            return Err(Error::NoMemoryMap);
        }
        let most = info.memory_range_count.max(info.module_count);
        if most > MAX_ENTRIES {
            return Err(Error::TooMany(most));
        }
        Ok(info)
    }

    /// Where the memory map lies: entries of type [`MemoryRange`].
    #[must_use]
    pub fn memory_map(&self) -> Array {
        let size = self.memory_range_count as usize * size_of::<MemoryRange>();
        Array { address: self.memory_map, size }
    }

    /// Where the list of modules lies, entries of type [`Module`]; `None` if
    /// there are none.
    #[must_use]
    pub fn modules(&self) -> Option<Array> {
        if self.modules == 0 || self.module_count == 0 {
            return None;
        }
        let size = self.module_count as usize * size_of::<Module>();
        Some(Array { address: self.modules, size })
    }
}

/// The entries of an [`Array`], from the bytes found there.
///
/// # Errors
///
/// [`Error::Truncated`] if `bytes` end inside an entry.
pub fn entries<T: FromBytes>(bytes: &[u8]) -> Result<impl Iterator<Item = T>, Error> {
    let chunks = bytes.chunks_exact(size_of::<T>());
    if !chunks.remainder().is_empty() {
        return Err(Error::Truncated);
    }
    // Each chunk has the size of an entry, so none is left out.
    Ok(chunks.filter_map(|chunk| T::read_from_bytes(chunk).ok()))
}

#[cfg(test)]
mod tests;
