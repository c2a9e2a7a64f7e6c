//! Tests of archives, read back by a reader of their own.

use proptest::prelude::*;

use super::{Archive, Error, Mode};

/// A file as read back.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    inode: u32,
    mode: u32,
    links: u32,
    device: (u32, u32),
    path: String,
    content: Vec<u8>,
}

/// Reads an archive from the form's description; `None` where it breaks it.
fn read(archive: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut at = 0usize;
    loop {
        let header = std::str::from_utf8(archive.get(at..at + 110)?).ok()?;
        let digits = header.strip_prefix("070701")?;
        let field = |n: usize| u32::from_str_radix(digits.get(n * 8..n * 8 + 8)?, 16).ok();
        let path_end = at + 110 + field(11)? as usize;
        let path = archive.get(at + 110..path_end)?.strip_suffix(&[0])?;
        let path = String::from_utf8(path.to_vec()).ok()?;
        let content_at = path_end.next_multiple_of(4);
        let content_end = content_at + field(6)? as usize;
        if path == "TRAILER!!!" {
            return (content_end.next_multiple_of(4) == archive.len()).then_some(entries);
        }
        entries.push(Entry {
            inode: field(0)?,
            mode: field(1)?,
            links: field(4)?,
            device: (field(9)?, field(10)?),
            path,
            content: archive.get(content_at..content_end)?.to_vec(),
        });
        at = content_end.next_multiple_of(4);
    }
}

#[test]
fn what_is_written_can_be_read() -> Result<(), Error> {
    let mut archive = Archive::default();
    archive.directory("dev")?;
    archive.character_device("dev/console", 5, 1)?;
    archive.file("init", Mode::Program, b"#!/bin/sh\n")?;
    archive.file("empty", Mode::Data, b"")?;
    let entry = |inode, mode, device, path: &str, content: &[u8]| Entry {
        inode,
        mode,
        links: 1,
        device,
        path: path.to_owned(),
        content: content.to_vec(),
    };
    let expected = vec![
        entry(1, 0o040_755, (0, 0), "dev", b""),
        entry(2, 0o020_600, (5, 1), "dev/console", b""),
        entry(3, 0o100_755, (0, 0), "init", b"#!/bin/sh\n"),
        entry(4, 0o100_644, (0, 0), "empty", b""),
    ];
    assert_eq!(read(&archive.finish()), Some(expected));
    Ok(())
}

#[test]
fn the_form_is_that_of_cpio() -> Result<(), Error> {
    let mut archive = Archive::default();
    archive.file("a", Mode::Data, b"b\n")?;
    let expected = "070701\
        00000001000081a40000000000000000000000010000000000000002\
        000000000000000000000000000000000000000200000000a\0b\n\0\0\
        070701\
        00000000000000000000000000000000000000010000000000000000\
        00000000000000000000000000000000\
        0000000b00000000TRAILER!!!\0\0\0\0";
    assert_eq!(String::from_utf8_lossy(&archive.finish()), expected);
    Ok(())
}

#[test]
fn an_empty_archive_is_one() {
    assert_eq!(read(&Archive::default().finish()), Some(vec![]));
}

#[test]
fn unfit_paths_are_refused() {
    let mut archive = Archive::default();
    let long = "x".repeat(4096);
    for path in ["", "/", "/init", "a//b", "a/", ".", "a/../b", "a\0b", "TRAILER!!!", &long] {
        let expected = Err(Error::Path(path.to_owned()));
        assert_eq!(archive.file(path, Mode::Data, b""), expected);
        assert_eq!(archive.directory(path), expected);
    }
    assert_eq!(archive.file(&long[1..], Mode::Data, b""), Ok(()));
}

#[test]
fn a_path_is_used_once() {
    let mut archive = Archive::default();
    assert_eq!(archive.directory("a"), Ok(()));
    assert_eq!(archive.file("a", Mode::Data, b""), Err(Error::Twice("a".to_owned())));
}

proptest! {
    #[test]
    fn all_contents_come_back(files in proptest::collection::btree_map("[a-z.-]{3,20}", any::<Vec<u8>>(), 0..8)) {
        let mut archive = Archive::default();
        for (path, content) in &files {
            prop_assert_eq!(archive.file(path, Mode::Data, content), Ok(()));
        }
        let read = read(&archive.finish()).unwrap_or_default();
        let found = read.into_iter().map(|entry| (entry.path, entry.content)).collect();
        prop_assert_eq!(files, found);
    }
}
