//! A Unix socket that listens: only its owner may connect, and its file goes
//! when it does.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket.
pub(crate) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// Listens at `path`. A socket that an ended program left there is replaced.
    ///
    /// # Errors
    ///
    /// Another program listens there, something else is there, or the operating
    /// system refuses.
    pub(crate) fn listen(path: &Path) -> io::Result<Self> {
        match path.symlink_metadata() {
            Ok(data) if !data.file_type().is_socket() => {
                return Err(io::Error::new(ErrorKind::AlreadyExists, "it is there, and no socket"));
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(io::Error::new(ErrorKind::AddrInUse, "another program listens there"));
            }
            Ok(_) => std::fs::remove_file(path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(path)?;
        let socket = Self { listener, path: path.to_owned() };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(socket)
    }

    /// The next connection.
    ///
    /// # Errors
    ///
    /// As of the operating system.
    pub(crate) fn accept(&self) -> io::Result<OwnedFd> {
        self.listener.accept().map(|(stream, _)| stream.into())
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        // Whoever removed it before us wanted the same.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::UnixSocket;

    #[test]
    fn a_file_that_was_left_is_replaced_and_goes_with_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        // The standard library's listener leaves its file.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = UnixSocket::listen(&path).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        assert!(UnixSocket::listen(&path).is_err());
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "content").unwrap();
        assert!(UnixSocket::listen(&path).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"content");
    }
}
