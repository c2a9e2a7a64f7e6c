//! A folder that holds one device's state.
//!
//! The file `state` holds all records. A commit writes a new file beside it,
//! lets the disk take it, and renames it over the old one: after a power cut
//! the old or the new one is there, whole. The file `lock` is locked while a
//! program uses the folder, so that no two do.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tpm::{Change, Store, StoreError};
use zeroize::Zeroizing;

use crate::journal::Journal;
use crate::records::{self, FormatError, Records};

const STATE: &str = "state";
const NEXT: &str = "state.next";
const LOCK: &str = "lock";

/// Files larger than this are refused. A device keeps far less.
const LARGEST: u64 = 16 << 20;

/// How much a commit withstands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The machine may lose its power: the disk has taken the change.
    Power,
    /// This program may be killed: the operating system has taken the change.
    Process,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("cannot use {}: {cause}", .path.display())]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// Another program has the folder.
    #[error("{} is in use: stop the other program, or take another folder", .path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The state is too large to be one.
    #[error("{} has more than {LARGEST} bytes: it is no state of this device", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The state cannot be read.
    #[error("cannot read {}: {cause}", .path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: FormatError,
    },
}

/// A folder in use.
pub struct StateFolder {
    path: PathBuf,
    durability: Durability,
    records: Records,
    journal: Arc<Journal>,
    /// The operating system unlocks when it is closed.
    _lock: File,
}

impl StateFolder {
    /// Takes the folder, makes it if it is missing, and reads what is there.
    /// Failures of later commits are told to `journal`.
    ///
    /// # Errors
    ///
    /// [`FolderError`].
    pub fn open(
        path: &Path,
        durability: Durability,
        journal: Arc<Journal>,
    ) -> Result<Self, FolderError> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            |cause| FolderError::Unusable { path, cause }
        };
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(unusable(path)(error));
            }
            _ => {}
        }
        let lock_path = path.join(LOCK);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&lock_path).map_err(unusable(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FolderError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(&lock_path)(error)),
        }
        let records = read(&path.join(STATE))?;
        Ok(Self { path: path.to_owned(), durability, records, journal, _lock: lock })
    }

    /// Whether no device is in the folder yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    fn write(&self, records: &Records) -> io::Result<()> {
        let next = self.path.join(NEXT);
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&next)?;
        file.write_all(&records::encode(records))?;
        if self.durability == Durability::Power {
            file.sync_all()?;
        }
        drop(file);
        std::fs::rename(&next, self.path.join(STATE))?;
        if self.durability == Durability::Power {
            File::open(&self.path)?.sync_all()?;
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Records, FolderError> {
    let unusable = |cause| FolderError::Unusable { path: path.to_owned(), cause };
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Records::new()),
        other => other.map_err(unusable)?,
    };
    let size = file.metadata().map_err(unusable)?.len();
    if size > LARGEST {
        return Err(FolderError::TooLarge { path: path.to_owned() });
    }
    let capacity = usize::try_from(size).map_err(|cause| unusable(io::Error::other(cause)))?;
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(LARGEST).read_to_end(&mut content).map_err(unusable)?;
    records::decode(&content).map_err(|cause| FolderError::Format { path: path.to_owned(), cause })
}

impl Store for StateFolder {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        Ok(self.records.iter().map(|(key, content)| (*key, content.to_vec())).collect())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut records = self.records.clone();
        for change in changes {
            match &change.content {
                Some(content) => {
                    records.insert(change.key, Zeroizing::new(content.clone()));
                }
                None => {
                    records.remove(&change.key);
                }
            }
        }
        if let Err(error) = self.write(&records) {
            self.journal
                .warn(&format!("cannot write the state in {}: {error}", self.path.display()));
            return Err(StoreError);
        }
        self.records = records;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
