//! The fixed header: where the sections lie.
//!
//! [`IGVM_FIXED_HEADER`] in format version 1, [`IGVM_FIXED_HEADER_V2`] in
//! version 2. The first 24 bytes are the same in both.

use std::ops::Range;

use igvm::{Arch, IgvmRevision};
use igvm_defs::{
    IGVM_FIXED_HEADER, IGVM_FIXED_HEADER_V2, IGVM_FORMAT_VERSION_1, IGVM_FORMAT_VERSION_2,
    IGVM_MAGIC_VALUE, IgvmArchitecture, PAGE_SIZE_4K,
};
use zerocopy::FromBytes;

use super::error::Error;

/// Largest file that is read, in bytes. The format counts with 32 bits; the
/// rest leaves room for the rebuilt copy.
pub const MAX_FILE_SIZE: u64 = u32::MAX as u64 - 8;

/// Byte offsets of the fields that [`FixedHeader::rebuild`] changes.
const VARIABLE_HEADER_SIZE: Range<usize> = 12..16;
const TOTAL_FILE_SIZE: Range<usize> = 16..20;
const CHECKSUM: Range<usize> = 20..24;

/// A fixed header that fits its file.
#[derive(Debug)]
pub(super) struct FixedHeader {
    revision: IgvmRevision,
    /// Bytes of the fixed header itself.
    size: usize,
    /// Where the variable headers lie in the file.
    headers: Range<usize>,
}

impl FixedHeader {
    /// Checks sizes, offsets and checksum of the file `bytes`.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let actual = bytes.len() as u64;
        if actual > MAX_FILE_SIZE {
            return Err(Error::TooLarge { size: actual, max: MAX_FILE_SIZE });
        }
        let short = |needed: usize| Error::NoFixedHeader { size: actual, needed: needed as u64 };
        let size = size_of::<IGVM_FIXED_HEADER>();
        let (fixed, _) = IGVM_FIXED_HEADER::read_from_prefix(bytes).map_err(|_| short(size))?;
        if fixed.magic != IGVM_MAGIC_VALUE {
            return Err(Error::Magic { found: fixed.magic });
        }
        let (revision, size) = match fixed.format_version {
            IGVM_FORMAT_VERSION_1 => (IgvmRevision::V1, size),
            IGVM_FORMAT_VERSION_2 => {
                let size = size_of::<IGVM_FIXED_HEADER_V2>();
                let (second, _) =
                    IGVM_FIXED_HEADER_V2::read_from_prefix(bytes).map_err(|_| short(size))?;
                (second_revision(&second)?, size)
            }
            found => return Err(Error::Version { found }),
        };
        if u64::from(fixed.total_file_size) != actual {
            return Err(Error::FileSize { stated: fixed.total_file_size, actual });
        }
        let headers = header_section(&fixed, size, bytes.len())?;
        let computed = checksum(bytes, size, &headers);
        if computed != fixed.checksum {
            return Err(Error::Checksum { stated: fixed.checksum, computed });
        }
        Ok(Self { revision, size, headers })
    }

    pub(super) fn revision(&self) -> IgvmRevision {
        self.revision
    }

    /// Where the variable headers lie in the file.
    pub(super) fn headers(&self) -> Range<usize> {
        self.headers.clone()
    }

    /// Offset of the data section in the file.
    pub(super) fn data_start(&self) -> usize {
        self.headers.end
    }

    /// The file once more with the headers at `kept` only, and a data section
    /// that is not empty (the `igvm` crate refuses files without data).
    ///
    /// Offsets of file data are relative to the file's start, so the data keeps
    /// its place: zeros fill the gap that left-out headers leave. `kept` holds
    /// ranges of the header section, in order.
    pub(super) fn rebuild(&self, bytes: &[u8], kept: &[Range<usize>]) -> Vec<u8> {
        let mut file = Vec::with_capacity(bytes.len() + 8);
        file.extend_from_slice(bytes.get(..self.headers.start).unwrap_or_default());
        for range in kept {
            file.extend_from_slice(bytes.get(range.clone()).unwrap_or_default());
        }
        let headers = self.headers.start..file.len();
        file.resize(self.headers.end, 0);
        file.extend_from_slice(bytes.get(self.headers.end..).unwrap_or_default());
        file.extend_from_slice(&[0; 8]);
        set(&mut file, VARIABLE_HEADER_SIZE, headers.len() as u32);
        let total = file.len() as u32;
        set(&mut file, TOTAL_FILE_SIZE, total);
        let checksum = checksum(&file, self.size, &headers);
        set(&mut file, CHECKSUM, checksum);
        file
    }
}

fn second_revision(fixed: &IGVM_FIXED_HEADER_V2) -> Result<IgvmRevision, Error> {
    let arch = match fixed.architecture {
        IgvmArchitecture::X64 => Arch::X64,
        IgvmArchitecture::AARCH64 => Arch::AArch64,
        other => return Err(Error::Architecture { found: other.0 }),
    };
    if u64::from(fixed.page_size) != PAGE_SIZE_4K {
        return Err(Error::PageSize { found: fixed.page_size });
    }
    Ok(IgvmRevision::V2 { arch, page_size: fixed.page_size })
}

fn header_section(
    fixed: &IGVM_FIXED_HEADER,
    fixed_size: usize,
    file_size: usize,
) -> Result<Range<usize>, Error> {
    let (offset, size) = (fixed.variable_header_offset, fixed.variable_header_size);
    let start = offset as usize;
    let end = start.checked_add(size as usize);
    match end {
        Some(end) if start >= fixed_size && start.is_multiple_of(8) && end <= file_size => {
            Ok(start..end)
        }
        _ => Err(Error::HeaderSection { offset, size }),
    }
}

/// CRC-32 of fixed header (its checksum taken as zero) and variable headers.
fn checksum(bytes: &[u8], fixed_size: usize, headers: &Range<usize>) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(bytes.get(..CHECKSUM.start).unwrap_or_default());
    crc.update(&[0; 4]);
    crc.update(bytes.get(CHECKSUM.end..fixed_size).unwrap_or_default());
    crc.update(bytes.get(headers.clone()).unwrap_or_default());
    crc.finalize()
}

fn set(file: &mut [u8], field: Range<usize>, value: u32) {
    if let Some(field) = file.get_mut(field) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}
