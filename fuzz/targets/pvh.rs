//! PVH start information: whatever a loader passes, reading it does not panic.
#![no_main]

use abi_pvh::{MemoryRange, Module, StartInfo, entries};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(info) = StartInfo::parse(input) {
        let _ = (info.memory_map(), info.modules());
    }
    if let Ok(ranges) = entries::<MemoryRange>(input) {
        for range in ranges {
            let _ = (range.end(), range.kind.to_string());
        }
    }
    if let Ok(modules) = entries::<Module>(input) {
        assert!(modules.count() <= input.len());
    }
});
