//! Parameter areas: memory that the loader fills with facts about the machine.

use std::collections::BTreeMap;

use igvm::IgvmDirectiveHeader as Directive;
use serde::Serialize;

use super::number::{Bytes, Hex};
use super::platform::names;
use crate::file::Igvm;

/// A parameter area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ParameterArea {
    /// Its number in the file.
    pub index: u32,
    /// Bytes.
    pub size: Bytes,
    /// Bytes that the file sets before the loader writes.
    pub initial_data: Bytes,
    /// Where it goes; `None` if it is never inserted.
    pub gpa: Option<Hex>,
    /// Names of the platforms that get it.
    pub platforms: Vec<String>,
    /// What the loader writes.
    pub parameters: Vec<Parameter>,
}

/// One fact that the loader writes into an area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Which fact.
    pub name: String,
    /// Bytes from the start of the area.
    pub offset: u32,
}

pub(super) fn parameter_areas(igvm: &Igvm) -> Vec<ParameterArea> {
    let mut areas: BTreeMap<u32, ParameterArea> = BTreeMap::new();
    for directive in igvm.file().directives() {
        match directive {
            Directive::ParameterArea { number_of_bytes, parameter_area_index, initial_data } => {
                let area = ParameterArea {
                    index: *parameter_area_index,
                    size: Bytes(*number_of_bytes),
                    initial_data: Bytes(initial_data.len() as u64),
                    gpa: None,
                    platforms: Vec::new(),
                    parameters: Vec::new(),
                };
                areas.insert(*parameter_area_index, area);
            }
            Directive::ParameterInsert(insert) => {
                if let Some(area) = areas.get_mut(&insert.parameter_area_index) {
                    area.gpa = Some(Hex(insert.gpa));
                    area.platforms = names(igvm, insert.compatibility_mask);
                }
            }
            other => {
                if let Some((area, name, offset)) = parameter(other)
                    && let Some(area) = areas.get_mut(&area)
                {
                    area.parameters.push(Parameter { name: name.to_owned(), offset });
                }
            }
        }
    }
    areas.into_values().collect()
}

/// Area, name and offset of a parameter.
fn parameter(directive: &Directive) -> Option<(u32, &'static str, u32)> {
    let (name, place) = match directive {
        Directive::VpCount(place) => ("processor count", place),
        Directive::EnvironmentInfo(place) => ("environment", place),
        Directive::Srat(place) => ("ACPI SRAT", place),
        Directive::Madt(place) => ("ACPI MADT", place),
        Directive::Slit(place) => ("ACPI SLIT", place),
        Directive::Pptt(place) => ("ACPI PPTT", place),
        Directive::MmioRanges(place) => ("MMIO ranges", place),
        Directive::MemoryMap(place) => ("memory map", place),
        Directive::CommandLine(place) => ("command line", place),
        Directive::DeviceTree(place) => ("device tree", place),
        _ => return None,
    };
    Some((place.parameter_area_index, name, place.byte_offset))
}
