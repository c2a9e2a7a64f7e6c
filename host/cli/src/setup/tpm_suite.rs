//! tpm2-tools' own integration tests, and the programs that they run.
//!
//! The tests are shell scripts of its source; programs and source are of one
//! version. Scripts want more programs than the tools: those whose version
//! matters come along, the others are what every system has.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::{self, Archive};
use super::debian_programs::{self, DebianPrograms, LOADER};
use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;
use crate::process::quoted;

/// The step.
pub(crate) struct TpmSuite;

const SUITE: &str = "bookworm";
/// The source's package, and that of the tools.
const TOOLS_PACKAGE: &str = "tpm2-tools";
/// What is wanted. Modules that talk to a TPM are loaded by name, so nothing
/// depends on them; one script asks `pkg-config` for one of them, which looks
/// into `libtss2-dev`.
const PACKAGES: [&str; 10] = [
    TOOLS_PACKAGE,
    "libtss2-dev",
    "libtss2-tcti-cmd0",
    "libtss2-tcti-swtpm0",
    "libpython3.11-stdlib",
    "openssl",
    "pkgconf-bin",
    "python3-yaml",
    "python3.11-minimal",
    "xxd",
];
/// The source as its authors keep it, for where Debian's mirrors hold no
/// sources: version 5.4, by the hash of its commit, which covers all files.
const REPOSITORY: &str = "https://github.com/tpm2-software/tpm2-tools";
const COMMIT: &str = "137ab2a46004da03652ab410178670c25cfe090c";

/// Folders in that of the step.
const PROGRAMS: &str = "programs";
const SOURCE: &str = "source";
/// What the scripts call the programs, where those are, and what they have to
/// be told of where they are: `$root` is their folder.
const COMMANDS: [(&str, &str, &str); 4] = [
    ("openssl", "usr/bin/openssl", "export OPENSSL_CONF=\"$root/etc/ssl/openssl.cnf\""),
    (
        "pkg-config",
        "usr/bin/pkgconf",
        "export PKG_CONFIG_SYSROOT_DIR=\"$root\" \
         PKG_CONFIG_PATH=\"$root/usr/lib/x86_64-linux-gnu/pkgconfig\"",
    ),
    (
        "python",
        "usr/bin/python3.11",
        "export PYTHONHOME=\"$root/usr\" PYTHONPATH=\"$root/usr/lib/python3/dist-packages\"",
    ),
    ("xxd", "usr/bin/xxd", ":"),
];
const TOOLS: &str = "usr/bin/tpm2";
/// Where the tests are in the source.
const TESTS: &str = "test/integration";

/// The files in the folder where the step has put them.
pub(crate) struct TpmSuiteFiles {
    root: PathBuf,
    programs: DebianPrograms,
}

impl TpmSuiteFiles {
    /// The files in this folder.
    pub(super) fn in_folder(root: PathBuf) -> Self {
        let programs = DebianPrograms::below(root.join(PROGRAMS));
        Self { root, programs }
    }

    /// The source of tpm2-tools.
    pub(crate) fn source(&self) -> PathBuf {
        self.root.join(SOURCE)
    }

    /// What the scripts include, by name alone, from the `PATH`.
    pub(crate) fn helpers(&self) -> PathBuf {
        self.source().join(TESTS)
    }

    /// The scripts.
    pub(crate) fn scripts(&self) -> PathBuf {
        self.helpers().join("tests")
    }

    /// Scripts that start the programs, by the names they are called by: all
    /// but `tpm2`.
    pub(crate) fn commands(&self) -> Vec<(&'static str, String)> {
        let command = |(name, program, settings)| {
            let root = self.programs.file("");
            let root = quoted(root.as_os_str()).trim_end_matches('/').to_owned();
            let function = self.programs.shell_function(program);
            (name, format!("#!/bin/sh\nroot={root}\n{settings}\nname=$0\n{function}run \"$@\"\n"))
        };
        COMMANDS.map(command).into()
    }

    /// A function `run` for a shell: tpm2-tools under the name that `$name`
    /// holds.
    pub(crate) fn tools(&self) -> String {
        self.programs.shell_function(TOOLS)
    }
}

impl Step for TpmSuite {
    fn name(&self) -> String {
        "tpm-suite".to_owned()
    }

