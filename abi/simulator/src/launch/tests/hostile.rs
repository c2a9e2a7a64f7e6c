//! No bytes make the reader panic, and what it accepts keeps its promises.

use alloc::vec::Vec;

use abi_snp::PageType;
use proptest::prelude::*;
use proptest::sample::Index;

use super::samples;
use crate::launch::{LaunchFile, LaunchStep};

/// Checks what [`LaunchFile`] says about its fields.
fn keeps_its_promises(file: &LaunchFile<'_>) {
    let inside = |gpa: u64| file.memory.iter().any(|range| (range.gpa..range.end()).contains(&gpa));
    assert!(file.memory.is_sorted_by(|a, b| a.end() <= b.gpa) && !file.memory.is_empty());
    for step in &file.steps {
        match step {
            LaunchStep::Private(pages) => {
                let run = pages.run;
                assert!(run.gpa < run.end() && run.gpa.is_multiple_of(run.size.bytes()));
                let last = run.end() - 4096;
                assert!(run.page_type == PageType::VMSA || inside(run.gpa) && inside(last));
                assert!(run.vcpu < file.options.vcpus);
                assert_eq!(pages.iter().take(3).count() as u64, run.count.min(3));
            }
            LaunchStep::Shared(shared) => {
                assert!(!shared.content.is_empty() && inside(shared.gpa));
            }
            LaunchStep::Given(given) => {
                assert!(given.gpa < given.end() && inside(given.gpa) && inside(given.end() - 1));
            }
        }
    }
}

fn read(bytes: &[u8]) {
    if let Ok(file) = LaunchFile::parse(bytes) {
        keeps_its_promises(&file);
    }
}

/// The file with the size that it has in its header.
fn with_size(mut bytes: Vec<u8>) -> Vec<u8> {
    let size = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(16..24) {
        field.copy_from_slice(&size.to_le_bytes());
    }
    bytes
}

/// Numbers as files have them, and all others.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..64_u64,
        any::<u64>(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..1024_u64).prop_map(|page| page * 4096),
        (1..4_u64).prop_map(|less| u64::MAX - less * 4096 + 1),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
        let mut file = b"SVSM-SIM\x01\0\0\0\x18\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend_from_slice(&bytes);
        read(&with_size(file));
    }

    #[test]
    fn changed_words(changes in proptest::collection::vec((any::<Index>(), number()), 1..4)) {
        let mut file = samples::full();
        // Words of heads and small records; those of pages' content are dull.
        let words: Vec<usize> = (0..file.len() / 8)
            .filter(|word| file[word * 8..].first_chunk::<8>().is_some_and(|w| w[0] != w[7] || w[0] == 0))
            .take(200)
            .collect();
        for (at, value) in changes {
            let start = words[at.index(words.len())] * 8;
            file[start..start + 8].copy_from_slice(&value.to_le_bytes());
        }
        read(&file);
    }

    #[test]
    fn cut_off(at in any::<Index>()) {
        let mut file = samples::full();
        file.truncate(at.index(file.len()));
        prop_assert!(LaunchFile::parse(&file).is_err());
        read(&with_size(file));
    }

    #[test]
    fn record_soup(
        records in proptest::collection::vec(
            (1..11_u32, proptest::collection::vec(number(), 0..9)),
            0..8,
        ),
    ) {
        let mut file = samples::least().finish().unwrap();
        for (kind, content) in records {
            file.extend_from_slice(&u64::from(kind).to_le_bytes());
            file.extend_from_slice(&(content.len() as u64 * 8).to_le_bytes());
            content.iter().for_each(|word| file.extend_from_slice(&word.to_le_bytes()));
        }
        read(&with_size(file));
    }
}
