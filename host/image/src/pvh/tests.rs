//! The file is read back with the `object` crate, as a loader would.

use std::sync::Arc;

use abi_boot::Access;
use object::elf::{PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};

use super::*;
use crate::layout::part::{Purpose, Start};

fn part(gpa: u64, size: u64, content: &[u8]) -> Part {
    let (purpose, access, content) = (Purpose::Kernel, Access::READ, Arc::from(content));
    Part { purpose, name: String::new(), gpa, size, access, content }
}

fn layout(parts: Vec<Part>) -> Layout {
    let start = Start::default();
    Layout { parts, required_memory: Vec::new(), start, pvh_entry: Some(0x800_1001) }
}

type Loads = Vec<(u64, u64, Vec<u8>)>;

/// What a loader reads: address, memory size and content of each segment, and
/// the entry from the note.
fn read(file: &[u8]) -> (Loads, u64) {
    let header = FileHeader64::<Le>::parse(file).unwrap();
    assert_eq!(header.e_entry(Le), 0x800_1001);
    let mut loads = Vec::new();
    let mut entry = None;
    for segment in header.program_headers(Le, file).unwrap() {
        match segment.p_type(Le) {
            PT_LOAD => {
                assert_eq!(segment.p_vaddr(Le), segment.p_paddr(Le));
                assert_eq!(segment.p_offset(Le) % 4096, 0);
                let content = segment.data(Le, file).unwrap().to_vec();
                loads.push((segment.p_paddr(Le), segment.p_memsz(Le), content));
            }
            PT_NOTE => {
                let note = segment.notes(Le, file).unwrap().unwrap().next().unwrap().unwrap();
                assert_eq!((note.name(), note.n_type(Le).0), (b"Xen".as_slice(), 18));
                entry = Some(u64::from_le_bytes(note.desc().try_into().unwrap()));
            }
            other => panic!("unexpected segment {other:?}"),
        }
    }
    (loads, entry.unwrap())
}

#[test]
fn contiguous_parts_become_one_segment() {
    let file = write(&layout(vec![
        part(0x800_0000, 0x1000, b"block"),
        part(0x800_1000, 0x2000, b"code"),
        part(0x800_3000, 0x1000, b""),
        part(0x800_5000, 0x1000, &[7; 4096]),
        part(0x800_6000, 0x3000, b""),
    ]))
    .unwrap();
    let (loads, entry) = read(&file);
    assert_eq!(entry, 0x800_1001);
    let mut first = b"block".to_vec();
    first.resize(0x1000, 0);
    first.extend(b"code");
    assert_eq!(loads, [(0x800_0000, 0x4000, first), (0x800_5000, 0x4000, vec![7; 4096])]);
}

#[test]
fn memory_without_content_takes_no_room() {
    let (loads, _) = read(&write(&layout(vec![part(0x1000, 1 << 30, b"")])).unwrap());
    assert_eq!(loads, [(0x1000, 1 << 30, Vec::new())]);
}

#[test]
fn a_layout_without_entry_is_refused() {
    let layout = Layout { pvh_entry: None, ..layout(Vec::new()) };
    assert_eq!(write(&layout), Err(Error::NoEntry));
}

#[test]
fn runs_are_counted() {
    let parts = (0..65_536).map(|index| part(index * 0x2000, 0x1000, b"")).collect();
    assert_eq!(write(&layout(parts)), Err(Error::TooManyRuns(65_536)));
}
