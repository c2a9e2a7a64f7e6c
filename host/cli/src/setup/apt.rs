//! Packages from Debian's archive without touching the system's settings.
//!
//! apt is run with a source list and an index folder of our own. It verifies
//! the signature of the archive's index with the keys in [`DEBIAN_KEYRING`],
//! and each package against the hash in that index. Neither needs root.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::machine::{DEBIAN_KEYRING, Machine};
use super::step::Remedy;
use crate::cache::Cache;
use crate::log::Log;
use crate::process;

/// Where Debian's packages are. Plain HTTP, as Debian itself sets it up: the
/// signatures are what counts.
const ARCHIVE: &str = "http://deb.debian.org/debian";
/// Where its security updates are.
const SECURITY_ARCHIVE: &str = "http://deb.debian.org/debian-security";

/// One or more suites of Debian's archive, with fresh indexes.
pub(crate) struct Archive {
    /// Source list.
    list: PathBuf,
    /// Indexes.
    indexes: PathBuf,
}

impl Archive {
    /// Opens the archive for these suites (such as `bookworm`) and fetches
    /// their indexes.
    ///
    /// # Errors
    ///
    /// The cache cannot be written, the archive cannot be reached, or an index
    /// is not signed by Debian.
    pub(crate) fn open(cache: &Cache, suites: &[&str], log: &mut Log) -> Result<Self> {
        Self::open_list(cache, &suites.join("+"), &source_list("deb", suites), log)
    }

    /// Opens the archive for the source packages of a suite, and fetches their
    /// index.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub(crate) fn open_sources(cache: &Cache, suite: &str, log: &mut Log) -> Result<Self> {
        let folder = format!("{suite}-sources");
        Self::open_list(cache, &folder, &source_list("deb-src", &[suite]), log)
    }

    fn open_list(cache: &Cache, name: &str, list: &str, log: &mut Log) -> Result<Self> {
        let folder = cache.join("apt").join(name);
        let archive = Self { list: folder.join("sources.list"), indexes: folder.join("lists") };
        std::fs::create_dir_all(archive.indexes.join("partial"))
            .and_then(|()| std::fs::write(&archive.list, list))
            .with_context(|| format!("cannot write {}", folder.display()))?;
        let mut update = archive.command("apt-get");
        log.run(update.args(["-o", "APT::Update::Error-Mode=any", "update"])).with_context(
            || {
                format!(
                    "Debian's index of {name} cannot be fetched, or its signature does not hold"
                )
            },
        )?;
        Ok(archive)
    }

    /// Versions of a package, newest first.
    ///
    /// # Errors
    ///
    /// The index cannot be read.
    pub(crate) fn versions(&self, package: &str) -> Result<Vec<String>> {
        let mut command = self.command("apt-cache");
        Ok(parse_madison(&process::capture(command.args(["madison", package]))?))
    }

    /// Names of the packages that the newest versions of some packages need,
    /// with all alternatives.
    ///
    /// # Errors
    ///
    /// There is no such package, or the index cannot be read.
    pub(crate) fn dependencies(&self, packages: &[String]) -> Result<Vec<String>> {
        let mut command = self.command("apt-cache");
        let command = command.args(["depends", "--important"]).args(packages);
        Ok(parse_depends(&process::capture(command)?))
    }

    /// Fetches the newest versions of some packages, checks them against the
    /// index and unpacks them all into `folder`.
    ///
    /// # Errors
    ///
    /// One is not there, does not match the index or cannot be unpacked.
    pub(crate) fn unpack_newest(
        &self,
        packages: &[String],
        folder: &Path,
        log: &mut Log,
    ) -> Result<()> {
        self.download(packages, folder, log)
    }

    /// Fetches a package, checks it against the index and unpacks it into
    /// `folder`.
    ///
    /// # Errors
    ///
    /// It is not there, does not match the index or cannot be unpacked.
    pub(crate) fn unpack(
        &self,
        package: &str,
        version: &str,
        folder: &Path,
        log: &mut Log,
    ) -> Result<()> {
        self.download(&[format!("{package}={version}")], folder, log)
    }

    /// Fetches a package's source as its authors have published it, checks it
    /// against the index and unpacks it into `folder`.
    ///
    /// # Errors
    ///
    /// It is not there, does not match the index or cannot be unpacked.
    pub(crate) fn unpack_source(&self, package: &str, folder: &Path, log: &mut Log) -> Result<()> {
        let download = tempfile::tempdir().context("cannot create a folder")?;
        let mut command = self.command("apt-get");
        command.args(["source", "--download-only", "--only-source", "--tar-only", package]);
        log.run(command.current_dir(download.path()))?;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let files = std::fs::read_dir(&download).context("the download folder has gone")?;
        for file in files {
            let path = file.context("the download folder cannot be read")?.path();
            // Such an archive has one folder, whose name tells the version.
            let mut unpack = Command::new("tar");
            unpack.args(["--extract", "--strip-components=1", "--directory"]).arg(folder);
            log.run(unpack.arg("--file").arg(&path))?;
        }
        Ok(())
    }

    /// Fetches packages and unpacks them into `folder`.
    fn download(&self, packages: &[String], folder: &Path, log: &mut Log) -> Result<()> {
        let download = folder.join("download");
        std::fs::create_dir_all(&download)
            .with_context(|| format!("cannot create {}", download.display()))?;
        let mut command = self.command("apt-get");
        log.run(command.arg("download").args(packages).current_dir(&download))?;
        // apt names the files after package, version and architecture.
        let files = std::fs::read_dir(&download).context("the download folder has gone")?;
        for file in files {
            let path = file.context("the download folder cannot be read")?.path();
            log.run(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(folder))?;
        }
        Ok(())
    }

    /// The arguments that make apt look at this archive only.
    pub(crate) fn options(&self) -> Vec<String> {
        let settings = [
            format!("Dir::Etc::sourcelist={}", self.list.display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
            format!("Dir::State::lists={}", self.indexes.display()),
            // No shared cache of parsed indexes: it would mix ours and the system's.
            "Dir::Cache::pkgcache=".to_owned(),
            "Dir::Cache::srcpkgcache=".to_owned(),
            // Only what is needed: no descriptions, no software-centre data.
            "Acquire::Languages=none".to_owned(),
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
        ];
        let quiet = std::iter::once("-q".to_owned());
        quiet.chain(settings.into_iter().flat_map(|value| ["-o".to_owned(), value])).collect()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // What the system has installed does not count here.
        command.args(self.options()).args(["-o", "Dir::State::status=/dev/null"]);
        command.env("LC_ALL", "C");
        command
    }
}

