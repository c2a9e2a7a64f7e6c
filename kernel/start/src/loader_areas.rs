//! The areas of the image that the loader has filled in.

use abi_boot::{BootBlock, PartKind};
use platform_parameters::LoaderAreas;

/// What the loader has put there; nothing in those that the image does not have.
pub(crate) fn loader_areas(block: &BootBlock<'_>) -> LoaderAreas<'static> {
    let area = |kind| {
        let part = block.parts_of(kind).next();
        part.and_then(hal::image::content).unwrap_or_default()
    };
    LoaderAreas {
        memory_map: area(PartKind::MEMORY_MAP),
        processor_count: area(PartKind::VP_COUNT),
        madt: area(PartKind::MADT),
        device_tree: area(PartKind::DEVICE_TREE),
    }
}
