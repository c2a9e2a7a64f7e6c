//! tpm2-tools against the device, in scenarios. Each has a device of its own,
//! and they speak both protocols in turn.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::jobs::Counts;
use crate::log::Log;
use crate::process;
use crate::project::Project;
use crate::setup::TpmProgramFiles;

/// Functions that all scenarios use.
const PRELUDE: &str = include_str!("prelude.sh");

/// Name and script of each scenario.
const SCENARIOS: [(&str, &str); 14] = [
    ("certificates", include_str!("scenarios/certificates.sh")),
    ("credential", include_str!("scenarios/credential.sh")),
    ("disk_encryption", include_str!("scenarios/disk_encryption.sh")),
    ("duplicate", include_str!("scenarios/duplicate.sh")),
    ("hashing", include_str!("scenarios/hashing.sh")),
    ("hierarchies", include_str!("scenarios/hierarchies.sh")),
    ("keylime", include_str!("scenarios/keylime.sh")),
    ("keys", include_str!("scenarios/keys.sh")),
    ("nv", include_str!("scenarios/nv.sh")),
    ("persistent", include_str!("scenarios/persistent.sh")),
    ("policies", include_str!("scenarios/policies.sh")),
    ("quote", include_str!("scenarios/quote.sh")),
    ("seal", include_str!("scenarios/seal.sh")),
    ("sessions", include_str!("scenarios/sessions.sh")),
];

/// Names of the protocols, for our program and for tpm2-tools.
const PROTOCOLS: [(&str, &str); 2] = [("swtpm", "swtpm"), ("mssim", "mssim")];

/// Far more than a scenario takes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Plays all scenarios.
///
/// # Errors
///
/// The tools are missing, or a file cannot be written.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let programs = folder.path().join("programs");
    write_tools(&project.toolbox.tpm_programs()?, &programs)?;
    let mut counts = Counts::default();
    for ((name, script), protocol) in SCENARIOS.into_iter().zip(PROTOCOLS.into_iter().cycle()) {
        log.say(&format!("--- scenario {name}, protocol {}", protocol.0))?;
        let place = folder.path().join(name);
        match play(script, protocol, &programs, &place, log) {
            Ok(()) => counts.passed += 1,
            Err(error) => {
                counts.failed += 1;
                let commands = std::fs::read_to_string(place.join("commands.log"));
                log.say(&format!("{}--- {error:#}", commands.unwrap_or_default()))?;
            }
        }
    }
    Ok(counts)
}

/// A folder with a program `tpm2`, which scenarios can call by name.
fn write_tools(files: &TpmProgramFiles, folder: &Path) -> Result<()> {
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", process::show(&files.tools()));
    let path = folder.join("tpm2");
    std::fs::create_dir(folder)
        .and_then(|()| {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o755).open(&path)?;
            file.write_all(script.as_bytes())
        })
        .with_context(|| format!("cannot write {}", path.display()))
}

fn play(
    script: &str,
    (protocol, module): (&str, &str),
    programs: &Path,
    folder: &Path,
    log: &Log,
) -> Result<()> {
    std::fs::create_dir(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(programs.to_owned()).chain(std::env::split_paths(&path));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{PRELUDE}\n{script}")).current_dir(folder);
    shell.env("PATH", std::env::join_paths(path).context("PATH cannot be extended")?);
    shell.env("SVSM", own).env("PROTOCOL", protocol).env("TCTI", module);
    shell.stdin(Stdio::null()).stdout(log.stream()?).stderr(log.stream()?);
    // In a group of its own it can be ended with all that it has started.
    let child = shell.process_group(0).spawn().context("cannot start a shell")?;
    wait(child, TIMEOUT)
}

/// Waits for a scenario's end, and ends it when its time is up.
fn wait(mut child: Child, limit: Duration) -> Result<()> {
    const TICK: Duration = Duration::from_millis(10);
    let began = Instant::now();
    while began.elapsed() < limit {
        match child.try_wait().context("cannot wait for a scenario")? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("the scenario failed ({status})"),
            None => std::thread::sleep(TICK),
        }
    }
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // If it has just ended there is nothing left to end.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    child.wait().context("cannot wait for a scenario")?;
    bail!("the scenario was still running after {} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::time::Duration;

    use super::{SCENARIOS, wait};

    fn shell(script: &str) -> std::io::Result<std::process::Child> {
        Command::new("sh").args(["-c", script]).process_group(0).spawn()
    }

    #[test]
    fn ends_are_judged() -> anyhow::Result<()> {
        assert!(wait(shell("true")?, Duration::from_secs(30)).is_ok());
        assert!(wait(shell("false")?, Duration::from_secs(30)).is_err());
        let error = wait(shell("sleep 60 & wait")?, Duration::from_millis(100));
        assert!(error.is_err_and(|error| error.to_string().contains("still running")));
        Ok(())
    }

    #[test]
    fn every_script_of_the_folder_is_played() -> anyhow::Result<()> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/test/tpm/scenarios");
        let mut names = Vec::new();
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
        names.sort();
        assert_eq!(names, SCENARIOS.map(|(name, _)| name.to_owned()));
        Ok(())
    }
}
