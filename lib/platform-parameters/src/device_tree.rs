//! Memory, processors and command line in a flattened device tree.
//!
//! [Devicetree 0.4 §3 and §5]. The tree is checked as a whole by `dtoolkit`
//! before anything is read from it; what properties mean is checked here.

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};
use igvm_defs::MemoryMapEntryType;
use igvm_defs::dt::IGVM_DT_IGVM_TYPE_PROPERTY;

use crate::memory_map::{MemoryKind, MemoryMap, MemoryMapBuilder, MemoryRange};
use crate::processors::{Processor, ProcessorStatus, Processors, ProcessorsBuilder};
use crate::refusal::{Area, Refusal, Rule};

const MAGIC: [u8; 4] = [0xd0, 0x0d, 0xfe, 0xed];

/// Kinds of nodes, by their property `device_type`.
const MEMORY: &str = "memory";
const CPU: &str = "cpu";

/// A flattened device tree whose form is right.
#[derive(Clone, Copy, Debug)]
pub struct DeviceTree<'a> {
    tree: Fdt<'a>,
}

/// How many cells of 4 bytes make up an address and a size in the property
/// `reg` of a node's children [Devicetree 0.4 §2.3.5].
struct Cells {
    address: usize,
    size: usize,
}

impl<'a> DeviceTree<'a> {
    /// Checks the tree at the start of `area`. What lies behind it does not
    /// matter.
    ///
    /// # Errors
    ///
    /// There is no whole and well-formed tree.
    pub fn check(area: &'a [u8]) -> Result<Self, Refusal> {
        let tree = tree(area).map_err(|rule| rule.of(Area::DeviceTree))?;
        Ok(Self { tree })
    }

    /// The memory that nodes of type `memory` below the root describe, each of
    /// the kind that its property for IGVM says. `storage` takes the ranges and
    /// bounds their number; `limit` is the first address that is too high.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold.
    pub fn memory<'b>(
        &self,
        storage: &'b mut [MemoryRange],
        limit: u64,
    ) -> Result<MemoryMap<'b>, Refusal> {
        memory(self.tree, storage, limit).map_err(|rule| rule.of(Area::DeviceTree))
    }

    /// The processors that nodes of type `cpu` below `/cpus` describe; `reg` is
    /// the x2APIC identifier. `storage` takes them and bounds their number.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold.
    pub fn processors<'b>(&self, storage: &'b mut [Processor]) -> Result<Processors<'b>, Refusal> {
        processors(self.tree, storage).map_err(|rule| rule.of(Area::DeviceTree))
    }

    /// The command line in `/chosen`, if there is one.
    ///
    /// # Errors
    ///
    /// It is no text.
    pub fn command_line(&self) -> Result<Option<&'a str>, Refusal> {
        let Some(chosen) = self.tree.find_node("/chosen") else { return Ok(None) };
        let Some(value) = value(&chosen, "bootargs") else { return Ok(None) };
        let text = value.strip_suffix(&[0]).and_then(|text| str::from_utf8(text).ok());
        let wrong = Rule::Property { node: "chosen", property: "bootargs" };
        text.map(Some).ok_or(wrong.of(Area::DeviceTree))
    }
}

fn tree(area: &[u8]) -> Result<Fdt<'_>, Rule> {
    let truncated = || Rule::Truncated(area.len());
    let (magic, rest) = area.split_first_chunk().ok_or_else(truncated)?;
    match *magic {
        [0, 0, 0, 0] => return Err(Rule::Empty),
        MAGIC => {}
        other => return Err(Rule::Signature(other)),
    }
    let size = u32::from_be_bytes(*rest.first_chunk().ok_or_else(truncated)?);
    let bytes = area.get(..size as usize).ok_or_else(truncated)?;
    Fdt::new(bytes).map_err(|error| Rule::NotATree(error.kind))
}

