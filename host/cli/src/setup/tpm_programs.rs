//! Programs that judge our TPM: tpm2-tools, and the emulator swtpm to compare
//! it with.
//!
//! They are Debian's, unpacked into the cache with all libraries they need, the
//! C library and its loader included: they run on any distribution and the
//! system stays as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::Archive;
use super::machine::{Apt, Keyring, Machine};
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
/// What starts them, and where it looks for libraries.
const LOADER: &str = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
const LIBRARIES: [&str; 3] =
    ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/swtpm"];

/// The programs in the folder where the step has put them.
pub(crate) struct TpmProgramFiles {
    root: PathBuf,
}

impl TpmProgramFiles {
    /// The files in this folder.
    pub(super) fn in_folder(root: PathBuf) -> Self {
        Self { root }
    }

    /// tpm2-tools: the name of the tool without `tpm2_` is the first argument.
    pub(crate) fn tools(&self) -> Command {
        self.program(TOOLS)
    }

    /// swtpm.
    pub(crate) fn emulator(&self) -> Command {
        self.program(EMULATOR)
    }

    fn program(&self, program: &str) -> Command {
        let mut command = Command::new(self.root.join(LOADER));
        let libraries = LIBRARIES.map(|folder| self.root.join(folder).display().to_string());
        command.arg("--library-path").arg(libraries.join(":")).arg(self.root.join(program));
        command
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
        // The version is written last.
        let version = std::fs::read_to_string(path.join("version"));
        let whole = [TOOLS, EMULATOR, LOADER].iter().all(|file| path.join(file).exists());
        let detail = version.ok().filter(|_| whole);
        Ok(detail.map(|detail| Found { path, detail: detail.trim_end().to_owned() }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        if (machine.apt, machine.debian_keyring) != (Apt::Present, Keyring::Present) {
            return Err(Remedy(format!(
                "run `cargo svsm setup tpm` on Debian or Ubuntu with the package \
                 debian-archive-keyring, and copy what it makes to {}",
                place(machine).display()
            )));
        }
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
    archive.unpack_newest(&with_libraries(&archive)?, &made, log)?;
    remove_downloads(&made)?;
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

fn remove_downloads(folder: &Path) -> Result<()> {
    let downloads = folder.join("download");
    std::fs::remove_dir_all(&downloads)
        .with_context(|| format!("cannot remove {}", downloads.display()))
}

/// The packages and all libraries that they need, directly or not.
fn with_libraries(archive: &Archive) -> Result<Vec<String>> {
    let mut packages: Vec<String> = PACKAGES.map(str::to_owned).to_vec();
    let mut new = packages.clone();
    while !new.is_empty() {
        let mut found = archive.dependencies(&new)?;
        found.sort();
        found.dedup();
        new = found;
        new.retain(|package| is_library(package) && !packages.contains(package));
        packages.extend_from_slice(&new);
    }
    Ok(packages)
}

/// Whether a package is a library, by its name. What else the programs depend
/// on, such as scripts for their installation, they do not need to run.
fn is_library(package: &str) -> bool {
    package.starts_with("lib") || package.starts_with("zlib") || package == "swtpm-libs"
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use anyhow::Result;

    use super::{EMULATOR, LOADER, TOOLS, TpmProgramFiles, TpmPrograms, is_library, place};
    use crate::process;
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

    #[test]
    fn libraries_are_known_by_name() {
        assert!(["libc6", "zlib1g", "libtss2-mu0", "swtpm-libs"].into_iter().all(is_library));
        assert!(!["adduser", "debconf", "perl-base"].into_iter().any(is_library));
    }

    #[test]
    fn programs_start_with_their_own_loader() {
        let programs = TpmProgramFiles::in_folder(PathBuf::from("/p"));
        let shown = process::show(&programs.tools());
        assert!(shown.starts_with("/p/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "), "{shown}");
        assert!(shown.ends_with(" /p/usr/bin/tpm2"), "{shown}");
    }
}
