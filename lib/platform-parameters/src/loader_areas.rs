//! The areas that an IGVM loader fills in, taken together.
//!
//! A loader leaves zeros in areas that it has nothing for; an area that the image
//! does not have is an empty slice. The same is told in more than one area: where
//! that is so, one counts, and what can be compared is.

use crate::device_tree::DeviceTree;
use crate::igvm_memory_map::igvm_memory_map;
use crate::madt::madt_processors;
use crate::memory_map::{MemoryMap, MemoryRange};
use crate::processor_count::processor_count;
use crate::processors::{Processor, Processors};
use crate::refusal::{Area, Refusal, Rule};

/// The areas.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoaderAreas<'a> {
    /// The memory map.
    pub memory_map: &'a [u8],
    /// The number of virtual processors.
    pub processor_count: &'a [u8],
    /// The ACPI table of interrupt controllers.
    pub madt: &'a [u8],
    /// The flattened device tree.
    pub device_tree: &'a [u8],
}

impl LoaderAreas<'_> {
    /// The memory: by the memory map, or by the device tree if that is left empty.
    /// `storage` takes the ranges and bounds their number; `limit` is the first
    /// address that is too high.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold, or both areas are left empty.
    pub fn memory<'b>(
        &self,
        storage: &'b mut [MemoryRange],
        limit: u64,
    ) -> Result<MemoryMap<'b>, Refusal> {
        // The first page of memory may well be 0: what tells is the second word.
        if has_content(self.memory_map.get(8..).unwrap_or_default(), 8) {
            return igvm_memory_map(self.memory_map, storage, limit);
        }
        match self.tree()? {
            Some(tree) => tree.memory(storage, limit),
            None => Err(Rule::Empty.of(Area::MemoryMap)),
        }
    }

    /// The processors: by the table of interrupt controllers, or by the device
    /// tree if that is left empty; `None` if both are. `storage` takes them and
    /// bounds their number.
    ///
    /// # Errors
    ///
    /// The first rule that does not hold, or the loader states another number of
    /// processors than can be started.
    pub fn processors<'b>(
        &self,
        storage: &'b mut [Processor],
    ) -> Result<Option<Processors<'b>>, Refusal> {
        let listed = if has_content(self.madt, 4) {
            madt_processors(self.madt, storage)?
        } else if let Some(tree) = self.tree()? {
            tree.processors(storage)?
        } else {
            return Ok(None);
        };
        if has_content(self.processor_count, 4) {
            listed.check_count(processor_count(self.processor_count, u32::MAX)?)?;
        }
        Ok(Some(listed))
    }

    fn tree(&self) -> Result<Option<DeviceTree<'_>>, Refusal> {
        let is_there = has_content(self.device_tree, 4);
        is_there.then(|| DeviceTree::check(self.device_tree)).transpose()
    }
}

/// Whether the loader has put something into an area whose first so many bytes
/// are not all zeros then.
fn has_content(area: &[u8], bytes: usize) -> bool {
    area.iter().take(bytes).any(|byte| *byte != 0)
}

#[cfg(test)]
mod tests;
