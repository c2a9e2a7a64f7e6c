//! Parameter areas: what the host tells the guest.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;

use abi_simulator::MemoryRange;
use igvm::IgvmDirectiveHeader as Directive;
use igvm_defs::{
    IGVM_VHS_MEMORY_MAP_ENTRY, IGVM_VHS_PARAMETER, IgvmEnvironmentInfo, MemoryMapEntryType,
    PAGE_SIZE_4K,
};
use svsm_image::file::{Igvm, Page, PageKind};
use zerocopy::IntoBytes;

use crate::error::Error;
use crate::memory::GuestMemory;

/// Most bytes of parameter areas that are loaded.
const MAX_AREAS: u64 = 64 << 20;

/// What there is to tell.
pub(crate) struct Parameters<'a> {
    pub(crate) vcpus: u32,
    pub(crate) memory: &'a GuestMemory,
    pub(crate) command_line: &'a str,
}

/// The content of parameter areas by their index.
pub(crate) type Areas = BTreeMap<u32, Vec<u8>>;

/// Fills the parameter areas that are among `pages`.
pub(crate) fn fill(
    igvm: &Igvm,
    pages: &[Page<'_>],
    parameters: &Parameters<'_>,
) -> Result<Areas, Error> {
    let mut areas = inserted(pages)?;
    // Each area is filled before it is inserted, and once inserted it is not
    // filled any more: the reader of the file has checked that.
    for directive in igvm.file().directives() {
        if let Some(Parameter { name, place, value }) = parameter(directive, parameters)
            && let Some(area) = areas.get_mut(&place.parameter_area_index)
        {
            let value = value?;
            let space = area.get_mut(place.byte_offset as usize..).unwrap_or_default();
            let too_large = Error::ParameterSpace {
                parameter: name,
                size: value.len() as u64,
                space: space.len() as u64,
            };
            space.get_mut(..value.len()).ok_or(too_large)?.copy_from_slice(&value);
        }
    }
    if !parameters.command_line.is_empty() && !has_command_line(igvm, &areas) {
        return Err(Error::NoCommandLinePlace);
    }
    Ok(areas)
}

/// The areas among `pages` with their initial content.
fn inserted(pages: &[Page<'_>]) -> Result<Areas, Error> {
    let areas = || {
        pages.iter().filter_map(|page| match page.kind {
            PageKind::Parameters(index) => Some((index, page)),
            _ => None,
        })
    };
    let size = areas().fold(0, |size: u64, (_, page)| size.saturating_add(page.size));
    if size > MAX_AREAS {
        return Err(Error::ParameterAreas { size, max: MAX_AREAS });
    }
    let content = |page: &Page<'_>| {
        let mut content = page.data.to_vec();
        // Bounded above.
        content.resize(page.size as usize, 0);
        content
    };
    Ok(areas().map(|(index, page)| (index, content(page))).collect())
}

fn has_command_line(igvm: &Igvm, areas: &Areas) -> bool {
    let areas: BTreeSet<u32> = areas.keys().copied().collect();
    igvm.file().directives().iter().any(|directive| {
        matches!(directive, Directive::CommandLine(place) if areas.contains(&place.parameter_area_index))
    })
}

/// A parameter of the file.
struct Parameter {
    /// What it is, in words.
    name: &'static str,
    place: IGVM_VHS_PARAMETER,
    /// What is written there. Nobody minds an error if the area is not
    /// inserted.
    value: Result<Vec<u8>, Error>,
}

/// The parameter that `directive` asks for, if it is one that does.
fn parameter(directive: &Directive, parameters: &Parameters<'_>) -> Option<Parameter> {
    let (name, place, value) = match directive {
        Directive::VpCount(place) => {
            ("VP count", place, Ok(parameters.vcpus.to_le_bytes().to_vec()))
        }
        Directive::EnvironmentInfo(place) => {
            let info = IgvmEnvironmentInfo::new().with_memory_is_shared(true);
            ("environment", place, Ok(info.as_bytes().to_vec()))
        }
        Directive::MemoryMap(place) => ("memory map", place, Ok(memory_map(parameters.memory))),
        Directive::Madt(place) => ("MADT", place, Ok(madt(parameters.vcpus))),
        Directive::CommandLine(place) => {
            ("command line", place, command_line(parameters.command_line))
        }
        Directive::DeviceTree(place) => ("device tree", place, Ok(Vec::new())),
        Directive::Srat(place) => unsupported("SRAT", place),
        Directive::Slit(place) => unsupported("SLIT", place),
        Directive::Pptt(place) => unsupported("PPTT", place),
        Directive::MmioRanges(place) => unsupported("list of MMIO ranges", place),
        _ => return None,
    };
    Some(Parameter { name, place: *place, value })
}

fn unsupported<'a>(
    name: &'static str,
    place: &'a IGVM_VHS_PARAMETER,
) -> (&'static str, &'a IGVM_VHS_PARAMETER, Result<Vec<u8>, Error>) {
    (name, place, Err(Error::UnsupportedParameter { parameter: name }))
}

/// The multiple APIC description table.
///
/// Ids have 8 bits there. The launch file refuses a machine without processors
/// or with so many, so it does not matter what their table says.
fn madt(vcpus: u32) -> Vec<u8> {
    let vcpus = u8::try_from(vcpus).unwrap_or(u8::MAX);
    platform_tables::madt(NonZeroU8::new(vcpus).unwrap_or(NonZeroU8::MIN))
}

/// The memory in ascending order, and an entry without pages as the end
/// ([`IGVM_VHS_MEMORY_MAP_ENTRY`]).
fn memory_map(memory: &GuestMemory) -> Vec<u8> {
    let entry = |range: &MemoryRange, entry_type| IGVM_VHS_MEMORY_MAP_ENTRY {
        starting_gpa_page_number: range.gpa / PAGE_SIZE_4K,
        number_of_pages: range.size / PAGE_SIZE_4K,
        entry_type,
        flags: 0,
        reserved: 0,
    };
    let free = memory.of_machine().iter().map(|range| entry(range, MemoryMapEntryType::MEMORY));
    let added = memory.added();
    let added = added.iter().map(|range| entry(range, MemoryMapEntryType::PLATFORM_RESERVED));
    let mut entries: Vec<_> = free.chain(added).collect();
    entries.sort_by_key(|entry| entry.starting_gpa_page_number);
    entries.push(entry(&MemoryRange { gpa: 0, size: 0 }, MemoryMapEntryType::MEMORY));
    entries.as_bytes().to_vec()
}

/// The command line with the zero at its end.
fn command_line(text: &str) -> Result<Vec<u8>, Error> {
    if !text.bytes().all(|byte| byte.is_ascii() && byte != 0) {
        return Err(Error::CommandLine);
    }
    Ok(text.bytes().chain([0]).collect())
}
