//! Programs from the distribution: QEMU and a C++ compiler.
//!
//! On Debian and Ubuntu they are installed where root's rights are at hand;
//! elsewhere the exact command is printed. The system's package sources stay as
//! they are.

use std::process::Command;

use anyhow::Result;

use super::apt::Archive;
use super::distribution::Family;
use super::machine::{Apt, Keyring, Machine, Privilege};
use super::step::{Found, Remedy, Step, Way};
use super::version::Version;
use crate::log::Log;
use crate::process;

/// A program and the packages that bring it.
pub(crate) struct SystemPackage {
    name: &'static str,
    purpose: &'static str,
    program: &'static str,
    /// Oldest version that will do.
    at_least: Version,
    debian: &'static str,
    fedora: &'static str,
    arch: &'static str,
    backport: Backport,
}

/// Whether Debian 12's backports carry a version that is to be preferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backport {
    Preferred,
    NotNeeded,
}

/// Boots images. 7.2 is the first that ships with a supported distribution and
/// has what the tests use; 10.0 is what they are developed with.
pub(crate) const QEMU: SystemPackage = SystemPackage {
    name: "qemu",
    purpose: "QEMU for x86-64, boots images",
    program: "qemu-system-x86_64",
    at_least: Version::new(7, 2, 0),
    debian: "qemu-system-x86",
    fedora: "qemu-system-x86-core",
    arch: "qemu-system-x86",
    backport: Backport::Preferred,
};

/// Builds libFuzzer, which is part of every fuzz target.
pub(crate) const CXX: SystemPackage = SystemPackage {
    name: "c++",
    purpose: "C++ compiler, builds libFuzzer",
    program: "c++",
    at_least: Version::new(7, 0, 0),
    debian: "g++",
    fedora: "gcc-c++",
    arch: "gcc",
    backport: Backport::NotNeeded,
};

/// Debian 12 and the suites that installing its backports draws on.
const BACKPORTED_RELEASE: &str = "bookworm";
const BACKPORTS: &str = "bookworm-backports";
const BACKPORT_SUITES: [&str; 3] = [BACKPORTED_RELEASE, "bookworm-security", BACKPORTS];

impl Step for SystemPackage {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn purpose(&self) -> String {
        format!("{} (at least {})", self.purpose, self.at_least)
    }

