//! Reading a Linux bzImage: just enough to start it at its 64-bit entry.
//!
//! A bzImage is a boot sector and some *setup* code for real mode, in which the
//! setup header lies, followed by the *protected-mode part*, which decompresses
//! the kernel proper.
//!
//! Specification: Linux `Documentation/arch/x86/boot.rst`; field names are the
//! ones used there.

mod write;

use std::ops::Range;

use abi_boot::PAGE_SIZE;

pub use write::write;

/// Oldest boot protocol accepted: the first with a 64-bit entry.
const MIN_PROTOCOL: u16 = 0x020c;

/// Where the setup header starts, in the file as in `struct boot_params`.
pub const SETUP_HEADER_START: usize = 0x1f1;

/// Bytes of a sector, the unit of `setup_sects`.
const SECTOR: usize = 512;

/// Offset of the 64-bit entry in the protected-mode part.
pub const ENTRY_64_OFFSET: u64 = 0x200;

/// `xloadflags`: the kernel has a 64-bit entry.
const XLF_KERNEL_64: u16 = 1 << 0;

/// A bzImage that can be started at its 64-bit entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BzImage<'a> {
    /// The setup header, from [`SETUP_HEADER_START`] to where the file says it
    /// ends.
    pub setup_header: &'a [u8],
    /// What is loaded at [`load_address`](Self::load_address).
    pub protected_mode: &'a [u8],
    /// `pref_address`: where the kernel wants to lie; page-aligned, at least
    /// 1 MiB.
    pub load_address: u64,
    /// `init_size`: bytes of memory that it needs from there on; not less than
    /// the protected-mode part.
    pub memory_size: u64,
    /// `cmdline_size`: longest command line without terminating zero.
    pub max_command_line: u32,
    /// `initrd_addr_max`: highest address that the initial RAM disk may touch.
    pub max_initrd_address: u32,
}

/// Why a bzImage is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It ends before the setup header or the protected-mode part does.
    #[error("it is truncated: {0} bytes are needed")]
    Truncated(u64),
    /// No `HdrS` or boot flag where they must stand.
    #[error("it is not a bzImage: the setup header has no signature")]
    NotBzImage,
    /// Too old.
    #[error("boot protocol {}.{:02} is too old: 2.12 is needed", .0 >> 8, .0 & 0xff)]
    Protocol(u16),
    /// No 64-bit entry.
    #[error("xloadflags say that it has no 64-bit entry: use a 64-bit kernel")]
    No64BitEntry,
    /// It wants to lie at an odd place.
    #[error("pref_address {0:#x} is not a multiple of 4096 of at least 1 MiB")]
    LoadAddress(u64),
    /// It needs less memory than it has bytes, or more than there are addresses.
    #[error("init_size {0:#x} does not suit the protected-mode part, which has {1:#x} bytes")]
    MemorySize(u32, u64),
}

impl<'a> BzImage<'a> {
    /// Reads the setup header of `file`.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let header = Header { file };
        if header.u16(0x1fe)? != 0xaa55 || header.bytes(0x202..0x206)? != b"HdrS" {
            return Err(Error::NotBzImage);
        }
        let protocol = header.u16(0x206)?;
        if protocol < MIN_PROTOCOL {
            return Err(Error::Protocol(protocol));
        }
        if header.u16(0x236)? & XLF_KERNEL_64 == 0 {
            return Err(Error::No64BitEntry);
        }
        let load_address = header.u64(0x258)?;
        if !load_address.is_multiple_of(PAGE_SIZE) || load_address < 1 << 20 {
            return Err(Error::LoadAddress(load_address));
        }

        // Protocol 2.00 and later: the header ends where its first jump leads.
        let header_end = 0x202 + usize::from(header.u8(0x201)?);
        let setup_header = header.bytes(SETUP_HEADER_START..header_end)?;
        // For historical reasons, 0 means 4.
        let setup_sectors = match header.u8(SETUP_HEADER_START)? {
            0 => 4,
            count => usize::from(count),
        };
        let start = (setup_sectors + 1) * SECTOR;
        // Counted in paragraphs of 16 bytes. What follows in the file, such as
        // a signature for UEFI, is not loaded.
        let size = header.u32(0x1f4)? as usize * 16;
        let protected_mode = header.bytes(start..start + size)?;

        let init_size = header.u32(0x260)?;
        let memory_size = u64::from(init_size).next_multiple_of(PAGE_SIZE);
        let fits = load_address.checked_add(memory_size).is_some();
        if !fits || size == 0 || memory_size < size as u64 {
            return Err(Error::MemorySize(init_size, size as u64));
        }
        Ok(Self {
            setup_header,
            protected_mode,
            load_address,
            memory_size,
            max_command_line: header.u32(0x238)?,
            max_initrd_address: header.u32(0x22c)?,
        })
    }
}

/// Reads fields by their offsets in the file.
struct Header<'a> {
    file: &'a [u8],
}

impl<'a> Header<'a> {
    fn bytes(&self, range: Range<usize>) -> Result<&'a [u8], Error> {
        let needed = range.end as u64;
        self.file.get(range).ok_or(Error::Truncated(needed))
    }

    fn array<const N: usize>(&self, offset: usize) -> Result<[u8; N], Error> {
        let needed = Error::Truncated((offset + N) as u64);
        self.file.get(offset..).and_then(<[u8]>::first_chunk).copied().ok_or(needed)
    }

    fn u8(&self, offset: usize) -> Result<u8, Error> {
        self.array::<1>(offset).map(u8::from_le_bytes)
    }

    fn u16(&self, offset: usize) -> Result<u16, Error> {
        self.array(offset).map(u16::from_le_bytes)
    }

    fn u32(&self, offset: usize) -> Result<u32, Error> {
        self.array(offset).map(u32::from_le_bytes)
    }

    fn u64(&self, offset: usize) -> Result<u64, Error> {
        self.array(offset).map(u64::from_le_bytes)
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
