//! What the kernel's ELF file says to the builder, and what its early code
//! needs of the boot block.

use crate::block::Header;

/// Owner name of the ELF notes that the kernel binary carries for the builder.
pub const NOTE_OWNER: &[u8] = b"SVSM";

/// Type of the note whose 8-byte descriptor is the *virtual* address of the
/// kernel's 32-bit PVH entry.
///
/// The builder turns it into a physical address, maps the one page that holds
/// it also at its physical address (present, executable, read-only), and names
/// it as the image's PVH entry. The code runs with paging off, finds the
/// region's base from its own address, reads [`page_table_root`](Header::page_table_root) and
/// [`stack_top`](Header::stack_top) at [`PAGE_TABLE_ROOT_OFFSET`] and
/// [`STACK_TOP_OFFSET`] of the boot block, enters long mode and goes on at the
/// 64-bit entry with the state described above.
pub const NOTE_PVH_ENTRY: u32 = 1;

/// Offset of [`page_table_root`](Header::page_table_root) in the boot block.
pub const PAGE_TABLE_ROOT_OFFSET: usize = core::mem::offset_of!(Header, page_table_root);

/// Offset of [`stack_top`](Header::stack_top) in the boot block.
pub const STACK_TOP_OFFSET: usize = core::mem::offset_of!(Header, stack_top);
