//! Files of certificates and keys: bounded, and secret where they must be.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Most bytes of a file that are read; certificates have some 2000.
const MAX_FILE_SIZE: usize = 64 << 10;

/// Permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrecy {
    /// Anybody.
    Public,
    /// Its owner alone.
    Secret,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The operating system refused to read it.
    #[error("cannot read {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// The operating system refused to write it.
    #[error("cannot write {}: {cause}", .path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
    /// It is a folder, a device, a pipe or the like.
    #[error("{} is not a regular file", .path.display())]
    NotAFile {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than any certificate or key.
    #[error(
        "{} has more than {MAX_FILE_SIZE} bytes: it holds no certificate and no key",
        .path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It holds a secret that others can read or change.
    #[error(
        "{} holds a private key, and its mode {mode:o} gives others access: run `chmod 600` on it \
         if nobody had, or delete it",
        .path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Reads a regular file. What it held is wiped when the answer is dropped.
///
/// # Errors
///
/// It cannot be read, is no regular file, is too large, or is a secret that
/// others can get at.
pub(crate) fn read(path: &Path, secrecy: Secrecy) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let owned = || path.to_owned();
    let failed = |cause| FileError::Read { path: owned(), cause };
    // Opening a pipe would wait for its other end, so look before.
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(FileError::NotAFile { path: owned() });
    }
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if secrecy == Secrecy::Secret && mode & OTHERS != 0 {
        return Err(FileError::Exposed { path: owned(), mode });
    }
    // With its final capacity from the start: growing would leave copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_FILE_SIZE + 1));
    file.take(MAX_FILE_SIZE as u64 + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() > MAX_FILE_SIZE {
        return Err(FileError::TooLarge { path: owned() });
    }
    Ok(content)
}

/// Makes a folder that only its owner can look into.
///
/// # Errors
///
/// It is there already, or the operating system refuses.
pub(crate) fn create(path: &Path) -> Result<(), FileError> {
    let failed = |cause| FileError::Write { path: path.to_owned(), cause };
    DirBuilder::new().mode(0o700).create(path).map_err(failed)
}

/// Writes a file that is not there yet.
///
/// # Errors
///
/// It is there already, or the operating system refuses.
pub(crate) fn write(path: &Path, content: &[u8], secrecy: Secrecy) -> Result<(), FileError> {
    let failed = |cause| FileError::Write { path: path.to_owned(), cause };
    let mode = match secrecy {
        Secrecy::Public => 0o644,
        Secrecy::Secret => 0o600,
    };
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_sane_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(matches!(read(&path, Secrecy::Public), Err(FileError::Read { .. })));
        assert!(matches!(read(folder.path(), Secrecy::Public), Err(FileError::NotAFile { .. })));
        std::fs::write(&path, vec![1; MAX_FILE_SIZE]).unwrap();
        assert_eq!(read(&path, Secrecy::Public).unwrap().len(), MAX_FILE_SIZE);
        std::fs::write(&path, vec![1; MAX_FILE_SIZE + 1]).unwrap();
        let error = read(&path, Secrecy::Public).unwrap_err();
        assert!(matches!(error, FileError::TooLarge { .. }));
        assert!(error.to_string().contains(&path.display().to_string()));
    }

    #[test]
    fn secrets_are_for_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, b"secret", Secrecy::Secret).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read(&path, Secrecy::Secret).unwrap().as_slice(), b"secret");
        for mode in [0o640, 0o604, 0o620, 0o610] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&path, Secrecy::Secret).unwrap_err();
            assert!(matches!(error, FileError::Exposed { mode: m, .. } if m == mode), "{error}");
            assert!(read(&path, Secrecy::Public).is_ok());
        }
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write(&path, b"first", Secrecy::Public).unwrap();
        let error = write(&path, b"second", Secrecy::Public).unwrap_err();
        assert!(matches!(error, FileError::Write { .. }));
        assert_eq!(read(&path, Secrecy::Public).unwrap().as_slice(), b"first");
        assert!(matches!(create(folder.path()), Err(FileError::Write { .. })));
    }
}
