//! tpm2-tools against the device, in scenarios. Each has a device of its own,
//! and they speak both protocols in turn.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::jobs::Counts;
use crate::log::Log;
use crate::process;
use crate::project::Project;
use crate::test::tpm::shell::{Play, Protocol, write_program};

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

/// What the scenarios speak in turn.
const PROTOCOLS: [Protocol; 2] = [("swtpm", "swtpm"), ("mssim", "mssim")];

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
    std::fs::create_dir(&programs)
        .with_context(|| format!("cannot create {}", programs.display()))?;
    let tools = process::show(&project.toolbox.tpm_programs()?.tools());
    write_program(&programs, "tpm2", &format!("#!/bin/sh\nexec {tools} \"$@\"\n"))?;
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

fn play(script: &str, protocol: Protocol, programs: &Path, folder: &Path, log: &Log) -> Result<()> {
    let programs = &[programs];
    let play = Play { script, protocol, programs, variables: &[], folder, limit: TIMEOUT };
    let status = play.play(|| log.stream())?;
    if !status.success() {
        bail!("the scenario failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::SCENARIOS;

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
