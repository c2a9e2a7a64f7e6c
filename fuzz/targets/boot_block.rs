//! Boot blocks: whatever the bytes, what is accepted keeps its promises.
#![no_main]

use abi_boot::{BootBlock, PAGE_SIZE};
use libfuzzer_sys::fuzz_target;

/// The kernel's boot block is a page; the input is copied to one so that its
/// alignment is the real one.
#[repr(align(4096))]
struct Page([u8; PAGE_SIZE as usize]);

fuzz_target!(|input: &[u8]| {
    let mut page = Page([0; PAGE_SIZE as usize]);
    let length = input.len().min(page.0.len());
    page.0[..length].copy_from_slice(&input[..length]);
    let Ok(block) = BootBlock::parse(&page.0) else { return };
    let region_end = block.region_base + block.region_size;
    for pair in block.parts().windows(2) {
        assert!(pair[0].end() <= pair[1].gpa, "parts overlap or are not sorted");
    }
    for part in block.parts() {
        assert_eq!(block.virtual_address(part.gpa).is_some(), {
            (block.region_base..region_end).contains(&part.gpa)
        });
        let _ = (part.name(), format!("{part:?}"));
    }
});
