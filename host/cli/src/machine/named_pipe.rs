//! A pipe with a name, through which another program writes to this one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat};

/// A named pipe that is open for reading. Whoever makes it removes the folder
/// that it lies in.
#[derive(Debug)]
pub(crate) struct NamedPipe {
    path: PathBuf,
    file: File,
}

impl NamedPipe {
    /// Makes the pipe at `path` and opens it, so that no writer has to wait for
    /// a reader.
    ///
    /// # Errors
    ///
    /// Something of this name is there, or the file system has no pipes.
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR)
            .with_context(|| format!("cannot create the pipe {}", path.display()))?;
        // Opening would otherwise wait for the writer.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags)
            .open(&path)
            .with_context(|| format!("cannot open the pipe {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// Where writers find it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The reading end.
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};

    use super::NamedPipe;

    #[test]
    fn carries_bytes_from_whoever_knows_the_name() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let pipe = NamedPipe::create(folder.path().join("pipe"))?;
        std::fs::write(pipe.path(), "hello")?;
        let mut bytes = [0; 9];
        let mut file = pipe.into_file();
        assert_eq!(file.read(&mut bytes)?, 5);
        assert_eq!(&bytes[..5], b"hello");
        Ok(())
    }

    #[test]
    fn reading_never_waits() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("pipe");
        let pipe = NamedPipe::create(path.clone())?;
        let _writer = std::fs::OpenOptions::new().write(true).open(&path)?;
        let error = pipe.into_file().read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(error, Err(ErrorKind::WouldBlock));
        Ok(())
    }

    #[test]
    fn a_name_that_is_taken_is_refused() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("pipe");
        std::fs::write(&path, "")?;
        let error = NamedPipe::create(path.clone()).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains(&path.display().to_string())));
        Ok(())
    }
}
