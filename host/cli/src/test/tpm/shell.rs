//! A shell with a device of its own: what scenarios and others' tests are
//! played in.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Starts the device, and has functions for those who use it.
const PRELUDE: &str = include_str!("prelude.sh");

/// Names of a protocol, for our program and for tpm2-tools.
pub(super) type Protocol = (&'static str, &'static str);

/// A script and its surroundings.
pub(super) struct Play<'a> {
    /// What is done once the device serves.
    pub(super) script: &'a str,
    /// How the device is spoken to.
    pub(super) protocol: Protocol,
    /// Programs that go before those of the `PATH`.
    pub(super) programs: &'a [&'a Path],
    /// Variables that the script wants.
    pub(super) variables: &'a [(&'a str, &'a OsStr)],
    /// A folder that is not there yet.
    pub(super) folder: &'a Path,
    /// How long it may take.
    pub(super) limit: Duration,
}

impl Play<'_> {
    /// Plays it; both streams of all that it starts go to `output`.
    ///
    /// # Errors
    ///
    /// It cannot be started, or takes too long.
    pub(super) fn play(&self, output: impl Fn() -> Result<Stdio>) -> Result<ExitStatus> {
        let folder = self.folder;
        std::fs::create_dir(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let programs = self.programs.iter().map(|folder| folder.to_path_buf());
        let path = std::env::join_paths(programs.chain(std::env::split_paths(&path)));
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{PRELUDE}\n{}", self.script)).current_dir(folder);
        shell.env("PATH", path.context("PATH cannot be extended")?);
        shell.env("SVSM", own).env("PROTOCOL", self.protocol.0).env("TCTI", self.protocol.1);
        shell.envs(self.variables.iter().copied());
        shell.stdin(Stdio::null()).stdout(output()?).stderr(output()?);
        // In a group of its own it can be ended with all that it has started.
        let child = shell.process_group(0).spawn().context("cannot start a shell")?;
        wait(child, self.limit)
    }
}

/// Writes a program that is a script into a folder.
///
/// # Errors
///
/// The file system refuses.
pub(super) fn write_program(folder: &Path, name: &str, script: &str) -> Result<()> {
    let path = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o755).open(&path);
    file.and_then(|mut file| file.write_all(script.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Waits for a shell's end, and ends it when its time is up.
fn wait(mut child: Child, limit: Duration) -> Result<ExitStatus> {
    const TICK: Duration = Duration::from_millis(10);
    let began = Instant::now();
    while began.elapsed() < limit {
        match child.try_wait().context("cannot wait for a shell")? {
            Some(status) => return Ok(status),
            None => std::thread::sleep(TICK),
        }
    }
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // If it has just ended there is nothing left to end.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    child.wait().context("cannot wait for a shell")?;
    bail!("the script was still running after {} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::time::Duration;

    use super::{wait, write_program};

    fn shell(script: &str) -> std::io::Result<std::process::Child> {
        Command::new("sh").args(["-c", script]).process_group(0).spawn()
    }

    #[test]
    fn ends_are_told() -> anyhow::Result<()> {
        assert!(wait(shell("true")?, Duration::from_secs(30))?.success());
        assert_eq!(wait(shell("exit 77")?, Duration::from_secs(30))?.code(), Some(77));
        let error = wait(shell("sleep 60 & wait")?, Duration::from_millis(100));
        assert!(error.is_err_and(|error| error.to_string().contains("still running")));
        Ok(())
    }

    #[test]
    fn programs_can_be_started() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        write_program(folder.path(), "three", "#!/bin/sh\nexit 3\n")?;
        assert_eq!(Command::new(folder.path().join("three")).status()?.code(), Some(3));
        assert!(write_program(folder.path(), "three", "").is_err());
        Ok(())
    }
}
