//! Reading input files, bounded.
//!
//! Every file that an image is made of is read through [`read`], which refuses
//! what is not a regular file or larger than a stated limit before it takes any
//! memory for it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot read the {what} {}: {source}", path.display())]
    Io {
        /// What the file is for, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A directory, device, pipe or the like.
    #[error("the {what} {} is not a regular file", path.display())]
    NotAFile {
        /// What the file is for, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Nothing in it.
    #[error("the {what} {} is empty", path.display())]
    Empty {
        /// What the file is for, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Larger than allowed.
    #[error("the {what} {} is larger than the allowed {limit} bytes", path.display())]
    TooLarge {
        /// What the file is for, in words.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Most bytes allowed.
        limit: u64,
    },
}

/// Reads the regular file `path`, called `what` in messages, of 1 to `limit`
/// bytes.
///
/// # Errors
///
/// See [`Error`]; each one names the file.
pub fn read(path: &Path, what: &'static str, limit: u64) -> Result<Vec<u8>, Error> {
    let path_buf = || path.to_path_buf();
    let failed = |source| Error::Io { what, path: path_buf(), source };

    // Opening a pipe would wait for its other end, so look before.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(Error::NotAFile { what, path: path_buf() });
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    // The size is judged by what can be read, not by what the metadata says:
    // the file may grow meanwhile.
    let read = file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > limit {
        return Err(Error::TooLarge { what, path: path_buf(), limit });
    }
    if read == 0 {
        return Err(Error::Empty { what, path: path_buf() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn limit_is_inclusive() {
        let folder = folder();
        let path = folder.path().join("f");
        std::fs::write(&path, b"abcd").unwrap();
        assert_eq!(read(&path, "test", 4).unwrap(), b"abcd");
        let error = read(&path, "test", 3).unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 3, .. }));
        assert!(error.to_string().contains(&path.display().to_string()));
    }

    #[test]
    fn only_regular_files_with_content() {
        let folder = folder();
        assert!(matches!(read(folder.path(), "test", 9), Err(Error::NotAFile { .. })));
        let path = folder.path().join("f");
        assert!(matches!(read(&path, "test", 9), Err(Error::Io { .. })));
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(read(&path, "test", 9), Err(Error::Empty { .. })));
    }
}
