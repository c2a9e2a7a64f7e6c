//! Programs that judge our TPM: tpm2-tools, and the emulator swtpm to compare
//! it with.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::{self, Archive};
use super::debian_programs::{self, DebianPrograms, LOADER};
use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;

/// The step.
pub(crate) struct TpmPrograms;

/// Debian 12 has the emulator that implements the revision of the specification
/// that we follow.
const SUITE: &str = "bookworm";
/// What is wanted. The first gives its version to the step. The modules that
/// talk to a TPM are loaded by name, so nothing depends on them.
const PACKAGES: [&str; 4] = ["tpm2-tools", "swtpm", "libtss2-tcti-swtpm0", "libtss2-tcti-mssim0"];
/// The programs.
const TOOLS: &str = "usr/bin/tpm2";
const EMULATOR: &str = "usr/bin/swtpm";

/// The programs in the folder where the step has put them.
pub(crate) struct TpmProgramFiles {
    programs: DebianPrograms,
}

impl TpmProgramFiles {
    /// The files in this folder.
    pub(super) fn in_folder(root: PathBuf) -> Self {
        Self { programs: DebianPrograms::below(root) }
    }

    /// tpm2-tools: the name of the tool without `tpm2_` is the first argument.
    pub(crate) fn tools(&self) -> Command {
        self.programs.command(TOOLS)
    }

    /// swtpm.
    pub(crate) fn emulator(&self) -> Command {
        self.programs.command(EMULATOR)
    }
}

impl Step for TpmPrograms {
    fn name(&self) -> String {
        "tpm".to_owned()
    }

    fn purpose(&self) -> String {
        "tpm2-tools and swtpm, which judge our TPM".to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = place(machine);
        let whole = [TOOLS, EMULATOR, LOADER].iter().all(|file| path.join(file).exists());
        Ok(if whole { Found::with_version(path.clone(), &path) } else { None })
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        apt::require(machine, &self.name(), &place(machine))?;
        let how = format!(
            "download {} and their libraries from Debian {SUITE} (25 MB, checked against the \
             archive's signature)",
            PACKAGES[..2].join(", ")
        );
        Ok(vec![Way::new(how, |log| fetch(machine, log))])
    }
}

fn place(machine: &Machine) -> PathBuf {
    machine.cache.join("tpm").join("programs")
}

fn fetch(machine: &Machine, log: &mut Log) -> Result<()> {
    let archive = Archive::open(&machine.cache, &[SUITE], log)?;
    let staging = machine.cache.staging()?;
    let made = staging.path().join("programs");
    debian_programs::fetch(&archive, &PACKAGES, &made, log)?;
    let mut told = Vec::new();
    for package in &PACKAGES[..2] {
        let version = archive.versions(package)?.into_iter().next();
        let version = version.with_context(|| format!("Debian {SUITE} has no {package}"))?;
        told.push(format!("{package} {version}"));
    }
    std::fs::write(made.join("version"), format!("{} of {SUITE}\n", told.join(", ")))
        .with_context(|| format!("cannot write into {}", made.display()))?;
    machine.cache.put(&made, &place(machine))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Result;

    use super::{EMULATOR, LOADER, TOOLS, TpmPrograms, place};
    use crate::setup::machine::fake;
    use crate::setup::step::Step;

    #[test]
    fn only_the_whole_is_found() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = fake::debian(folder.path());
        for file in [TOOLS, EMULATOR, LOADER, "version"] {
            assert_eq!(TpmPrograms.find(&machine)?, None, "{file}");
            let file = place(&machine).join(file);
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
            std::fs::write(file, "5.4-1\n")?;
        }
        let detail = TpmPrograms.find(&machine)?.map(|found| found.detail);
        assert_eq!(detail.as_deref(), Some("5.4-1"));
        Ok(())
    }
}
