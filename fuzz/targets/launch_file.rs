//! Launch files: whatever the bytes, what is accepted keeps its promises.
#![no_main]

use abi_simulator::launch::{LaunchFile, LaunchStep};
use abi_snp::PageType;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // Random changes would hardly ever hit the file's size in its header.
    let mut bytes = input.to_vec();
    let size = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(16..24) {
        field.copy_from_slice(&size.to_le_bytes());
    }
    let Ok(file) = LaunchFile::parse(&bytes) else { return };
    assert!(!file.memory.is_empty(), "no memory");
    let inside = |gpa| file.memory.iter().any(|range| (range.gpa..range.end()).contains(&gpa));
    for step in &file.steps {
        match step {
            LaunchStep::Private(pages) => {
                let run = pages.run;
                assert!(run.gpa < run.end() && run.vcpu < file.options.vcpus, "{run:?}");
                let placed = inside(run.gpa) && inside(run.end() - 1);
                assert!(placed || run.page_type == PageType::VMSA, "{run:?} is outside");
            }
            LaunchStep::Given(given) => assert!(inside(given.gpa), "{given:?} is outside"),
            LaunchStep::Shared(shared) => assert!(inside(shared.gpa), "{shared:?} is outside"),
        }
    }
});
