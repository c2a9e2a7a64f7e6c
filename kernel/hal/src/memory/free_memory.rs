//! What of the region nothing was placed at.

use core::iter;
use core::ops::Range;

use abi_boot::{BootBlock, PAGE_SIZE, Part, PartKind};

/// Physical addresses of the region's free memory, in rising order: what no
/// part takes, but for the two guard pages around the boot stack. All of it is
/// mapped for reading and writing; on SNP it is not validated at first.
pub(crate) fn free_memory(block: &BootBlock<'_>) -> impl Iterator<Item = Range<u64>> {
    let region = block.region_base..block.region_base.saturating_add(block.region_size);
    let end = region.end;
    // Parts are sorted and do not overlap, and the boot stack's guard pages
    // widen it into space that no other part takes.
    let used = block.parts().iter().map(taken).filter(move |range| range.start < end);
    let mut free_from = region.start;
    used.chain(iter::once(end..end)).filter_map(move |used| {
        let free = free_from..used.start;
        free_from = free_from.max(used.end);
        (!free.is_empty()).then_some(free)
    })
}

/// What a part takes, guard pages included.
fn taken(part: &Part) -> Range<u64> {
    let guard = if part.kind == PartKind::BOOT_STACK { PAGE_SIZE } else { 0 };
    part.gpa.saturating_sub(guard)..part.end().saturating_add(guard)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use abi_boot::{Access, Header, Platform};
    use zerocopy::IntoBytes;

    use super::*;

    #[repr(C, align(4096))]
    struct Page([u8; 4096]);

    fn free_of(parts: &[Part]) -> Vec<Range<u64>> {
        let mut header = Header::new(Platform::NATIVE, parts.len() as u32);
        (header.region_base, header.region_size) = (0x10_0000, 0x10_0000);
        let mut page = Page([0; 4096]);
        let bytes = [header.as_bytes(), parts.as_bytes()].concat();
        page.0[..bytes.len()].copy_from_slice(&bytes);
        free_memory(&BootBlock::parse(&page.0).unwrap()).collect()
    }

    fn part(kind: PartKind, gpa: u64, size: u64) -> Part {
        Part::new(kind, gpa, size, Access::READ, "")
    }

    #[test]
    fn parts_and_guard_pages_are_left_out() {
        let free = free_of(&[
            part(PartKind::BOOT_BLOCK, 0x10_0000, 0x1000),
            part(PartKind::KERNEL, 0x10_1000, 0x1000),
            part(PartKind::BOOT_STACK, 0x10_4000, 0x2000),
            part(PartKind::PAGE_TABLES, 0x10_7000, 0x1000),
            part(PartKind::GUEST_KERNEL, 0x20_0000, 0x1000),
        ]);
        assert_eq!(free, [0x10_2000..0x10_3000, 0x10_8000..0x20_0000]);
    }

    #[test]
    fn region_without_parts_is_free_and_a_full_one_is_not() {
        let all: Vec<_> = iter::once(0x10_0000..0x20_0000).collect();
        assert_eq!(free_of(&[]), all);
        assert_eq!(free_of(&[part(PartKind::SERVICE, 0x10_0000, 0x10_0000)]), []);
        let beside = part(PartKind::GUEST_INITRD, 0x0, 0x1000);
        assert_eq!(free_of(&[beside]), all);
    }
}
