//! How the guest is entered.
//!
//! The builder places the guest's kernel and everything that it is entered
//! with at their final addresses ([`BootBlock::guest_parts`]). This record tells
//! the module what the first virtual processor of the guest starts with, and
//! which of the pages are left for the module to fill in. It is a part of the
//! module's region, measured like all of the image; its layout changes with the
//! boot block's version.
//!
//! The first instruction runs in 64-bit mode with flat segments (code selector
//! 0x10, data 0x18), interrupts off, and all registers zero but those named
//! here, as Linux's 64-bit boot protocol demands.
//!
//! [`BootBlock::guest_parts`]: crate::BootBlock::guest_parts

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::region::PAGE_SIZE;

/// How the guest is entered. Addresses are guest physical.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct GuestStart {
    /// RIP: the kernel's 64-bit entry.
    pub instruction: u64,
    /// RSI: `struct boot_params`, one page. The module fills its memory map in.
    pub boot_parameters: u64,
    /// CR3: the top-level page table, without C-bit, which the module adds as
    /// for its own. The tables' entries have it. They map physical addresses
    /// one to one, as far as the guest's kernel needs before it has its own.
    pub page_table_root: u64,
    /// GDTR: base of the descriptor table.
    pub descriptor_table: u64,
    /// GDTR: limit of the descriptor table.
    pub descriptor_table_limit: u32,
    /// Bytes of the MADT.
    pub madt_size: u32,
    /// The ACPI table of processors, which has all that the image can have,
    /// enabled. The module disables those that are not there.
    pub madt: u64,
    /// A page of zeros for the guest's secrets page.
    pub secrets: u64,
    /// A page of zeros for the guest's CPUID page.
    pub cpuid: u64,
    /// A page of zeros for the calling area of the guest's first virtual
    /// processor.
    pub calling_area: u64,
    /// A page of zeros for the save area of the guest's first virtual processor,
    /// not at a multiple of 2 MiB.
    pub save_area: u64,
    /// First address of the memory that the guest's kernel uses before it looks
    /// at its memory map. The image requires that memory of the loader, so it is
    /// there even if the loader's memory map leaves it out.
    pub kernel_memory: u64,
    /// Bytes of that memory, whole pages.
    pub kernel_memory_size: u64,
}

const _: () = assert!(size_of::<GuestStart>() == 96);

/// What can be wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestStartError {
    /// Shorter than a record.
    Truncated,
    /// The page at this address is not page-aligned.
    Unaligned(u64),
    /// The MADT wraps around the end of the address space: address and bytes.
    Madt(u64, u32),
    /// The kernel's memory is not whole pages, or wraps: address and bytes.
    KernelMemory(u64, u64),
    /// The descriptor table's limit has more than 16 bits.
    DescriptorTable(u32),
}

impl GuestStart {
    /// Reads the part's content. Bytes behind the record do not matter.
    ///
    /// Whether the pages are the guest's, only the boot block can tell.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold; see [`GuestStartError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, GuestStartError> {
        let (start, _) = Self::read_from_prefix(bytes).map_err(|_| GuestStartError::Truncated)?;
        let pages = [
            start.boot_parameters,
            start.page_table_root,
            start.secrets,
            start.cpuid,
            start.calling_area,
            start.save_area,
        ];
        if let Some(page) = pages.into_iter().find(|page| !page.is_multiple_of(PAGE_SIZE)) {
            return Err(GuestStartError::Unaligned(page));
        }
        if start.madt.checked_add(start.madt_size.into()).is_none() {
            return Err(GuestStartError::Madt(start.madt, start.madt_size));
        }
        let (memory, size) = (start.kernel_memory, start.kernel_memory_size);
        let whole = memory.is_multiple_of(PAGE_SIZE) && size.is_multiple_of(PAGE_SIZE);
        if !whole || memory.checked_add(size).is_none() {
            return Err(GuestStartError::KernelMemory(memory, size));
        }
        if start.descriptor_table_limit > u16::MAX.into() {
            return Err(GuestStartError::DescriptorTable(start.descriptor_table_limit));
        }
        Ok(start)
    }
}

impl fmt::Display for GuestStartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("guest start is truncated"),
            Self::Unaligned(page) => write!(f, "guest start: page {page:#x} is not aligned"),
            Self::Madt(madt, size) => {
                write!(f, "guest start: a MADT of {size:#x} bytes cannot lie at {madt:#x}")
            }
            Self::KernelMemory(memory, size) => {
                write!(f, "guest start: the kernel cannot have {size:#x} bytes at {memory:#x}")
            }
            Self::DescriptorTable(limit) => {
                write!(f, "guest start: {limit:#x} is too high a limit of a descriptor table")
            }
        }
    }
}

impl core::error::Error for GuestStartError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    fn start() -> GuestStart {
        GuestStart {
            instruction: 0x100_0200,
            boot_parameters: 0x1_3000,
            page_table_root: 0x1_4000,
            descriptor_table: 0x1_0080,
            descriptor_table_limit: 31,
            madt_size: 0x80,
            madt: 0xe_0040,
            secrets: 0x1_2000,
            cpuid: 0x1_1000,
            calling_area: 0xf000,
            save_area: 0xe000,
            kernel_memory: 0x100_0000,
            kernel_memory_size: 0x40_0000,
        }
    }

    #[test]
    fn records_come_back() {
        let mut bytes = [0xff; 4096];
        bytes[..96].copy_from_slice(start().as_bytes());
        assert_eq!(GuestStart::parse(&bytes), Ok(start()));
        assert_eq!(GuestStart::parse(&bytes[..95]), Err(GuestStartError::Truncated));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refusal = |change: &dyn Fn(&mut GuestStart)| {
            let mut start = start();
            change(&mut start);
            GuestStart::parse(start.as_bytes()).unwrap_err()
        };
        let pages: [fn(&mut GuestStart) -> &mut u64; 6] = [
            |start| &mut start.boot_parameters,
            |start| &mut start.page_table_root,
            |start| &mut start.secrets,
            |start| &mut start.cpuid,
            |start| &mut start.calling_area,
            |start| &mut start.save_area,
        ];
        for page in pages {
            let error = refusal(&|start| *page(start) = 0x1_2340);
            assert_eq!(error, GuestStartError::Unaligned(0x1_2340));
            assert!(error.to_string().contains("0x12340"));
        }
        assert_eq!(refusal(&|start| start.madt = u64::MAX), GuestStartError::Madt(u64::MAX, 0x80));
        for (memory, size) in [(1, 0x1000), (0x1000, 1), (0_u64.wrapping_sub(0x1000), 0x1000)] {
            let error = refusal(&|start| {
                (start.kernel_memory, start.kernel_memory_size) = (memory, size);
            });
            assert_eq!(error, GuestStartError::KernelMemory(memory, size));
        }
        let limit = 0x1_0000;
        assert_eq!(
            refusal(&|start| start.descriptor_table_limit = limit),
            GuestStartError::DescriptorTable(limit)
        );
    }
}
