//! The guest of a module image: its pages and how the module is to enter it.

use std::num::NonZeroU8;
use std::ops::Range;
use std::sync::Arc;

use abi_boot::{Access, GuestStart, PAGE_SIZE};

use super::part::{LOW_MEMORY_END, Part, Purpose};
use super::payload::{
    self, Acpi, BOOT_PARAMS, CPUID, Error, Ground, PAGE_TABLES, Payload, Placed, SECRETS,
};

/// Where the calling area of the guest's first processor lies: right below the
/// other pages that the guest must not allocate.
const CALLING_AREA: u64 = 0xf000;
/// Where its save area lies.
const SAVE_AREA: u64 = 0xe000;

/// How much the guest's first page tables map at least, in bytes.
const MAPPED: u64 = 1 << 30;

/// A guest in its place.
pub(super) struct Guest {
    /// Its pages, in no order.
    pub(super) parts: Vec<Part>,
    /// Memory that it needs whatever else there is: start and size.
    pub(super) required_memory: (u64, u64),
    /// How it is entered.
    pub(super) start: GuestStart,
}

/// Places a guest around the module's `region`. Its table of processors has
/// `max_vcpus` of them, but no more than such a table takes.
pub(super) fn place(
    payload: &Payload<'_>,
    max_vcpus: u32,
    region: Range<u64>,
    c_bit_mask: u64,
) -> Result<Guest, Error> {
    let ground = Ground {
        memory_end: LOW_MEMORY_END,
        taken: region,
        mapped: MAPPED,
        c_bit_mask,
        access: Access::empty(),
    };
    let processors = u8::try_from(max_vcpus).unwrap_or(u8::MAX);
    let acpi = Acpi::Image { processors: NonZeroU8::new(processors).unwrap_or(NonZeroU8::MIN) };
    let Placed {
        mut parts,
        boot_parameters,
        kernel_memory,
        instruction,
        descriptor_table,
        acpi_tables,
    } = payload::place(payload, acpi, &ground)?;
    let Some(tables) = acpi_tables else { unreachable!("tables were asked for") };

    let page = |name: &str, gpa| Part {
        name: name.to_owned(),
        size: PAGE_SIZE,
        ..ground.part(Purpose::GuestReserved, gpa, Arc::default())
    };
    let own = [
        ground.part(Purpose::BootParameters, BOOT_PARAMS, boot_parameters.into()),
        page("save area", SAVE_AREA),
        page("calling area", CALLING_AREA),
        page("cpuid", CPUID),
        page("secrets", SECRETS),
    ];
    for part in &own {
        ground.check("kind", part.gpa..part.end())?;
    }
    parts.extend(own);
    let start = GuestStart {
        instruction,
        boot_parameters: BOOT_PARAMS,
        page_table_root: PAGE_TABLES,
        descriptor_table: descriptor_table.0,
        descriptor_table_limit: descriptor_table.1.into(),
        madt_size: (tables.madt.end - tables.madt.start) as u32,
        madt: tables.madt.start,
        secrets: SECRETS,
        cpuid: CPUID,
        calling_area: CALLING_AREA,
        save_area: SAVE_AREA,
        kernel_memory: kernel_memory.0,
        kernel_memory_size: kernel_memory.1,
    };
    Ok(Guest { parts, required_memory: kernel_memory, start })
}
