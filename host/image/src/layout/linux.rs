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

use std::sync::Arc;

use abi_boot::{Access, PAGE_SIZE};
use abi_x86::SIZE_2M;
use direct_boot::{MemoryKind, MemoryMap, MemoryMapError, MemoryRange, write_memory_map};

use super::part::{LOW_MEMORY_END, Layout, Overlap, Part, Purpose, Start, sort};
use super::payload::{
    self, Acpi, BOOT_PARAMS, CONVENTIONAL_END, CPUID, Ground, PAGE_TABLES, PLATFORM_DATA, Payload,
    SECRETS,
};

/// Expansion ROMs and BIOS of a PC: start and size.
const ROM_AREA: (u64, u64) = (0xc_0000, 0x4_0000);
/// Where memory goes on.
const EXTENDED: u64 = 0x10_0000;

/// What a bare Linux image is made of.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// Linux.
    pub payload: Payload<'a>,
    /// Bytes of memory from address 0 on: a multiple of 2 MiB, at most 2 GiB.
    pub memory_size: u64,
    /// Where Linux learns of the machine.
    pub acpi: Acpi,
    /// The bit that marks private pages, as a mask, above bit 31.
    pub c_bit_mask: u64,
    /// The CPUID page.
    pub cpuid: Arc<[u8]>,
}

/// Why there is no layout. Messages name the manifest's key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something needs more memory than there is.
    #[error(
        "linux.memory_size is {memory_size:#x}, but linux.{what} needs memory up to {end:#x}: enlarge it \
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
    /// Linux cannot be placed.
    #[error("linux.{0}")]
    Payload(#[source] payload::Error),
    /// The memory map cannot be made.
    #[error("linux.memory_size: {0}")]
    MemoryMap(#[from] MemoryMapError),
    /// Two parts overlap.
    #[error(transparent)]
    Overlap(#[from] Overlap),
}

impl From<payload::Error> for Error {
    fn from(error: payload::Error) -> Self {
        match error {
            // Here it is the manifest that says where memory ends.
            payload::Error::MemoryEnds { what, end, memory_end } => {
                Self::MemoryTooSmall { what, end, memory_size: memory_end }
            }
            error => Self::Payload(error),
        }
    }
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
    let ground = Ground {
        memory_end: memory_size,
        taken: 0..0,
        mapped: memory_size,
        c_bit_mask: inputs.c_bit_mask,
        access: Access::all(),
    };
    let payload::Placed {
        mut parts,
        mut boot_parameters,
        // All memory is in the image.
        kernel_memory: _,
        instruction,
        descriptor_table,
        acpi_tables,
    } = payload::place(&inputs.payload, inputs.acpi, &ground)?;

    let range = |base, end: u64, kind| MemoryRange { base, size: end - base, kind };
    let mut taken = vec![range(PLATFORM_DATA.into(), BOOT_PARAMS, MemoryKind::Reserved)];
    let tables = acpi_tables.as_ref().map(|tables| &tables.pages);
    taken.extend(tables.map(|pages| range(pages.start, pages.end, MemoryKind::AcpiTables)));
    let map = MemoryMap::new(std::iter::once(0..memory_size), &taken)?;
    let written = write_memory_map(&mut boot_parameters, map.ranges());
    assert!(written.is_ok(), "a map has no more ranges than fit");

    parts.extend([
        ground.part(Purpose::BootParameters, BOOT_PARAMS, boot_parameters.into()),
        ground.part(Purpose::Cpuid, CPUID, Arc::clone(&inputs.cpuid)),
        Part { size: PAGE_SIZE, ..ground.part(Purpose::Secrets, SECRETS, Arc::default()) },
    ]);
    sort(&mut parts)?;

    let mut ranges = vec![(0, CONVENTIONAL_END), (EXTENDED, memory_size - EXTENDED)];
    // What lies there on a platform with tables is the platform's.
    ranges.extend(acpi_tables.map(|_| ROM_AREA));
    let free = free_memory(&parts, &ranges);
    parts.extend(
        free.into_iter().map(|(gpa, size)| Part {
            size,
            ..ground.part(Purpose::FreeMemory, gpa, Arc::default())
        }),
    );
    sort(&mut parts)?;

    let start = Start {
        instruction,
        rsi: BOOT_PARAMS,
        page_table_root: PAGE_TABLES,
        c_bit_mask: inputs.c_bit_mask,
        descriptor_table,
        ..Start::default()
    };
    Ok(Layout {
        parts,
        required_memory: vec![(EXTENDED, memory_size - EXTENDED)],
        start,
        pvh_entry: None,
    })
}

/// What of `ranges` no part of `parts`, which are sorted, takes: start and
/// size, as in `ranges`.
fn free_memory(parts: &[Part], ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut free = Vec::new();
    for (base, size) in ranges {
        let end = base + size;
        let mut next = *base;
        let inside = parts.iter().filter(|part| (*base..end).contains(&part.gpa));
        for (from, to) in inside.map(|part| (part.gpa, part.end())).chain([(end, end)]) {
            if from > next {
                free.push((next, from - next));
            }
            next = to;
        }
    }
    free
}

#[cfg(test)]
mod tests;
