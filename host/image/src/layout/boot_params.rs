//! What Linux finds in memory when it is entered: `struct boot_params` and, for
//! SNP, what leads it to the secrets and CPUID pages.
//!
//! Specification: Linux `Documentation/arch/x86/boot.rst` and `zero-page.rst`;
//! for the confidential computing blob `arch/x86/include/asm/sev.h`
//! (`struct cc_blob_sev_info`) and the UEFI table of the same content.

use abi_boot::PAGE_SIZE;
use abi_x86::{SegmentAttributes, SegmentDescriptor};

use crate::bzimage::SETUP_HEADER_START;

/// Where the pieces of the platform data page lie in it.
const BLOB_OFFSET: usize = 0x00;
const SETUP_DATA_OFFSET: usize = 0x40;
const DESCRIPTORS_OFFSET: usize = 0x80;

/// `setup_data` type of the confidential computing blob's address.
const SETUP_CC_BLOB: u32 = 7;

/// What `struct boot_params` is to say.
#[derive(Clone, Copy, Debug)]
pub struct BootParams<'a> {
    /// The kernel's setup header, copied.
    pub setup_header: &'a [u8],
    /// Where the protected-mode part lies.
    pub kernel: u32,
    /// Where the initial RAM disk lies: address and bytes, 0 for none.
    pub initrd: (u32, u32),
    /// Where the command line lies, with its terminating zero.
    pub command_line: u32,
    /// The platform data page.
    pub platform_data: u64,
    /// Physical address of the ACPI root pointer; 0 if there is none.
    pub rsdp: u64,
}

/// Writes `struct boot_params` but for the memory map, which is left empty:
/// [`direct_boot::write_memory_map`] fills it in.
#[must_use]
pub fn boot_params(params: &BootParams<'_>) -> [u8; 4096] {
    let mut page = Page { bytes: [0; 4096] };
    // The caller's kernel decides how long its header is; the format's space
    // for it ends where the next field starts.
    let header_end = params.setup_header.len().min(0x290 - SETUP_HEADER_START);
    page.put(SETUP_HEADER_START, params.setup_header.get(..header_end).unwrap_or_default());

    page.put(0x070, &params.rsdp.to_le_bytes());
    // vid_mode: normal.
    page.put(0x1fa, &0xffff_u16.to_le_bytes());
    // type_of_loader: one without a number of its own.
    page.put(0x210, &[0xff]);
    // loadflags: the protected-mode part lies high. Clears the other flags,
    // among them the one for a heap, which real mode would need.
    page.put(0x211, &[1]);
    page.put(0x214, &params.kernel.to_le_bytes());
    page.put(0x218, &params.initrd.0.to_le_bytes());
    page.put(0x21c, &params.initrd.1.to_le_bytes());
    page.put(0x228, &params.command_line.to_le_bytes());
    let setup_data = params.platform_data + SETUP_DATA_OFFSET as u64;
    page.put(0x250, &setup_data.to_le_bytes());
    page.bytes
}

/// Writes the platform data page that is to lie at `address` (below 4 GiB): the
/// blob that names the secrets and CPUID pages, the `setup_data` node that
/// names the blob, and the descriptor table that the boot protocol demands.
#[must_use]
pub fn platform_data(address: u32, secrets: u64, cpuid: u64) -> [u8; 4096] {
    let mut page = Page { bytes: [0; 4096] };
    let page_size = PAGE_SIZE as u32;

    page.put(BLOB_OFFSET, b"AMDE");
    page.put(BLOB_OFFSET + 0x04, &1_u16.to_le_bytes());
    page.put(BLOB_OFFSET + 0x08, &secrets.to_le_bytes());
    page.put(BLOB_OFFSET + 0x10, &page_size.to_le_bytes());
    page.put(BLOB_OFFSET + 0x18, &cpuid.to_le_bytes());
    page.put(BLOB_OFFSET + 0x20, &page_size.to_le_bytes());

    // The first 8 bytes, the address of the next node, stay 0.
    page.put(SETUP_DATA_OFFSET + 0x08, &SETUP_CC_BLOB.to_le_bytes());
    page.put(SETUP_DATA_OFFSET + 0x0c, &(size_of::<u32>() as u32).to_le_bytes());
    page.put(SETUP_DATA_OFFSET + 0x10, &(address + BLOB_OFFSET as u32).to_le_bytes());

    for (index, descriptor) in descriptors().into_iter().enumerate() {
        page.put(DESCRIPTORS_OFFSET + index * 8, &descriptor.bits().to_le_bytes());
    }
    page.bytes
}

/// Address and limit of the descriptor table in the platform data page that
/// lies at `address`.
#[must_use]
pub fn descriptor_table(address: u64) -> (u64, u16) {
    let limit = size_of_val(&descriptors()) - 1;
    (address + DESCRIPTORS_OFFSET as u64, limit as u16)
}

/// `__BOOT_CS` is selector 0x10, `__BOOT_DS` is 0x18.
fn descriptors() -> [SegmentDescriptor; 4] {
    [
        SegmentDescriptor::NULL,
        SegmentDescriptor::NULL,
        SegmentDescriptor::flat(SegmentAttributes::CODE_64),
        SegmentDescriptor::flat(SegmentAttributes::DATA),
    ]
}

/// Zeroed bytes that fields are put into.
struct Page {
    bytes: [u8; 4096],
}

impl Page {
    /// Offsets are constants of the formats, all inside the page.
    fn put(&mut self, offset: usize, value: &[u8]) {
        self.bytes[offset..offset + value.len()].copy_from_slice(value);
    }
}

#[cfg(test)]
mod tests;
