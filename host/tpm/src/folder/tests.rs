//! Commits, locks, damage.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use tpm::{Change, Store};

use super::{Durability, FolderError, StateFolder};
use crate::journal::Journal;
use crate::records::FormatError;

fn open(path: &Path) -> Result<StateFolder, FolderError> {
    StateFolder::open(path, Durability::Power, Arc::new(Journal::silent()))
}

fn set(key: u32, content: &[u8]) -> Change {
    Change { key, content: Some(content.to_vec()) }
}

#[test]
fn what_was_committed_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("device");
    let mut state = open(&path).unwrap();
    assert!(state.is_empty());
    state.commit(&[set(1, b"one"), set(2, b"two")]).unwrap();
    state.commit(&[Change { key: 1, content: None }, set(2, b"zwei")]).unwrap();
    drop(state);
    let mut state = open(&path).unwrap();
    assert_eq!(state.load().unwrap(), [(2, b"zwei".to_vec())]);
    let mode = |name: &str| path.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("state.0"), mode("state.1")], [0o600; 2]);
    assert_eq!(mode("."), 0o700);
}

#[test]
fn a_folder_is_used_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let error = open(folder.path()).err().expect("it is in use");
    assert!(matches!(error, FolderError::InUse { .. }), "{error}");
    drop(first);
    assert!(open(folder.path()).is_ok());
}

#[test]
fn damaged_state_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path()).unwrap();
    state.commit(&[set(1, b"one")]).unwrap();
    state.commit(&[set(1, b"eins")]).unwrap();
    drop(state);
    let files = ["state.0", "state.1"].map(|name| folder.path().join(name));
    let damage = |file: &Path| {
        let mut content = std::fs::read(file).unwrap();
        content[40] ^= 1;
        std::fs::write(file, &content).unwrap();
        content
    };
    // The second commit is in the first file. Without it the one before counts.
    let content = damage(&files[0]);
    assert_eq!(open(folder.path()).unwrap().load().unwrap(), [(1, b"one".to_vec())]);
    damage(&files[1]);
    let error = open(folder.path()).err().expect("both are damaged");
    let damaged = matches!(error, FolderError::Format { cause: FormatError::Damaged, .. });
    assert!(damaged && error.to_string().contains("state.0"), "{error}");
    assert_eq!(std::fs::read(&files[0]).unwrap(), content);
}

#[test]
fn other_programs_files_and_newer_state_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path()).unwrap();
    state.commit(&[set(1, b"one")]).unwrap();
    drop(state);
    std::fs::write(folder.path().join("state.0"), b"svsm-tpm\0\0\0\x02").unwrap();
    let error = open(folder.path()).err().expect("it is newer");
    let newer = matches!(error, FolderError::Format { cause: FormatError::Newer { found: 2 }, .. });
    assert!(newer, "{error}");
    std::fs::remove_file(folder.path().join("state.1")).unwrap();
    std::fs::write(folder.path().join("state.0"), b"not ours").unwrap();
    assert!(matches!(open(folder.path()), Err(FolderError::Format { .. })));
}

#[test]
fn a_power_cut_at_any_byte_leaves_the_state_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path()).unwrap();
    for content in [b"first", b"secnd", b"third"] {
        state.commit(&[set(1, content)]).unwrap();
    }
    drop(state);
    // The third commit overwrote the first.
    let file = folder.path().join("state.1");
    let new = std::fs::read(&file).unwrap();
    let old = crate::records::encode(
        &[(1, zeroize::Zeroizing::new(b"first".to_vec()))].into_iter().collect(),
        1,
    );
    for written in 0..old.len() {
        let mut torn = new.clone();
        torn[written..old.len()].copy_from_slice(&old[written..]);
        std::fs::write(&file, &torn).unwrap();
        let loaded = open(folder.path()).unwrap().load().unwrap();
        let third = torn == new;
        let expected = if third { b"third" } else { b"secnd" };
        assert_eq!(loaded, [(1, expected.to_vec())], "{written}");
    }
}

#[test]
fn a_commit_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path()).unwrap();
    state.commit(&[set(1, b"one")]).unwrap();
    let large = set(2, &vec![0; usize::try_from(super::LARGEST).unwrap()]);
    assert!(state.commit(&[set(1, b"eins"), large]).is_err());
    assert_eq!(state.load().unwrap(), [(1, b"one".to_vec())]);
    state.commit(&[set(3, b"three")]).unwrap();
    drop(state);
    let loaded = open(folder.path()).unwrap().load().unwrap();
    assert_eq!(loaded, [(1, b"one".to_vec()), (3, b"three".to_vec())]);
}

#[test]
fn a_missing_parent_and_a_huge_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("a/b")).err().expect("no parent");
    assert!(matches!(error, FolderError::Unusable { .. }), "{error}");
    let file = std::fs::File::create(folder.path().join("state.0")).unwrap();
    file.set_len(super::LARGEST + 1).unwrap();
    let error = open(folder.path()).err().expect("too large");
    assert!(matches!(error, FolderError::TooLarge { .. }), "{error}");
}
