//! A Linux guest at its final addresses, with what it is entered with.
//!
//! The same for a guest of the module ([`super::module`]) and for Linux alone
//! ([`super::linux`]):
//!
//! | address | what |
//! |---|---|
//! | 0x1_0000 | platform data |
//! | 0x1_1000 | for the CPUID page, placed by the layout |
//! | 0x1_2000 | for the secrets page, placed by the layout |
//! | 0x1_3000 | `struct boot_params` |
//! | 0x1_4000 | page tables: identity, 2 MiB pages, all access |
//! | 0x2_0000 | command line with terminating zero |
//! | 0xe_0000 | ACPI tables, root pointer first, if they come with the image |
//! | `pref_address` | the kernel's protected-mode part |
//! | 2 MiB boundary behind its `init_size` | initial RAM disk |
//!
//! The initial RAM disk lies behind the module's region, at a 2 MiB boundary,
//! if there is no room below.
//!
//! Specification: Linux `Documentation/arch/x86/boot.rst`, section "64-bit Boot
//! Protocol".

use std::num::NonZeroU8;
use std::ops::Range;
use std::sync::Arc;

use abi_boot::{Access, PAGE_SIZE};
use abi_x86::SIZE_2M;

use super::boot_params::{BootParams, boot_params, descriptor_table, platform_data};
use super::part::{Part, Purpose};
use crate::bzimage::{BzImage, ENTRY_64_OFFSET};
use crate::page_tables::{self, Leaves, Mapping, PageTables};

/// Where the platform data page lies.
pub const PLATFORM_DATA: u32 = 0x1_0000;
/// Where the guest finds its CPUID page.
pub const CPUID: u64 = 0x1_1000;
/// Where the guest finds its secrets page.
pub const SECRETS: u64 = 0x1_2000;
/// Where `struct boot_params` lies; RSI at the first instruction.
pub const BOOT_PARAMS: u64 = 0x1_3000;
/// Where the top-level page table lies.
pub const PAGE_TABLES: u64 = 0x1_4000;
const COMMAND_LINE: u32 = 0x2_0000;

/// End of the memory below the legacy video and BIOS areas.
pub const CONVENTIONAL_END: u64 = 0xa_0000;
/// Where tables of a BIOS begin.
const BIOS_TABLES: u64 = 0xe_0000;

/// What is to be started.
#[derive(Clone, Debug)]
pub struct Payload<'a> {
    /// The kernel.
    pub kernel: &'a BzImage<'a>,
    /// Initial RAM disk, if any.
    pub initrd: Option<Arc<[u8]>>,
    /// The kernel's arguments, without zero bytes.
    pub command_line: &'a str,
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

/// Where a payload is to lie.
#[derive(Clone, Debug)]
pub struct Ground {
    /// First address behind the memory that there is, at most 2 GiB.
    pub memory_end: u64,
    /// What belongs to somebody else; empty if nothing does.
    pub taken: Range<u64>,
    /// How many bytes from address 0 on the page tables map at least, a
    /// multiple of 2 MiB.
    pub mapped: u64,
    /// The bit that marks private pages, as a mask, above bit 31.
    pub c_bit_mask: u64,
    /// How the parts are mapped by whoever is started first.
    pub access: Access,
}

/// Why a payload cannot be placed. Messages begin with a key of the manifest's
/// section.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something needs more memory than there is.
    #[error("{what} needs memory up to {end:#x}, but there is none above {memory_end:#x}")]
    MemoryEnds {
        /// What does not fit.
        what: &'static str,
        /// Where it would end.
        end: u64,
        /// Where memory ends.
        memory_end: u64,
    },
    /// Something is to lie where the module does.
    #[error(
        "{what} needs the memory from {start:#x} to {end:#x}, where the module's region lies: \
         move region.base"
    )]
    Taken {
        /// What does not fit.
        what: &'static str,
        /// Its first address.
        start: u64,
        /// First address behind it.
        end: u64,
    },
    /// The kernel cannot reach the initial RAM disk.
    #[error("initrd would end at {end:#x}, but the kernel allows no more than {limit:#x}")]
    InitrdTooHigh {
        /// Where it would end.
        end: u64,
        /// First address that it must not reach.
        limit: u64,
    },
    /// Neither the kernel nor the layout takes such a long command line.
    #[error("command_line has {length} bytes, but at most {limit} are possible")]
    CommandLineTooLong {
        /// Its bytes.
        length: usize,
        /// What the kernel says, or the room that there is.
        limit: u32,
    },
    /// ACPI tables cannot be made.
    #[error(transparent)]
    AcpiTables(#[from] platform_tables::Error),
    /// Page tables cannot be made.
    #[error("page tables: {0}")]
    PageTables(#[from] page_tables::Error),
}

/// A payload in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Everything but the boot parameters, in no order.
    pub parts: Vec<Part>,
    /// `struct boot_params`, complete but for the memory map, which is empty.
    pub boot_parameters: [u8; 4096],
    /// Memory that the kernel uses before it looks at the memory map: start and
    /// size.
    pub kernel_memory: (u64, u64),
    /// RIP at the first instruction.
    pub instruction: u64,
    /// The descriptor table: address and limit.
    pub descriptor_table: (u64, u16),
    /// ACPI tables that come with the image: where they lie.
    pub acpi_tables: Option<AcpiTables>,
}

/// Where ACPI tables lie that come with the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcpiTables {
    /// The pages they take.
    pub pages: Range<u64>,
    /// The table of processors.
    pub madt: Range<u64>,
}

