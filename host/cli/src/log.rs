//! A file that takes what programs write, so that the screen shows only what
//! matters and nothing is lost.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// An open log file.
pub(crate) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Starts an empty log, with the folders above it.
    ///
    /// # Errors
    ///
    /// The file or a folder cannot be created.
    pub(crate) fn create(path: PathBuf) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
        }
        let file =
            File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self { path, file })
    }

    /// Where the log is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn say(&mut self, line: &str) -> Result<()> {
        writeln!(self.file, "{line}")
            .with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Runs a command without input; both its streams go into the log.
    ///
    /// # Errors
    ///
    /// It cannot be started or fails.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        self.say(&format!("$ {}", process::show(command)))?;
        let status = command
            .stdin(Stdio::null())
            .stdout(self.stream()?)
            .stderr(self.stream()?)
            .status()
            .with_context(|| {
                format!("cannot start `{}`", command.get_program().to_string_lossy())
            })?;
        if !status.success() {
            bail!("`{}` failed ({status})", process::show(command));
        }
        Ok(())
    }

    /// The log as a program's output stream.
    ///
    /// # Errors
    ///
    /// The operating system has no more file handles.
    pub(crate) fn stream(&self) -> Result<Stdio> {
        Ok(self.file.try_clone().context("cannot share the log file")?.into())
    }

    /// Everything written so far.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn text(&self) -> Result<String> {
        let bytes = std::fs::read(&self.path)
            .with_context(|| format!("cannot read {}", self.path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The last `count` lines.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn tail(&self, count: usize) -> Result<String> {
        let text = self.text()?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(count)..].join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Log;

    #[test]
    fn keeps_both_streams_in_order() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut log = Log::create(folder.path().join("a/b.log"))?;
        log.run(Command::new("sh").args(["-c", "echo one; echo two >&2"]))?;
        log.say("three")?;
        assert_eq!(log.tail(3)?, "one\ntwo\nthree");
        assert!(log.text()?.starts_with("$ sh -c"));
        assert_eq!(log.tail(100)?.lines().count(), 4);
        Ok(())
    }

    #[test]
    fn a_failing_command_is_an_error() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut log = Log::create(folder.path().join("log"))?;
        assert!(log.run(&mut Command::new("false")).is_err());
        Ok(())
    }
}
