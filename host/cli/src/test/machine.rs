//! Machines for tests: QEMU with a serial console, ended when it takes too long.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::log::Log;
use crate::process;
use crate::project::Project;

/// Far more than any test takes on a slow machine without hardware support.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a machine ended.
pub(super) struct End {
    /// QEMU's exit status.
    pub(super) status: ExitStatus,
    /// What was written to the first serial port.
    pub(super) console: String,
}

/// QEMU for a machine with one processor, a serial port and nothing else.
/// Processor model, memory and what to start are to be added.
///
/// # Errors
///
/// QEMU is missing and cannot be had.
pub(super) fn qemu(project: &Project) -> Result<Command> {
    let mut qemu = Command::new(project.toolbox.qemu()?);
    qemu.args(["-machine", "q35,accel=tcg", "-smp", "1"]);
    qemu.args(["-nodefaults", "-display", "none", "-serial", "stdio"]);
    Ok(qemu)
}

/// Runs a machine to its end. The console also goes to the log.
///
/// # Errors
///
/// QEMU does not start, or the machine does not end in time.
pub(super) fn run(qemu: &mut Command, log: &mut Log) -> Result<End> {
    log.say(&format!("$ {}", process::show(qemu)))?;
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let console = folder.path().join("console");
    let output = File::create(&console).context("cannot create a file for the console")?;
    qemu.stdin(Stdio::null()).stdout(output).stderr(log.stream()?);
    let machine = qemu.spawn().context("cannot start QEMU")?;
    let ended = wait(machine, TIMEOUT);
    let console = read(&console)?;
    log.say(&format!("--- console\n{}\n--- end of console", console.trim_end()))?;
    Ok(End { status: ended?, console })
}

/// Waits for a process and ends it when its time is up.
fn wait(mut process: Child, limit: Duration) -> Result<ExitStatus> {
    let began = Instant::now();
    while began.elapsed() < limit {
        if let Some(status) = process.try_wait().context("cannot wait for QEMU")? {
            return Ok(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    process.kill().and_then(|()| process.wait()).context("cannot end QEMU")?;
    Err(anyhow!("the machine was still running after {} s", limit.as_secs()))
}

fn read(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).context("cannot read the console")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::wait;

    #[test]
    fn a_machine_that_hangs_is_ended() -> anyhow::Result<()> {
        let sleeper = Command::new("sleep").arg("60").spawn()?;
        assert!(wait(sleeper, Duration::from_millis(50)).is_err());
        let quick = Command::new("true").spawn()?;
        assert!(wait(quick, Duration::from_secs(30))?.success());
        Ok(())
    }
}