fn memory<'a>(
    tree: Fdt<'_>,
    storage: &'a mut [MemoryRange],
    limit: u64,
) -> Result<MemoryMap<'a>, Rule> {
    let root = tree.root();
    let cells = Cells::of_children(&root)?;
    let mut builder = MemoryMapBuilder::new(storage, limit);
    for node in root.children().filter(|node| is(node, MEMORY)) {
        let kind = memory_kind(&node)?;
        for (start, size) in registers(&node, MEMORY, &cells)? {
            builder.add_bytes(start, size, kind)?;
        }
    }
    builder.finish()
}

fn processors<'a>(tree: Fdt<'_>, storage: &'a mut [Processor]) -> Result<Processors<'a>, Rule> {
    let mut builder = ProcessorsBuilder::new(storage);
    if let Some(cpus) = tree.find_node("/cpus") {
        let cells = Cells::of_children(&cpus)?;
        for node in cpus.children().filter(|node| is(node, CPU)) {
            let Some(status) = processor_status(&node) else { continue };
            // One for each thread of the processor.
            for (id, _) in registers(&node, CPU, &cells)? {
                let apic_id = u32::try_from(id).map_err(|_| Rule::ProcessorIdentifier(id))?;
                builder.add(apic_id, status)?;
            }
        }
    }
    builder.finish(Area::DeviceTree)
}

impl Cells {
    fn of_children(node: &FdtNode<'_>) -> Result<Self, Rule> {
        let cells = |property: &'static str, default: u32, most: u32| {
            let value = value(node, property).map_or(Some(default), word);
            let wrong = Rule::Property { node: "parent", property };
            value.filter(|cells| *cells <= most).map(|cells| cells as usize).ok_or(wrong)
        };
        Ok(Self { address: cells("#address-cells", 2, 2)?, size: cells("#size-cells", 1, 2)? })
    }
}

/// Pairs of address and size in the property `reg` of a node.
fn registers<'a>(
    node: &FdtNode<'a>,
    kind: &'static str,
    cells: &Cells,
) -> Result<impl Iterator<Item = (u64, u64)> + use<'a>, Rule> {
    let wrong = Rule::Property { node: kind, property: "reg" };
    let value = value(node, "reg").ok_or(wrong.clone())?;
    let (address_bytes, pair_bytes) = (4 * cells.address, 4 * (cells.address + cells.size));
    if address_bytes == 0 || !value.len().is_multiple_of(pair_bytes) {
        return Err(wrong);
    }
    Ok(value.chunks_exact(pair_bytes).map(move |pair| {
        // An address has at least a cell, so that a pair is not empty.
        let (address, size) = pair.split_at(address_bytes);
        (number(address), number(size))
    }))
}

/// The bytes of a property.
fn value<'a>(node: &FdtNode<'a>, property: &str) -> Option<&'a [u8]> {
    node.property(property)?.value_as().ok()
}

/// Up to 8 bytes as a number; the most significant one comes first.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn word(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

fn is(node: &FdtNode<'_>, kind: &str) -> bool {
    value(node, "device_type").is_some_and(|value| text_is(value, kind))
}

fn text_is(value: &[u8], text: &str) -> bool {
    value.strip_suffix(&[0]) == Some(text.as_bytes())
}

fn memory_kind(node: &FdtNode<'_>) -> Result<MemoryKind, Rule> {
    let Some(value) = value(node, IGVM_DT_IGVM_TYPE_PROPERTY) else {
        return Ok(MemoryKind::Memory);
    };
    word(value)
        .and_then(|kind| u16::try_from(kind).ok())
        .map(|kind| MemoryKind::of_igvm(MemoryMapEntryType(kind)))
        .ok_or(Rule::Property { node: MEMORY, property: IGVM_DT_IGVM_TYPE_PROPERTY })
}

/// Of a processor: `None` if it is broken [Devicetree 0.4 §2.3.4, §3.8.1].
fn processor_status(node: &FdtNode<'_>) -> Option<ProcessorStatus> {
    let Some(value) = value(node, "status") else { return Some(ProcessorStatus::Enabled) };
    if text_is(value, "okay") || text_is(value, "ok") {
        Some(ProcessorStatus::Enabled)
    } else if text_is(value, "disabled") {
        Some(ProcessorStatus::OnlineCapable)
    } else {
        None
    }
}

#[cfg(test)]
pub(crate) mod tests;
