//! What a layout consists of, whoever made it.
//!
//! The layouts ([`super::module`], [`super::linux`]) produce a [`Layout`]; the
//! writers of IGVM and ELF files turn it into files and know nothing of how it
//! came about.

use std::fmt;
use std::sync::Arc;

use abi_boot::{Access, PartKind};

/// End of the guest memory below 4 GiB that an image may rely on: 2 GiB.
///
/// Virtual machine monitors leave a hole for devices below 4 GiB and choose its
/// start by machine type and memory size; QEMU's q35, the lowest known, starts
/// it at 2 GiB. Memory of at least this size is contiguous up to here.
pub const LOW_MEMORY_END: u64 = 2 << 30;

/// What a part is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// The boot block (`abi_boot`).
    BootBlock,
    /// A segment of the module's kernel.
    Kernel,
    /// The stack that the kernel starts on.
    BootStack,
    /// Initial page tables, top level first.
    PageTables,
    /// SNP secrets page, filled by the platform's firmware.
    Secrets,
    /// SNP CPUID page; the content is a list of leaves that are asked for.
    Cpuid,
    /// Filled by the loader: IGVM memory map.
    MemoryMap,
    /// Filled by the loader: number of virtual processors.
    VpCount,
    /// Filled by the loader: ACPI MADT.
    Madt,
    /// Filled by the loader: flattened device tree.
    DeviceTree,
    /// ELF file of a service.
    Service,
    /// Guest payload: Linux kernel.
    GuestKernel,
    /// Guest payload: initial RAM disk.
    GuestInitrd,
    /// Guest payload: kernel command line.
    GuestCommandLine,
    /// Names of the kernel's functions.
    Symbols,
    /// Options for the module's kernel.
    KernelOptions,
    /// How the guest is entered (`abi_boot::GuestStart`).
    GuestStart,
    /// Page tables that the guest is entered with, top level first.
    GuestPageTables,
    /// A page of zeros that the module fills in for the guest.
    GuestReserved,
    /// Linux `struct boot_params`.
    BootParameters,
    /// Linux SNP: descriptor table, `setup_data` node and confidential
    /// computing blob.
    PlatformData,
    /// ACPI tables of a machine that is described with the image.
    AcpiTables,
    /// Zeroed memory that the guest may use from its first instruction on.
    FreeMemory,
}

impl Purpose {
    /// What the boot block calls it, if boot blocks describe such parts.
    #[must_use]
    pub fn boot_block_kind(self) -> Option<PartKind> {
        Some(match self {
            Self::BootBlock => PartKind::BOOT_BLOCK,
            Self::Kernel => PartKind::KERNEL,
            Self::BootStack => PartKind::BOOT_STACK,
            Self::PageTables => PartKind::PAGE_TABLES,
            Self::Secrets => PartKind::SECRETS,
            Self::Cpuid => PartKind::CPUID,
            Self::MemoryMap => PartKind::MEMORY_MAP,
            Self::VpCount => PartKind::VP_COUNT,
            Self::Madt => PartKind::MADT,
            Self::DeviceTree => PartKind::DEVICE_TREE,
            Self::Service => PartKind::SERVICE,
            Self::GuestKernel => PartKind::GUEST_KERNEL,
            Self::GuestInitrd => PartKind::GUEST_INITRD,
            Self::GuestCommandLine => PartKind::GUEST_COMMAND_LINE,
            Self::Symbols => PartKind::SYMBOLS,
            Self::KernelOptions => PartKind::KERNEL_OPTIONS,
            Self::GuestStart => PartKind::GUEST_START,
            Self::GuestPageTables => PartKind::GUEST_PAGE_TABLES,
            Self::GuestReserved => PartKind::GUEST_RESERVED,
            Self::BootParameters => PartKind::GUEST_BOOT_PARAMETERS,
            Self::PlatformData => PartKind::GUEST_PLATFORM_DATA,
            Self::AcpiTables => PartKind::GUEST_ACPI_TABLES,
            Self::FreeMemory => return None,
        })
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.boot_block_kind() {
            Some(kind) => kind.fmt(f),
            None => f.pad("free memory"),
        }
    }
}

/// Something at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub purpose: Purpose,
    /// Which one, where there can be several; else empty.
    pub name: String,
    /// Guest physical address of the first byte, page-aligned.
    pub gpa: u64,
    /// Bytes of memory it takes, a multiple of the page size, not 0.
    pub size: u64,
    /// How the initial page tables map it; empty if they do not.
    pub access: Access,
    /// What it starts with; the rest of `size` is zero. At most `size` bytes.
    pub content: Arc<[u8]>,
}

impl Part {
    /// First address behind the part.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.gpa.saturating_add(self.size)
    }
}

/// State of the first virtual processor at its first instruction: 64-bit mode,
/// paging on, flat segments, interrupts off, all other registers zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// RIP.
    pub instruction: u64,
    /// RSP.
    pub stack: u64,
    /// First argument, in RDI.
    pub rdi: u64,
    /// Second argument, in RSI.
    pub rsi: u64,
    /// Physical address of the top-level page table, without C-bit.
    pub page_table_root: u64,
    /// The bit that marks private pages, as a mask; 0 for none.
    pub c_bit_mask: u64,
    /// Where the global descriptor table lies: address and limit. Zero where
    /// the entered code brings its own.
    pub descriptor_table: (u64, u16),
}

/// Everything in memory, and where to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What was placed, sorted by address, without overlap.
    pub parts: Vec<Part>,
    /// Memory that must exist, whether something was placed there or not, in
    /// bytes: start and size of each range, page-aligned.
    pub required_memory: Vec<(u64, u64)>,
    /// The first virtual processor.
    pub start: Start,
    /// Physical address of the 32-bit PVH entry, if there is one.
    pub pvh_entry: Option<u64>,
}

/// Why parts cannot lie as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{second} at {second_gpa:#x} overlaps {first}, which ends at {first_end:#x}")]
pub struct Overlap {
    /// The part with the lower address, in words.
    pub first: String,
    /// First address behind it.
    pub first_end: u64,
    /// The part with the higher address, in words.
    pub second: String,
    /// Its address.
    pub second_gpa: u64,
}

/// Sorts parts by address and checks that none overlaps another.
///
/// # Errors
///
/// [`Overlap`] names the first pair.
pub fn sort(parts: &mut [Part]) -> Result<(), Overlap> {
    parts.sort_by_key(|part| part.gpa);
    let words = |part: &Part| format!("{} {}", part.purpose, part.name).trim_end().to_owned();
    for (first, second) in parts.iter().zip(parts.iter().skip(1)) {
        if first.end() > second.gpa {
            return Err(Overlap {
                first: words(first),
                first_end: first.end(),
                second: words(second),
                second_gpa: second.gpa,
            });
        }
    }
    Ok(())
}
