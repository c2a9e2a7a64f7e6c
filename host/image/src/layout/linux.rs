//! Layout of an image that boots Linux at VMPL0, without a module.
//!
//! | address | what | told to Linux as |
//! |---|---|---|
//! | 0 | free memory | usable |
//! | 0x1_0000 | platform data, CPUID page, secrets page | reserved |
//! | 0x1_3000 | `struct boot_params` | usable |
//! | 0x1_4000 | page tables: identity, 2 MiB pages, all access | usable |
//! | 0x2_0000 | command line | usable |
//! | 0xa_0000 | nothing | not at all |
//! | 0xe_0000 | ACPI tables, root pointer first, unless the manifest gives `rsdp` | ACPI tables |
//! | 0xc_0000 to 0xf_ffff around them | zero pages, unless the manifest gives `rsdp` | not at all |
//! | 0x10_0000 | free memory up to `memory_size` | usable |
//! | `pref_address` | the kernel's protected-mode part | usable |
//! | 2 MiB boundary behind its `init_size` | initial RAM disk | usable |
//!
//! # Memory that is not content
//!
//! Linux uses all usable memory without validating it first, unless UEFI gives
//! it a list of unaccepted memory. IGVM's *required memory* does not validate
//! either. So every page of memory is in the image as [`Purpose::FreeMemory`]:
//! as zero pages, of 2 MiB where alignment allows it. That costs 32 bytes of
//! file for each 2 MiB; but firmware measures page by page, so launch time
//! grows with `memory_size`. A loader that ignores the 2 MiB flag (Cloud
//! Hypervisor) leaves Linux without most of its memory.
//!
//! # ACPI tables
//!
//! They tell Linux of its processors, interrupt controllers, timers and PCI,
//! and how to switch off. They come with the image, as [`platform_tables`] makes
//! them, or, where the manifest gives `rsdp`, from the platform.
//!
//! Own tables lie at the start of the legacy BIOS area. The rest of it, and the
//! area of expansion ROMs below, is filled with zero pages: kernels differ in
//! what they look for there (without UEFI, 6.1 to 7.2 at least for an iSCSI boot
//! table), and all of them would stop at a page that is not private.
//!
//! Specification: Linux `Documentation/arch/x86/boot.rst`, section "64-bit Boot
//! Protocol", and `arch/x86/boot/startup/sev-shared.c` for what SNP adds.

use std::num::NonZeroU8;
use std::sync::Arc;

use abi_boot::{Access, PAGE_SIZE};
use abi_x86::SIZE_2M;

use super::boot_params::{
    BootParams, MemoryKind, MemoryRange, boot_params, descriptor_table, platform_data,
};
use super::part::{LOW_MEMORY_END, Layout, Overlap, Part, Purpose, Start, sort};
use crate::bzimage::{BzImage, ENTRY_64_OFFSET};
use crate::page_tables::{self, Leaves, Mapping, PageTables};

const PLATFORM_DATA: u32 = 0x1_0000;
const CPUID: u64 = 0x1_1000;
const SECRETS: u64 = 0x1_2000;
const BOOT_PARAMS: u64 = 0x1_3000;
const PAGE_TABLES: u64 = 0x1_4000;
const COMMAND_LINE: u32 = 0x2_0000;

/// End of the memory below the legacy video and BIOS areas.
const CONVENTIONAL_END: u64 = 0xa_0000;
/// Expansion ROMs and BIOS of a PC: start and size.
const ROM_AREA: (u64, u64) = (0xc_0000, 0x4_0000);
/// Where tables of a BIOS begin.
const BIOS_TABLES: u64 = 0xe_0000;
/// Where memory goes on.
const EXTENDED: u64 = 0x10_0000;

/// What a bare Linux image is made of.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// The kernel.
    pub kernel: &'a BzImage<'a>,
    /// Initial RAM disk, if any.
    pub initrd: Option<Arc<[u8]>>,
    /// The kernel's arguments, without zero bytes.
    pub command_line: &'a str,
    /// Bytes of memory from address 0 on: a multiple of 2 MiB, at most 2 GiB.
    pub memory_size: u64,
    /// Where Linux learns of the machine.
    pub acpi: Acpi,
    /// The bit that marks private pages, as a mask, above bit 31.
    pub c_bit_mask: u64,
    /// The CPUID page.
    pub cpuid: Arc<[u8]>,
}