    fn purpose(&self) -> String {
        "tpm2-tools' own tests, and what they run".to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = place(machine);
        let programs = DebianPrograms::below(path.join(PROGRAMS));
        let whole = [LOADER, TOOLS].iter().all(|file| programs.file(file).exists())
            && COMMANDS.iter().all(|(_, program, _)| programs.file(program).exists())
            && path.join(SOURCE).join(TESTS).join("helpers.sh").exists();
        Ok(if whole { Found::with_version(path.clone(), &path) } else { None })
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        apt::require(machine, &self.name(), &place(machine))?;
        let debian = format!(
            "download {TOOLS_PACKAGE}, its source and what its tests run from Debian {SUITE} \
             (25 MB, checked against the archive's signature)"
        );
        let authors = format!(
            "do so, but for the source, which comes from {REPOSITORY} (checked against the hash \
             in our source)"
        );
        Ok(vec![
            Way::new(debian, |log| fetch(machine, source_of_debian, log)),
            Way::new(authors, |log| fetch(machine, source_of_authors, log)),
        ])
    }
}

fn place(machine: &Machine) -> PathBuf {
    machine.cache.join("tpm").join("suite")
}

/// Puts a source into a folder.
type Source = fn(&Machine, &Path, &mut Log) -> Result<()>;

fn fetch(machine: &Machine, source: Source, log: &mut Log) -> Result<()> {
    let staging = machine.cache.staging()?;
    let made = staging.path().join("suite");
    // First what may not be there.
    source(machine, &made.join(SOURCE), log)?;
    let archive = Archive::open(&machine.cache, &[SUITE], log)?;
    debian_programs::fetch(&archive, &PACKAGES, &made.join(PROGRAMS), log)?;
    let version = archive.versions(TOOLS_PACKAGE)?.into_iter().next();
    let version = version.with_context(|| format!("Debian {SUITE} has no {TOOLS_PACKAGE}"))?;
    std::fs::write(made.join("version"), format!("{TOOLS_PACKAGE} {version} of {SUITE}\n"))
        .with_context(|| format!("cannot write into {}", made.display()))?;
    machine.cache.put(&made, &place(machine))
}

fn source_of_debian(machine: &Machine, folder: &Path, log: &mut Log) -> Result<()> {
    let archive = Archive::open_sources(&machine.cache, SUITE, log)?;
    archive.unpack_source(TOOLS_PACKAGE, folder, log)
}

fn source_of_authors(_: &Machine, folder: &Path, log: &mut Log) -> Result<()> {
    let git = || {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder);
        git
    };
    log.run(Command::new("git").args(["init", "--quiet"]).arg(folder))?;
    log.run(git().args(["fetch", "--quiet", "--depth=1", REPOSITORY, COMMIT]))?;
    log.run(git().args(["checkout", "--quiet", COMMIT]))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use anyhow::Result;

    use super::{COMMANDS, LOADER, TOOLS, TpmSuite, TpmSuiteFiles, place};
    use crate::setup::machine::fake;
    use crate::setup::step::Step;

    #[test]
    fn only_the_whole_is_found() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = fake::debian(folder.path());
        let programs = COMMANDS.iter().map(|(_, program, _)| *program).chain([LOADER, TOOLS]);
        let programs = programs.map(|program| Path::new("programs").join(program));
        let others = ["source/test/integration/helpers.sh", "version"].map(PathBuf::from);
        for file in programs.chain(others) {
            assert_eq!(TpmSuite.find(&machine)?, None, "{}", file.display());
            let file = place(&machine).join(file);
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
            std::fs::write(file, "5.4-1\n")?;
        }
        let detail = TpmSuite.find(&machine)?.map(|found| found.detail);
        assert_eq!(detail.as_deref(), Some("5.4-1"));
        Ok(())
    }

    #[test]
    fn commands_are_told_where_they_are() {
        let files = TpmSuiteFiles::in_folder(PathBuf::from("/s"));
        let commands = files.commands();
        let python = commands.iter().find(|(name, _)| *name == "python").map(|(_, text)| text);
        let python = python.map(String::as_str).unwrap_or_default();
        assert!(python.starts_with("#!/bin/sh\nroot=/s/programs\nexport PYTHONHOME=\"$root/usr\""));
        assert!(python.ends_with("/s/programs/usr/bin/python3.11 \"$@\"; }\nrun \"$@\"\n"));
    }
}
