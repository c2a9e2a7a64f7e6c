//! A folder that holds one device's state.
//!
//! The files `state.0` and `state.1` each hold all records. A commit overwrites
//! the older one and lets the disk take it: after a power cut in between the
//! newer one is whole, and that is the state before the commit. A file that is
//! not whole is passed over. The file `lock` is locked while a program uses the
//! folder, so that no two do.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tpm::{Change, MemoryStore, Records, Store, StoreError};
use zeroize::Zeroizing;

use crate::journal::Journal;
use crate::records::{self, FormatError};

const SLOTS: [&str; 2] = ["state.0", "state.1"];
const LOCK: &str = "lock";

/// Files larger than this are refused. A device keeps far less.
const LARGEST: u64 = 16 << 20;
/// Files grow in steps, so that most commits change only their content.
const STEP: u64 = 64 << 10;

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
    state: MemoryStore,
    /// That of the state; the file with its last bit as number has it.
    generation: u64,
    slots: [File; 2],
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
        let unusable = |cause| FolderError::Unusable { path: path.to_owned(), cause };
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(unusable(error)),
            _ => {}
        }
        let lock = open(&path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FolderError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let slots = [open(&path.join(SLOTS[0]))?, open(&path.join(SLOTS[1]))?];
        // The files' names have to last, too.
        File::open(path).and_then(|folder| folder.sync_all()).map_err(unusable)?;
        let found = [read(path, 0, &slots[0])?, read(path, 1, &slots[1])?];
        let (records, generation) = newest(path, found, &journal)?;
        Ok(Self {
            path: path.to_owned(),
            durability,
            state: MemoryStore { records },
            generation,
            slots,
            journal,
            _lock: lock,
        })
    }

    /// Whether no device is in the folder yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.records.is_empty()
    }

    /// Writes to the file that does not hold the state now.
    fn write(&self, records: &Records, generation: u64) -> io::Result<()> {
        let content = records::encode(records, generation);
        let slot = &self.slots[usize::from(generation % 2 == 1)];
        let length = content.len() as u64;
        if length > LARGEST {
            return Err(io::Error::other("the state is too large"));
        }
        if slot.metadata()?.len() < length {
            slot.set_len(length.next_multiple_of(STEP))?;
        }
        slot.write_all_at(&content, 0)?;
        if self.durability == Durability::Power { slot.sync_data() } else { Ok(()) }
    }
}

fn open(path: &Path) -> Result<File, FolderError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(|cause| FolderError::Unusable { path: path.to_owned(), cause })
}

/// What a file holds.
enum Slot {
    /// Nothing yet.
    Empty,
    State(Records, u64),
    /// Something that is not whole, or no state at all.
    Unusable(FormatError),
}

fn read(folder: &Path, number: usize, file: &File) -> Result<Slot, FolderError> {
    let path = || folder.join(SLOTS[number]);
    let unusable = |cause| FolderError::Unusable { path: path(), cause };
    let size = file.metadata().map_err(unusable)?.len();
    if size > LARGEST {
        return Err(FolderError::TooLarge { path: path() });
    }
    let capacity = usize::try_from(size).map_err(|cause| unusable(io::Error::other(cause)))?;
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(LARGEST).read_to_end(&mut content).map_err(unusable)?;
    if content.iter().all(|byte| *byte == 0) {
        return Ok(Slot::Empty);
    }
    match records::decode(&content) {
        Ok((records, generation)) => Ok(Slot::State(records, generation)),
        // An older program must not go on from an older state.
        Err(cause @ FormatError::Newer { .. }) => Err(FolderError::Format { path: path(), cause }),
        Err(cause) => Ok(Slot::Unusable(cause)),
    }
}

/// The newer of two states. One that is not whole is what a power cut leaves,
/// if the other one is.
fn newest(
    folder: &Path,
    found: [Slot; 2],
    journal: &Journal,
) -> Result<(Records, u64), FolderError> {
    match found {
        [Slot::Empty, Slot::Empty] => Ok((Records::new(), 0)),
        [Slot::State(_, one), Slot::State(records, two)] if two > one => Ok((records, two)),
        [Slot::State(records, one), Slot::State(..)] => Ok((records, one)),
        [Slot::State(records, number), Slot::Empty]
        | [Slot::Empty, Slot::State(records, number)] => Ok((records, number)),
        [Slot::State(records, number), Slot::Unusable(_)]
        | [Slot::Unusable(_), Slot::State(records, number)] => {
            let (whole, other) =
                (SLOTS[usize::from(number % 2 == 1)], SLOTS[usize::from(number % 2 == 0)]);
            journal.warn(&format!(
                "{} in {} is not whole, as after a power cut; {whole} is used",
                other,
                folder.display()
            ));
            Ok((records, number))
        }
        [Slot::Unusable(cause), _] => {
            Err(FolderError::Format { path: folder.join(SLOTS[0]), cause })
        }
        [_, Slot::Unusable(cause)] => {
            Err(FolderError::Format { path: folder.join(SLOTS[1]), cause })
        }
    }
}

impl Store for StateFolder {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        self.state.load()
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let mut state = self.state.clone();
        state.apply(changes);
        let generation = self.generation + 1;
        if let Err(error) = self.write(&state.records, generation) {
            self.journal
                .warn(&format!("cannot write the state in {}: {error}", self.path.display()));
            return Err(StoreError);
        }
        self.state = state;
        self.generation = generation;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