    fn find(&self, _machine: &Machine) -> Result<Option<Found>> {
        let Some(path) = process::on_path(self.program) else { return Ok(None) };
        let answer = process::capture(Command::new(&path).arg("--version"))?;
        let version = Version::first_in(&answer).filter(|version| *version >= self.at_least);
        Ok(version.map(|version| Found { path, detail: version.to_string() }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        let by_hand = || Remedy(self.by_hand(machine));
        if machine.distribution.family() != Family::Debian || machine.apt == Apt::Absent {
            return Err(by_hand());
        }
        let root = match machine.privilege() {
            Privilege::Root => "",
            Privilege::Sudo => "sudo ",
            Privilege::None => return Err(by_hand()),
        };
        let mut ways = Vec::new();
        let backported = machine.distribution.is_debian()
            && machine.distribution.codename == BACKPORTED_RELEASE
            && machine.debian_keyring == Keyring::Present;
        if self.backport == Backport::Preferred && backported {
            let how = format!(
                "run `{root}apt-get install {}` from {BACKPORTS}, without changing the \
                 system's package sources",
                self.debian
            );
            ways.push(Way::new(how, |log| self.install_backport(machine, log)));
        }
        let how = format!("run `{root}apt-get install {}`", self.debian);
        ways.push(Way::new(how, |log| self.install(machine, log)));
        Ok(ways)
    }
}

impl SystemPackage {
    /// The command for this distribution, or for all where it is unknown.
    fn by_hand(&self, machine: &Machine) -> String {
        let debian = format!("sudo apt-get install --no-install-recommends {}", self.debian);
        let fedora = format!("sudo dnf install {}", self.fedora);
        let arch = format!("sudo pacman -S {}", self.arch);
        match machine.distribution.family() {
            Family::Debian => format!("run `{debian}`"),
            Family::Fedora => format!("run `{fedora}`"),
            Family::Arch => format!("run `{arch}`"),
            Family::Other => format!(
                "install {} {} or later; Debian and Ubuntu: `{debian}`, Fedora: `{fedora}`, \
                 Arch: `{arch}`",
                self.program, self.at_least
            ),
        }
    }

    fn install_backport(&self, machine: &Machine, log: &mut Log) -> Result<()> {
        let archive = Archive::open(&machine.cache, &BACKPORT_SUITES, log)?;
        let mut command = as_root(machine);
        command.args(archive.options()).args(["--target-release", BACKPORTS]);
        log.run(command.args(install_arguments(self.debian)))
    }

    fn install(&self, machine: &Machine, log: &mut Log) -> Result<()> {
        log.run(as_root(machine).args(["-q", "update"]))?;
        log.run(as_root(machine).arg("-q").args(install_arguments(self.debian)))
    }
}

/// apt-get with root's rights, asking nothing.
fn as_root(machine: &Machine) -> Command {
    const WORDS: [&str; 4] = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get"];
    match machine.privilege() {
        Privilege::Root | Privilege::None => {
            let mut command = Command::new(WORDS[0]);
            command.args(&WORDS[1..]);
            command
        }
        Privilege::Sudo => {
            let mut command = Command::new("sudo");
            command.arg("-n").args(WORDS);
            command
        }
    }
}

fn install_arguments(package: &str) -> [&str; 4] {
    ["--yes", "--no-install-recommends", "install", package]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{CXX, QEMU, SystemPackage};
    use crate::setup::distribution::Distribution;
    use crate::setup::machine::{Keyring, Machine, Privilege, fake};
    use crate::setup::step::Step;

    fn ways(package: &SystemPackage, machine: &Machine) -> Result<Vec<String>, String> {
        let ways = package.ways(machine).map_err(|remedy| remedy.0)?;
        Ok(ways.into_iter().map(|way| way.how).collect())
    }

    fn debian() -> Machine {
        fake::debian(Path::new("/cache"))
    }

    fn on(os_release: &str) -> Machine {
        Machine { distribution: Distribution::parse(os_release), ..debian() }
    }

    #[test]
    fn bookworm_prefers_its_backports() {
        let ways = ways(&QEMU, &debian()).unwrap_or_default();
        assert_eq!(ways.len(), 2);
        assert!(ways[0].contains("bookworm-backports"), "{}", ways[0]);
        assert_eq!(ways[1], "run `apt-get install qemu-system-x86`");
    }

    #[test]
    fn backports_need_debian_s_keys() {
        let machine = Machine { debian_keyring: Keyring::Absent, ..debian() };
        assert_eq!(ways(&QEMU, &machine).unwrap_or_default().len(), 1);
    }

    #[test]
    fn other_releases_use_their_own() {
        for system in ["ID=debian\nVERSION_CODENAME=trixie", "ID=ubuntu\nVERSION_CODENAME=noble"] {
            let expected = vec!["run `apt-get install qemu-system-x86`".to_owned()];
            assert_eq!(ways(&QEMU, &on(system)), Ok(expected));
        }
    }

    #[test]
    fn the_compiler_needs_no_backport() {
        let machine = fake::with_privilege(debian(), Privilege::Sudo);
        assert_eq!(ways(&CXX, &machine), Ok(vec!["run `sudo apt-get install g++`".to_owned()]));
    }

    #[test]
    fn without_rights_the_command_is_told() {
        let machine = fake::with_privilege(debian(), Privilege::None);
        let told = "run `sudo apt-get install --no-install-recommends qemu-system-x86`";
        assert_eq!(ways(&QEMU, &machine), Err(told.to_owned()));
    }

    #[test]
    fn other_distributions_are_told_their_command() {
        let told = |system| ways(&QEMU, &on(system)).err().unwrap_or_default();
        assert_eq!(told("ID=fedora"), "run `sudo dnf install qemu-system-x86-core`");
        assert_eq!(told("ID=arch"), "run `sudo pacman -S qemu-system-x86`");
        let all = told("ID=nixos");
        assert!(
            ["apt-get", "dnf", "pacman", "7.2.0"].iter().all(|word| all.contains(word)),
            "{all}"
        );
    }

    #[test]
    fn fedora_without_apt_is_not_offered_apt() {
        assert!(ways(&QEMU, &fake::fedora(Path::new("/cache"))).is_err());
    }
}