/// Refuses to go on where the archive's packages cannot be checked.
///
/// # Errors
///
/// How to have what the step `name` makes in `place` all the same.
pub(super) fn require(machine: &Machine, name: &str, place: &Path) -> Result<(), Remedy> {
    if machine.reaches_debian() {
        return Ok(());
    }
    Err(Remedy(format!(
        "run `cargo svsm setup {name}` on Debian or Ubuntu with the package \
         debian-archive-keyring, and copy what it makes to {}",
        place.display()
    )))
}

/// Lines for packages of one kind: `deb` or `deb-src`.
fn source_list(kind: &str, suites: &[&str]) -> String {
    let line = |suite: &&str| {
        let archive = if suite.ends_with("-security") { SECURITY_ARCHIVE } else { ARCHIVE };
        format!("{kind} [signed-by={DEBIAN_KEYRING}] {archive} {suite} main\n")
    };
    suites.iter().map(line).collect()
}

/// Reads lines like `rust-src | 1.95.0+dfsg1-2 | http://… sid/main amd64 Packages`.
fn parse_madison(text: &str) -> Vec<String> {
    let versions = text.lines().filter_map(|line| line.split('|').nth(1));
    versions
        .map(|version| version.trim().to_owned())
        .filter(|version| !version.is_empty())
        .collect()
}

/// Reads lines like `  Depends: linux-base` and ` |Depends: dracut`. Names of
/// virtual packages stand in angle brackets, with their providers below them;
/// both are left out.
fn parse_depends(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let (kind, name) = line.trim_start_matches([' ', '|']).split_once(": ")?;
        (kind.ends_with("Depends") && !name.starts_with('<')).then(|| name.trim().to_owned())
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::{parse_depends, parse_madison, source_list};

    #[test]
    fn every_source_names_its_keys() {
        assert_eq!(
            source_list("deb", &["bookworm", "bookworm-security"]),
            "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
             http://deb.debian.org/debian bookworm main\n\
             deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
             http://deb.debian.org/debian-security bookworm-security main\n"
        );
    }

    #[test]
    fn versions_of_a_package() {
        let text = "  rust-src | 1.96.1+dfsg1-2~bpo13+1 | http://deb.debian.org/debian trixie-backports/main amd64 Packages\n  rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://deb.debian.org/debian trixie-backports/main amd64 Packages\n";
        assert_eq!(parse_madison(text), ["1.96.1+dfsg1-2~bpo13+1", "1.95.0+dfsg1-2~bpo13+1"]);
        assert!(parse_madison("").is_empty());
        assert!(parse_madison("N: Unable to locate package\n").is_empty());
    }
    #[test]
    fn dependencies_of_a_package() {
        let text = "linux-image-7.2.12+deb14-cloud-amd64\n  PreDepends: linux-base\n |Depends: dracut\n  Depends: <linux-initramfs-tool>\n    dracut\n    tiny-initramfs\n  Depends: linux-modules-7.2.12+deb14-cloud-amd64\n  Breaks: wireless-regdb\n";
        let expected = ["linux-base", "dracut", "linux-modules-7.2.12+deb14-cloud-amd64"];
        assert_eq!(parse_depends(text), expected);
        assert!(parse_depends("").is_empty());
    }
}
