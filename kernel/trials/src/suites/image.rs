//! What the builder has placed is what the kernel finds.

use abi_boot::{Access, PartKind};

use crate::trial::{Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "image::parts_lie_in_the_region", run: parts_lie_in_the_region },
    Trial { name: "image::only_read_only_parts_are_given_out", run: only_read_only_parts },
    Trial { name: "image::boot_block_describes_itself", run: boot_block_describes_itself },
];

fn parts_lie_in_the_region() -> Outcome {
    let block = hal::image::boot_block();
    let outside = |part: &&abi_boot::Part| block.virtual_address(part.gpa).is_none();
    equal(block.parts().iter().filter(outside).count(), 0, "parts outside the region")
}

fn only_read_only_parts() -> Outcome {
    for part in hal::image::boot_block().parts() {
        let given = hal::image::content(part);
        let expected = part.access == Access::READ;
        equal(given.is_some(), expected, "whether a part's content is given out")?;
        if let Some(content) = given {
            equal(content.len() as u64, part.content_size, "bytes of a part's content")?;
        }
    }
    Ok(())
}

fn boot_block_describes_itself() -> Outcome {
    let block = hal::image::boot_block();
    let part = block.parts_of(PartKind::BOOT_BLOCK).next();
    let part = part.ok_or_else(|| failure("no part is the boot block"))?;
    let content = hal::image::content(part).ok_or_else(|| failure("it cannot be read"))?;
    check(content.starts_with(b"SVSMBOOT"), "it starts with its magic value")
}