/// Places everything.
///
/// # Errors
///
/// See [`Error`].
pub fn place(payload: &Payload<'_>, acpi: Acpi, ground: &Ground) -> Result<Placed, Error> {
    let kernel = payload.kernel;
    let kernel_end = kernel.load_address.saturating_add(kernel.memory_size);
    // What the kernel's decompressor writes to counts, too.
    ground.check("kernel", kernel.load_address..kernel_end)?;
    // What has passed ends below 2 GiB: addresses fit into 32 bits.
    let kernel_address = kernel.load_address as u32;

    let platform_data = platform_data(PLATFORM_DATA, SECRETS, CPUID);
    let mut parts = vec![
        ground.part(Purpose::PlatformData, PLATFORM_DATA.into(), platform_data.into()),
        ground.part(Purpose::GuestCommandLine, COMMAND_LINE.into(), command_line(payload)?.into()),
        ground.part(Purpose::GuestKernel, kernel.load_address, kernel.protected_mode.into()),
    ];
    let initrd = place_initrd(payload, kernel_end, ground)?;
    let initrd_range = match &initrd {
        Some(part) => (part.gpa as u32, part.content.len() as u32),
        None => (0, 0),
    };
    parts.extend(initrd);
    let (rsdp, acpi_tables) = match acpi {
        Acpi::Platform { rsdp } => (rsdp, None),
        Acpi::Image { processors } => {
            let tables = platform_tables::build(BIOS_TABLES, processors)?;
            let part = ground.part(Purpose::AcpiTables, BIOS_TABLES, tables.bytes.into());
            let pages = part.gpa..part.end();
            parts.push(part);
            (BIOS_TABLES, Some(AcpiTables { pages, madt: tables.madt }))
        }
    };
    let highest = parts.iter().map(Part::end).max().unwrap_or_default().max(kernel_end);
    let tables = identity_map(ground, highest)?;
    parts.push(ground.part(Purpose::GuestPageTables, PAGE_TABLES, tables.into()));
    for part in &parts {
        ground.check(key(part.purpose), part.gpa..part.end())?;
    }

    let boot_parameters = boot_params(&BootParams {
        setup_header: kernel.setup_header,
        kernel: kernel_address,
        initrd: initrd_range,
        command_line: COMMAND_LINE,
        platform_data: PLATFORM_DATA.into(),
        rsdp,
    });
    Ok(Placed {
        parts,
        boot_parameters,
        kernel_memory: (kernel.load_address, kernel.memory_size),
        instruction: kernel.load_address + ENTRY_64_OFFSET,
        descriptor_table: descriptor_table(PLATFORM_DATA.into()),
        acpi_tables,
    })
}

/// What messages call a part.
fn key(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::GuestKernel => "kernel",
        Purpose::GuestInitrd => "initrd",
        Purpose::GuestCommandLine => "command_line",
        // What lies below 1 MiB whatever the manifest says.
        _ => "kind",
    }
}

impl Ground {
    /// A part of the payload.
    pub(super) fn part(&self, purpose: Purpose, gpa: u64, content: Arc<[u8]>) -> Part {
        let size = (content.len() as u64).next_multiple_of(PAGE_SIZE);
        Part { purpose, name: String::new(), gpa, size, access: self.access, content }
    }

    /// Whether `range` is memory that nobody has taken.
    pub(super) fn check(&self, what: &'static str, range: Range<u64>) -> Result<(), Error> {
        let Range { start, end } = range;
        if end > self.memory_end {
            return Err(Error::MemoryEnds { what, end, memory_end: self.memory_end });
        }
        if start < self.taken.end && self.taken.start < end {
            return Err(Error::Taken { what, start, end });
        }
        Ok(())
    }
}

fn identity_map(ground: &Ground, highest: u64) -> Result<Vec<u8>, Error> {
    let mut tables = PageTables::new(ground.c_bit_mask);
    tables.map(&Mapping {
        virtual_address: 0,
        gpa: 0,
        size: ground.mapped.max(highest.next_multiple_of(SIZE_2M)),
        access: Access::all(),
        leaves: Leaves::LargeWhereAligned,
    })?;
    Ok(tables.to_bytes(PAGE_TABLES)?)
}

/// The command line with its terminating zero.
fn command_line(payload: &Payload<'_>) -> Result<Vec<u8>, Error> {
    // With its terminating zero it must end with the memory that it lies in.
    let room = CONVENTIONAL_END as u32 - COMMAND_LINE - 1;
    let (length, limit) = (payload.command_line.len(), payload.kernel.max_command_line.min(room));
    if length > limit as usize {
        return Err(Error::CommandLineTooLong { length, limit });
    }
    Ok([payload.command_line.as_bytes(), &[0]].concat())
}

fn place_initrd(
    payload: &Payload<'_>,
    kernel_end: u64,
    ground: &Ground,
) -> Result<Option<Part>, Error> {
    let Some(content) = &payload.initrd else { return Ok(None) };
    let place = |from: u64| {
        let gpa = from.next_multiple_of(SIZE_2M);
        ground.part(Purpose::GuestInitrd, gpa, Arc::clone(content))
    };
    let mut part = place(kernel_end);
    if let Err(Error::Taken { .. }) = ground.check("initrd", part.gpa..part.end()) {
        part = place(ground.taken.end);
    }
    ground.check("initrd", part.gpa..part.end())?;
    let limit = u64::from(payload.kernel.max_initrd_address) + 1;
    let end = part.gpa + content.len() as u64;
    if end > limit { Err(Error::InitrdTooHigh { end, limit }) } else { Ok(Some(part)) }
}

#[cfg(test)]
mod tests;
