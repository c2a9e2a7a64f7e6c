//! Parameter areas: the first byte says which one the others are; what is
//! accepted is in order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use platform_parameters::{
    DeviceTree, MemoryMap, MemoryRange, Processor, Processors, igvm_memory_map, madt_processors,
    processor_count,
};

const LIMIT: u64 = 1 << 51;

fuzz_target!(|input: &[u8]| {
    let Some((kind, area)) = input.split_first() else { return };
    let (mut ranges, mut processors) = ([MemoryRange::EMPTY; 16], [Processor::NONE; 16]);
    match kind {
        0 => look_at_memory(igvm_memory_map(area, &mut ranges, LIMIT).ok()),
        1 => look_at_processors(sealed_madt(area, &mut processors)),
        2 => {
            if let Ok(tree) = DeviceTree::check(area) {
                look_at_memory(tree.memory(&mut ranges, LIMIT).ok());
                look_at_processors(tree.processors(&mut processors).ok());
                let _ = tree.command_line();
            }
        }
        _ => {
            if let Ok(count) = processor_count(area, 16) {
                assert!((1..=16).contains(&count));
            }
        }
    }
});

/// The table with a checksum that is right, so that its content is looked at.
fn sealed_madt<'a>(area: &[u8], storage: &'a mut [Processor]) -> Option<Processors<'a>> {
    let mut table = area.to_vec();
    let length = u32::from_le_bytes(*table.get(4..)?.first_chunk()?) as usize;
    *table.get_mut(9)? = 0;
    let sum = table.get(..length)?.iter().fold(0_u8, |sum, byte| sum.wrapping_sub(*byte));
    *table.get_mut(9)? = sum;
    madt_processors(&table, storage).ok()
}

fn look_at_memory(map: Option<MemoryMap<'_>>) {
    let Some(map) = map else { return };
    assert!(map.end() <= LIMIT);
    for pair in map.ranges().windows(2) {
        assert!(pair[0].size != 0 && pair[0].end() <= pair[1].start);
    }
}

fn look_at_processors(processors: Option<Processors<'_>>) {
    let Some(processors) = processors else { return };
    assert!(processors.all().is_sorted_by(|one, next| one.apic_id < next.apic_id));
    assert!(processors.enabled().count() > 0);
}
