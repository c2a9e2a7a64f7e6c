//! Archives in the form that Linux unpacks into its first file system.
//!
//! The form is cpio's "newc" [Linux
//! `Documentation/driver-api/early-userspace/buffer-format.rst`]: for each
//! file a header of ASCII digits, its path, its content. All files belong to
//! root and carry no time.

use std::collections::BTreeSet;

use thiserror::Error as ThisError;

/// Begins each header.
const MAGIC: &str = "070701";
/// The path that ends an archive.
const TRAILER: &str = "TRAILER!!!";
/// What paths and contents are padded to, in bytes.
const ALIGNMENT: usize = 4;
/// Longest path with the zero byte at its end: Linux skips longer ones
/// (`PATH_MAX`).
const LONGEST_PATH: usize = 4096;

/// Why a file cannot be put into an archive.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Not a relative path of ordinary components.
    #[error(
        "`{0}` cannot be a path in an archive: it must be relative, without empty components, \
         `.`, `..` and zero bytes, and shorter than 4096 bytes"
    )]
    Path(String),
    /// A path was used before.
    #[error("there are two files called `{0}`")]
    Twice(String),
    /// Its size has more than 32 bits.
    #[error("`{0}` is too large: files in an archive are below 4 GiB")]
    TooLarge(String),
}

/// Permission bits of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All may read it.
    Data,
    /// All may read and execute it.
    Program,
}

/// Kinds of files, as `S_IFMT` of a mode has them [inode(7)].
const DIRECTORY: u32 = 0o040_000;
const REGULAR_FILE: u32 = 0o100_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// An archive that is being written.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    paths: BTreeSet<String>,
}

/// What differs between headers.
#[derive(Default)]
struct Header {
    inode: u32,
    mode: u32,
    size: u32,
    /// Major and minor number of the device that a device file stands for.
    device: (u32, u32),
}

impl Archive {
    /// Adds a directory. The directories above it have to be there before.
    ///
    /// # Errors
    ///
    /// The path is unfit or used.
    pub fn directory(&mut self, path: &str) -> Result<(), Error> {
        self.add(path, Header { mode: DIRECTORY | 0o755, ..Header::default() }, &[])
    }

    /// Adds a regular file.
    ///
    /// # Errors
    ///
    /// The path is unfit or used, or the content is too large.
    pub fn file(&mut self, path: &str, mode: Mode, content: &[u8]) -> Result<(), Error> {
        let permissions = match mode {
            Mode::Data => 0o644,
            Mode::Program => 0o755,
        };
        let size = u32::try_from(content.len()).map_err(|_| Error::TooLarge(path.to_owned()))?;
        let header = Header { mode: REGULAR_FILE | permissions, size, ..Header::default() };
        self.add(path, header, content)
    }

    /// Adds a file that stands for a character device, for root only.
    ///
    /// # Errors
    ///
    /// The path is unfit or used.
    pub fn character_device(&mut self, path: &str, major: u32, minor: u32) -> Result<(), Error> {
        let mode = CHARACTER_DEVICE | 0o600;
        self.add(path, Header { mode, device: (major, minor), ..Header::default() }, &[])
    }

    /// The finished archive.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.write(TRAILER, &Header::default(), &[]);
        self.bytes
    }

    fn add(&mut self, path: &str, header: Header, content: &[u8]) -> Result<(), Error> {
        if !is_fit(path) {
            return Err(Error::Path(path.to_owned()));
        }
        if !self.paths.insert(path.to_owned()) {
            return Err(Error::Twice(path.to_owned()));
        }
        // Files with the same number would be taken for links to one file. A
        // path takes more than a byte, so memory ends before numbers do.
        let inode = u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        self.write(path, &Header { inode, ..header }, content);
        Ok(())
    }

    fn write(&mut self, path: &str, header: &Header, content: &[u8]) {
        let Header { inode, mode, size, device: (major, minor) } = *header;
        let (user, group, links, time, checksum) = (0, 0, 1, 0, 0);
        let (disk_major, disk_minor) = (0, 0);
        // Paths are shorter than `LONGEST_PATH`.
        let path_size = path.len() as u32 + 1;
        self.bytes.extend(MAGIC.bytes());
        for field in [
            inode, mode, user, group, links, time, size, disk_major, disk_minor, major, minor,
            path_size, checksum,
        ] {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(path.bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
    }
}

/// Whether Linux makes a file at this very path, below the root directory.
fn is_fit(path: &str) -> bool {
    let fit = |part: &str| !matches!(part, "" | "." | "..");
    path != TRAILER && path.len() < LONGEST_PATH && !path.contains('\0') && path.split('/').all(fit)
}

#[cfg(test)]
mod tests;
