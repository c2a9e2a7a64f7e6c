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
    assert_eq!(mode("state"), 0o600);
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
    open(folder.path()).unwrap().commit(&[set(1, b"one")]).unwrap();
    let file = folder.path().join("state");
    let mut content = std::fs::read(&file).unwrap();
    content[20] ^= 1;
    std::fs::write(&file, &content).unwrap();
    let error = open(folder.path()).err().expect("it is damaged");
    let damaged = matches!(error, FolderError::Format { cause: FormatError::Damaged, .. });
    assert!(damaged && error.to_string().contains("state"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), content);
}

#[test]
fn what_a_power_cut_left_half_written_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).unwrap().commit(&[set(1, b"one")]).unwrap();
    std::fs::write(folder.path().join("state.next"), b"svsm-t").unwrap();
    let mut state = open(folder.path()).unwrap();
    assert_eq!(state.load().unwrap(), [(1, b"one".to_vec())]);
    state.commit(&[set(1, b"eins")]).unwrap();
    assert_eq!(state.load().unwrap(), [(1, b"eins".to_vec())]);
}

#[test]
fn a_commit_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path()).unwrap();
    state.commit(&[set(1, b"one")]).unwrap();
    // A folder where the new file should be cannot be written to.
    std::fs::create_dir(folder.path().join("state.next")).unwrap();
    assert!(state.commit(&[set(1, b"eins")]).is_err());
    assert_eq!(state.load().unwrap(), [(1, b"one".to_vec())]);
    drop(state);
    assert_eq!(open(folder.path()).unwrap().load().unwrap(), [(1, b"one".to_vec())]);
}

#[test]
fn a_missing_parent_and_a_huge_file_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(&folder.path().join("a/b")).err().expect("no parent");
    assert!(matches!(error, FolderError::Unusable { .. }), "{error}");
    let file = std::fs::File::create(folder.path().join("state")).unwrap();
    file.set_len(super::LARGEST + 1).unwrap();
    let error = open(folder.path()).err().expect("too large");
    assert!(matches!(error, FolderError::TooLarge { .. }), "{error}");
}
