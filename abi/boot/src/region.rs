//! The region's place in the address space.

/// Virtual address of the first byte of the module's region.
pub const VIRTUAL_BASE: u64 = 0xffff_ffff_8000_0000;

/// Largest region that fits between [`VIRTUAL_BASE`] and the end of the
/// address space, in bytes: 1 GiB (one page-directory-pointer entry, so that
/// four page-table levels are enough and the last GiB stays free).
pub const MAX_REGION_SIZE: u64 = 1 << 30;

/// Bytes in a page, the unit of everything that is placed.
pub const PAGE_SIZE: u64 = 4096;
