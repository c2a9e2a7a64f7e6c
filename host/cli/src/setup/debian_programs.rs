//! Debian's programs, unpacked into a folder with all libraries they need, the
//! C library and its loader included: they run on any distribution and the
//! system stays as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt::Archive;
use crate::log::Log;
use crate::process::quoted;

/// What starts programs, and where it looks for libraries.
pub(super) const LOADER: &str = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
const LIBRARIES: [&str; 3] =
    ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/swtpm"];

/// A folder with programs.
pub(super) struct DebianPrograms {
    root: PathBuf,
}

impl DebianPrograms {
    /// The programs below this folder.
    pub(super) const fn below(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where a file of a package is, named as the package does.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A program that can be started from Rust.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.file(LOADER));
        command.arg("--library-path").arg(self.libraries()).arg(self.file(program));
        command
    }

    /// A function `run` for a shell, which starts a program under the name that
    /// `$name` holds.
    pub(super) fn shell_function(&self, program: &str) -> String {
        format!(
            "run() {{ {} --argv0 \"$name\" --library-path {} {} \"$@\"; }}\n",
            quoted(self.file(LOADER).as_os_str()),
            quoted(self.libraries().as_ref()),
            quoted(self.file(program).as_os_str()),
        )
    }

    fn libraries(&self) -> String {
        LIBRARIES.map(|folder| self.file(folder).display().to_string()).join(":")
    }
}

/// Fetches the newest versions of some packages and all libraries that they
/// need, directly or not, checks them and unpacks them into `folder`.
///
/// # Errors
///
/// One is not there, does not match the index or cannot be unpacked.
pub(super) fn fetch(
    archive: &Archive,
    packages: &[&str],
    folder: &Path,
    log: &mut Log,
) -> Result<()> {
    archive.unpack_newest(&with_libraries(archive, packages)?, folder, log)?;
    let downloads = folder.join("download");
    std::fs::remove_dir_all(&downloads)
        .with_context(|| format!("cannot remove {}", downloads.display()))
}

fn with_libraries(archive: &Archive, packages: &[&str]) -> Result<Vec<String>> {
    let mut packages: Vec<String> = packages.iter().map(|name| (*name).to_owned()).collect();
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
    let is_library = package.starts_with("lib") || package.starts_with("zlib");
    (is_library && !package.ends_with("-dev")) || package == "swtpm-libs"
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{DebianPrograms, is_library};
    use crate::process;

    #[test]
    fn libraries_are_known_by_name() {
        assert!(["libc6", "zlib1g", "libtss2-mu0", "swtpm-libs"].into_iter().all(is_library));
        assert!(!["adduser", "debconf", "perl-base", "libssl-dev"].into_iter().any(is_library));
    }

    #[test]
    fn programs_start_with_their_own_loader() {
        let programs = DebianPrograms::below(PathBuf::from("/p"));
        let shown = process::show(&programs.command("usr/bin/tpm2"));
        assert!(shown.starts_with("/p/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "), "{shown}");
        assert!(shown.ends_with(" /p/usr/bin/tpm2"), "{shown}");
    }

    #[test]
    fn shells_start_them_under_any_name() {
        let programs = DebianPrograms::below(PathBuf::from("/a b"));
        let function = programs.shell_function("usr/bin/tpm2");
        let loader = "run() { '/a b/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2' --argv0 \"$name\" ";
        assert!(function.starts_with(loader), "{function}");
        assert!(function.ends_with(" '/a b/usr/bin/tpm2' \"$@\"; }\n"), "{function}");
    }
}