/// Whose ACPI tables Linux reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acpi {
    /// Those in the image, which are measured with it.
    Image {
        /// Processors, with the APIC ids from 0 on.
        processors: NonZeroU8,
    },
    /// Those that the platform provides.
    Platform {
        /// Physical address of the root pointer.
        rsdp: u64,
    },
}

/// Why there is no layout. Messages name the manifest's key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something needs more memory than there is.
    #[error(
        "linux.memory_size is {memory_size:#x}, but {what} needs memory up to {end:#x}: enlarge it \
         (2 GiB is the most)"
    )]
    MemoryTooSmall {
        /// What does not fit.
        what: &'static str,
        /// Where it would end.
        end: u64,
        /// The memory there is.
        memory_size: u64,
    },
    /// Not a multiple of 2 MiB, or above 2 GiB.
    #[error("linux.memory_size {0:#x} must be a multiple of 2 MiB, at most 2 GiB")]
    MemorySize(u64),
    /// The kernel cannot reach the initial RAM disk.
    #[error("linux.initrd would end at {end:#x}, but the kernel allows no more than {limit:#x}")]
    InitrdTooHigh {
        /// Where it would end.
        end: u64,
        /// First address that it must not reach.
        limit: u64,
    },
    /// Neither the kernel nor the layout takes such a long command line.
    #[error("linux.command_line has {length} bytes, but at most {limit} are possible")]
    CommandLineTooLong {
        /// Its bytes.
        length: usize,
        /// What the kernel says, or the room that there is.
        limit: u32,
    },
    /// Two parts overlap.
    #[error(transparent)]
    Overlap(#[from] Overlap),
    /// ACPI tables cannot be made.
    #[error(transparent)]
    AcpiTables(#[from] platform_tables::Error),
    /// Page tables cannot be made.
    #[error("page tables: {0}")]
    PageTables(#[from] page_tables::Error),
}

/// Places everything.
///
/// # Errors
///
/// See [`Error`].
pub fn lay_out(inputs: &Inputs<'_>) -> Result<Layout, Error> {
    let memory_size = inputs.memory_size;
    if !memory_size.is_multiple_of(SIZE_2M) || memory_size > LOW_MEMORY_END {
        return Err(Error::MemorySize(memory_size));
    }
    let kernel = inputs.kernel;
    let kernel_end = kernel.load_address.saturating_add(kernel.memory_size);
    fits("linux.kernel", kernel_end, memory_size)?;
    // What has passed ends below 2 GiB: addresses fit into 32 bits.
    let kernel_address = kernel.load_address as u32;

    let mut parts = vec![
        part(Purpose::Cpuid, CPUID, Arc::clone(&inputs.cpuid)),
        Part { size: PAGE_SIZE, ..part(Purpose::Secrets, SECRETS, Arc::default()) },
        part(
            Purpose::PlatformData,
            PLATFORM_DATA.into(),
            platform_data(PLATFORM_DATA, SECRETS, CPUID).into(),
        ),
        part(Purpose::PageTables, PAGE_TABLES, identity_map(inputs)?.into()),
        part(Purpose::GuestCommandLine, COMMAND_LINE.into(), command_line(inputs)?.into()),
        part(Purpose::GuestKernel, kernel.load_address, kernel.protected_mode.into()),
    ];
    let initrd = place_initrd(inputs, kernel_end)?;
    let initrd_range = match &initrd {
        Some(part) => (part.gpa as u32, part.content.len() as u32),
        None => (0, 0),
    };
    parts.extend(initrd);
    let (rsdp, tables) = acpi_tables(inputs.acpi)?;
    let memory = memory_map(memory_size, tables.as_ref());
    // What lies there on a platform with tables is the platform's.
    let rom_area = tables.as_ref().map(|_| ROM_AREA);
    parts.extend(tables);

    let params = boot_params(&BootParams {
        setup_header: kernel.setup_header,
        kernel: kernel_address,
        initrd: initrd_range,
        command_line: COMMAND_LINE,
        platform_data: PLATFORM_DATA.into(),
        rsdp,
        memory: &memory,
    });
    parts.push(part(Purpose::BootParameters, BOOT_PARAMS, params.into()));
    sort(&mut parts)?;

    let mut ranges = vec![(0, CONVENTIONAL_END), (EXTENDED, memory_size - EXTENDED)];
    ranges.extend(rom_area);
    parts.extend(free_memory(&parts, &ranges));
    sort(&mut parts)?;

    let start = Start {
        instruction: kernel.load_address + ENTRY_64_OFFSET,
        rsi: BOOT_PARAMS,
        page_table_root: PAGE_TABLES,
        c_bit_mask: inputs.c_bit_mask,
        descriptor_table: descriptor_table(PLATFORM_DATA.into()),
        ..Start::default()
    };
    Ok(Layout {
        parts,
        required_memory: (EXTENDED, memory_size - EXTENDED),
        start,
        pvh_entry: None,
    })
}

fn fits(what: &'static str, end: u64, memory_size: u64) -> Result<(), Error> {
    if end > memory_size { Err(Error::MemoryTooSmall { what, end, memory_size }) } else { Ok(()) }
}

fn part(purpose: Purpose, gpa: u64, content: Arc<[u8]>) -> Part {
    let size = (content.len() as u64).next_multiple_of(PAGE_SIZE);
    Part { purpose, name: String::new(), gpa, size, access: Access::all(), content }
}

fn identity_map(inputs: &Inputs<'_>) -> Result<Vec<u8>, Error> {
    let mut tables = PageTables::new(inputs.c_bit_mask);
    tables.map(&Mapping {
        virtual_address: 0,
        gpa: 0,
        size: inputs.memory_size,
        access: Access::all(),
        leaves: Leaves::LargeWhereAligned,
    })?;
    Ok(tables.to_bytes(PAGE_TABLES)?)
}

/// The command line with its terminating zero.
fn command_line(inputs: &Inputs<'_>) -> Result<Vec<u8>, Error> {
    // With its terminating zero it must end with the memory that it lies in.
    let room = CONVENTIONAL_END as u32 - COMMAND_LINE - 1;
    let (length, limit) = (inputs.command_line.len(), inputs.kernel.max_command_line.min(room));
    if length > limit as usize {
        return Err(Error::CommandLineTooLong { length, limit });
    }
    Ok([inputs.command_line.as_bytes(), &[0]].concat())
}

fn place_initrd(inputs: &Inputs<'_>, kernel_end: u64) -> Result<Option<Part>, Error> {
    let Some(content) = &inputs.initrd else { return Ok(None) };
    let gpa = kernel_end.next_multiple_of(SIZE_2M);
    let part = part(Purpose::GuestInitrd, gpa, Arc::clone(content));
    fits("linux.initrd", part.end(), inputs.memory_size)?;
    let (end, limit) =
        (gpa + content.len() as u64, u64::from(inputs.kernel.max_initrd_address) + 1);
    if end > limit { Err(Error::InitrdTooHigh { end, limit }) } else { Ok(Some(part)) }
}

/// The root pointer's address, and the tables if they are ours.
fn acpi_tables(acpi: Acpi) -> Result<(u64, Option<Part>), Error> {
    match acpi {
        Acpi::Image { processors } => {
            let tables = platform_tables::build(BIOS_TABLES, processors)?;
            Ok((BIOS_TABLES, Some(part(Purpose::AcpiTables, BIOS_TABLES, tables.into()))))
        }
        Acpi::Platform { rsdp } => Ok((rsdp, None)),
    }
}

fn memory_map(memory_size: u64, acpi_tables: Option<&Part>) -> Vec<MemoryRange> {
    let reserved_end = BOOT_PARAMS;
    let reserved_start = u64::from(PLATFORM_DATA);
    let range = |base, end, kind| MemoryRange { base, size: end - base, kind };
    let mut map = vec![
        range(0, reserved_start, MemoryKind::Usable),
        range(reserved_start, reserved_end, MemoryKind::Reserved),
        range(reserved_end, CONVENTIONAL_END, MemoryKind::Usable),
    ];
    map.extend(acpi_tables.map(|part| range(part.gpa, part.end(), MemoryKind::AcpiTables)));
    map.push(range(EXTENDED, memory_size, MemoryKind::Usable));
    map
}

/// What of `ranges` (start and size) no part of `parts`, which are sorted,
/// takes.
fn free_memory(parts: &[Part], ranges: &[(u64, u64)]) -> Vec<Part> {
    let mut free = Vec::new();
    for (base, size) in ranges {
        let end = base + size;
        let mut next = *base;
        let inside = parts.iter().filter(|part| (*base..end).contains(&part.gpa));
        for (from, to) in inside.map(|part| (part.gpa, part.end())).chain([(end, end)]) {
            if from > next {
                let size = from - next;
                free.push(Part { size, ..part(Purpose::FreeMemory, next, Arc::default()) });
            }
            next = to;
        }
    }
    free
}

#[cfg(test)]
mod tests;
