//! Programs from crates.io, each of one exact version.
//!
//! They are built without optimisation and without debug information: they run
//! for seconds, and building them is most of what they cost.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use super::version::Version;
use crate::log::Log;
use crate::process;
use crate::workspace::cargo;

/// A program that cargo can install.
pub(crate) struct Tool {
    /// Name of the crate and of its program.
    name: &'static str,
    version: Version,
    purpose: &'static str,
    /// The crate's features that are wanted instead of its default ones.
    features: Option<&'static str>,
}

/// Checks licences, sources and banned crates.
pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: Version::new(0, 20, 2),
    purpose: "checks dependencies' licences and sources",
    features: None,
};

/// Makes the book; without its web server.
pub(crate) const MDBOOK: Tool = Tool {
    name: "mdbook",
    version: Version::new(0, 5, 4),
    purpose: "makes the book",
    features: Some("search"),
};

/// Builds and runs fuzz targets.
pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: Version::new(0, 13, 2),
    purpose: "builds and runs fuzz targets",
    features: None,
};

impl Step for Tool {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn purpose(&self) -> String {
        format!("{} {}, {}", self.name, self.version, self.purpose)
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let cached = self.place(machine).join("bin").join(self.name);
        let candidates = [Some(cached), process::on_path(self.name)];
        let path = candidates.into_iter().flatten().find(|path| {
            let answer = process::capture(Command::new(path).arg("--version"));
            answer.is_ok_and(|text| Version::first_in(&text) == Some(self.version))
        });
        Ok(path.map(|path| Found { path, detail: self.version.to_string() }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        let how = format!("build {} {} from crates.io", self.name, self.version);
        Ok(vec![Way::new(how, |log| self.install(machine, log))])
    }
}

impl Tool {
    fn place(&self, machine: &Machine) -> PathBuf {
        machine.cache.join("tools").join(format!("{}-{}", self.name, self.version))
    }

    fn install(&self, machine: &Machine, log: &mut Log) -> Result<()> {
        let staging = machine.cache.staging()?;
        let made = staging.path().join("root");
        let mut command = cargo();
        command.current_dir(&machine.root).env("CARGO_PROFILE_DEV_DEBUG", "0");
        // What the user wants of their own builds is not meant for this one.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        command.args(["install", "--locked", "--debug", "--version"]);
        command.arg(format!("={}", self.version)).arg("--root").arg(&made);
        command.arg("--target-dir").arg(staging.path().join("target"));
        if let Some(features) = self.features {
            command.args(["--no-default-features", "--features", features]);
        }
        log.run(command.arg(self.name))?;
        machine.cache.put(&made, &self.place(machine))
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::CARGO_FUZZ;
    use crate::setup::machine::fake;
    use crate::setup::step::Step;

    /// Puts a program that tells a version into the cache.
    #[cfg(unix)]
    fn pretend(machine: &crate::setup::machine::Machine, version: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let program = CARGO_FUZZ.place(machine).join("bin/cargo-fuzz");
        std::fs::create_dir_all(CARGO_FUZZ.place(machine).join("bin"))?;
        std::fs::write(&program, format!("#!/bin/sh\necho cargo-fuzz {version}\n"))?;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    #[test]
    fn only_the_exact_version_will_do() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = fake::debian(folder.path());
        let place = CARGO_FUZZ.place(&machine);
        assert!(place.ends_with("tools/cargo-fuzz-0.13.2"));
        pretend(&machine, "0.13.1")?;
        let found = CARGO_FUZZ.find(&machine)?;
        assert!(found.is_none_or(|found| !found.path.starts_with(&place)));
        pretend(&machine, "0.13.2")?;
        let found = CARGO_FUZZ.find(&machine)?;
        assert!(found.is_some_and(|found| found.path.starts_with(&place)));
        Ok(())
    }

    #[test]
    fn crates_io_is_the_way() {
        let machine = fake::fedora(std::path::Path::new("/cache"));
        let ways = CARGO_FUZZ.ways(&machine).unwrap_or_default();
        let how: Vec<&str> = ways.iter().map(|way| way.how.as_str()).collect();
        assert_eq!(how, ["build cargo-fuzz 0.13.2 from crates.io"]);
    }
}
