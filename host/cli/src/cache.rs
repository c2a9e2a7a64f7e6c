//! The folder that keeps what set-up has fetched or built.
//!
//! Things are made in a staging folder beside their place and renamed into it,
//! so that what is there is complete; a lock keeps two set-ups from making the
//! same thing at once.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use tempfile::TempDir;

use crate::terminal::{Terminal, Tone};

/// Marks a folder as a cache of ours: backup programs leave it out, and
/// `clean --cache` deletes nothing that lacks it.
const TAG_FILE: &str = "CACHEDIR.TAG";

/// The first line is fixed by <https://bford.info/cachedir/>.
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55
# This folder was made by `cargo svsm setup`. It can be deleted at any time;
# what is needed again is then fetched or built again.
";

/// The cache folder. It need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// `$SVSM_CACHE`, else `$XDG_CACHE_HOME/svsm`, else `~/.cache/svsm`.
    ///
    /// # Errors
    ///
    /// None of the variables leads to an absolute path.
    pub(crate) fn locate() -> Result<Self> {
        Self::decide(&|name| std::env::var_os(name))
    }

    fn decide(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self> {
        let given = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let root = given("SVSM_CACHE")
            .or_else(|| given("XDG_CACHE_HOME").map(|folder| folder.join("svsm")))
            .or_else(|| given("HOME").map(|folder| folder.join(".cache/svsm")))
            .ok_or_else(|| anyhow!("no place for the cache: set HOME or SVSM_CACHE"))?;
        if root.is_relative() {
            bail!(
                "the cache folder {} is relative: set SVSM_CACHE to an absolute path",
                root.display()
            );
        }
        Ok(Self { root })
    }

    /// The cache in this folder.
    #[cfg(test)]
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The cache folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A place inside the cache.
    pub(crate) fn join(&self, place: impl AsRef<Path>) -> PathBuf {
        self.root.join(place)
    }

    /// Waits until no other set-up changes the cache, and keeps others out
    /// until the answer is dropped.
    ///
    /// # Errors
    ///
    /// The cache cannot be created or locked.
    pub(crate) fn lock(&self, terminal: Terminal) -> Result<Lock> {
        self.create()?;
        let path = self.join("lock");
        let failed = || format!("cannot lock {}", path.display());
        let file = File::create(&path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let note = format!("waiting for another set-up that holds {}", path.display());
                terminal.line(&terminal.paint(Tone::Notable, &note))?;
                file.lock().with_context(failed)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        Ok(Lock { _file: file })
    }

    /// A new empty folder on the cache's file system, deleted when dropped.
    ///
    /// # Errors
    ///
    /// It cannot be created.
    pub(crate) fn staging(&self) -> Result<TempDir> {
        let folder = self.join("staging");
        std::fs::create_dir_all(&folder)
            .and_then(|()| tempfile::tempdir_in(&folder))
            .with_context(|| format!("cannot create a folder in {}", folder.display()))
    }

    /// Moves a finished folder from the staging area to its place. What is in
    /// that place already is replaced: callers hold the lock and have found it
    /// to be of no use.
    ///
    /// # Errors
    ///
    /// The file system refuses.
    pub(crate) fn put(&self, finished: &Path, place: &Path) -> Result<()> {
        let failed = || format!("cannot put a folder at {}", place.display());
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).with_context(failed)?;
        }
        if place.exists() {
            std::fs::remove_dir_all(place).with_context(failed)?;
        }
        std::fs::rename(finished, place).with_context(failed)
    }

    /// Deletes the cache.
    ///
    /// # Errors
    ///
    /// The folder was not made by us, or the file system refuses.
    pub(crate) fn delete(&self) -> Result<()> {
        if !self.join(TAG_FILE).is_file() {
            bail!(
                "{} does not look like a cache of this program (it has no {TAG_FILE}): \
                 nothing was deleted",
                self.root.display()
            );
        }
        std::fs::remove_dir_all(&self.root)
            .with_context(|| format!("cannot delete {}", self.root.display()))
    }

    fn create(&self) -> Result<()> {
        let tag = self.join(TAG_FILE);
        if tag.is_file() {
            return Ok(());
        }
        let empty = std::fs::read_dir(&self.root).map_or(true, |mut files| files.next().is_none());
        // Another process may have made the cache since the first look.
        if !empty && !tag.is_file() {
            bail!(
                "{} holds files that are not from this program: \
                 set SVSM_CACHE to a new or empty folder",
                self.root.display()
            );
        }
        std::fs::create_dir_all(&self.root)
            .and_then(|()| std::fs::write(&tag, TAG))
            .with_context(|| format!("cannot create the cache {}", self.root.display()))
    }
}

/// Keeps other set-ups out of the cache while it lives.
pub(crate) struct Lock {
    /// The operating system unlocks when it is closed.
    _file: File,
}

#[cfg(test)]
mod tests;
