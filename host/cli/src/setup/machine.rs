//! What set-up finds on this machine: facts that its decisions rest on.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::distribution::Distribution;
use crate::cache::Cache;
use crate::process;
use crate::session::Network;

/// The bare-metal target.
pub(crate) const TARGET: &str = "x86_64-unknown-none";

/// Keys that Debian signs its archives with, from the package
/// `debian-archive-keyring`.
pub(crate) const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The facts.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) cache: Cache,
    pub(crate) network: Network,
    /// Root folder of the source tree.
    pub(crate) root: PathBuf,
    pub(crate) rustc: Rustc,
    pub(crate) rustup: Rustup,
    pub(crate) distribution: Distribution,
    pub(crate) apt: Apt,
    pub(crate) debian_keyring: Keyring,
    /// What [`Self::privilege`] has found; it looks when first asked, because it
    /// runs `sudo`.
    pub(crate) known_privilege: OnceCell<Privilege>,
}

/// The compiler in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rustc {
    /// Such as `1.95.0`.
    pub(crate) release: String,
    /// Full hash of the commit it was built from.
    pub(crate) commit: String,
    /// Where its libraries for [`TARGET`] are, if they are anywhere.
    pub(crate) target_libraries: PathBuf,
}

/// Whether rustup can bring what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rustup {
    /// It manages the compiler in use and may download.
    Downloads,
    /// It manages the compiler in use, but `RUSTUP_AUTO_INSTALL=0` says that
    /// it shall not download.
    MustNotDownload,
    /// The compiler in use is not rustup's.
    Absent,
}

/// Whether Debian's package tools are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Apt {
    Present,
    Absent,
}

/// Whether [`DEBIAN_KEYRING`] is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keyring {
    Present,
    Absent,
}

/// How packages can be installed into the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Privilege {
    /// We are root.
    Root,
    /// `sudo` works without a password.
    Sudo,
    /// Not at all.
    None,
}

impl Machine {
    /// Looks around.
    ///
    /// # Errors
    ///
    /// No compiler answers, or there is no place for the cache.
    pub(crate) fn look(root: &Path, network: Network) -> Result<Self> {
        let rustc = Rustc::look(root)?;
        let present = |programs: &[&str]| programs.iter().all(|p| process::on_path(p).is_some());
        let apt = present(&["apt-get", "apt-cache", "dpkg-deb"]);
        let keyring = Path::new(DEBIAN_KEYRING).is_file();
        Ok(Self {
            cache: Cache::locate()?,
            network,
            root: root.to_owned(),
            rustup: Rustup::look(root, &rustc),
            rustc,
            distribution: Distribution::detect(),
            apt: if apt { Apt::Present } else { Apt::Absent },
            debian_keyring: if keyring { Keyring::Present } else { Keyring::Absent },
            known_privilege: OnceCell::new(),
        })
    }

    /// Whether packages of Debian's can be fetched and their signatures checked.
    pub(crate) fn reaches_debian(&self) -> bool {
        (self.apt, self.debian_keyring) == (Apt::Present, Keyring::Present)
    }

    /// How packages can be installed into the system.
    pub(crate) fn privilege(&self) -> Privilege {
        *self.known_privilege.get_or_init(|| {
            let root = process::capture(Command::new("id").arg("-u"))
                .is_ok_and(|answer| answer.trim() == "0");
            let sudo = || process::succeeds(Command::new("sudo").args(["-n", "true"]));
            if root {
                Privilege::Root
            } else if sudo() {
                Privilege::Sudo
            } else {
                Privilege::None
            }
        })
    }
}

impl Rustc {
    fn look(root: &Path) -> Result<Self> {
        let ask = |arguments: &[&str]| {
            process::capture(Command::new("rustc").args(arguments).current_dir(root))
        };
        let version = ask(&["-vV"])?;
        let libraries = ask(&["--target", TARGET, "--print", "target-libdir"])?;
        let field = |name| {
            field(&version, name).with_context(|| format!("`rustc -vV` does not tell {name}"))
        };
        Ok(Self {
            release: field("release")?,
            commit: field("commit-hash")?,
            target_libraries: PathBuf::from(libraries.trim_end()),
        })
    }
}

fn field(version: &str, name: &str) -> Option<String> {
    let mut fields = version.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
}

impl Rustup {
    fn look(root: &Path, rustc: &Rustc) -> Self {
        let mut which = Command::new("rustup");
        let Ok(program) = process::capture(which.args(["which", "rustc"]).current_dir(root)) else {
            return Self::Absent;
        };
        // rustup's toolchain holds bin/rustc and lib/rustlib.
        let toolchain = Path::new(program.trim_end()).parent().and_then(Path::parent);
        let manages = toolchain.is_some_and(|folder| rustc.target_libraries.starts_with(folder));
        match std::env::var("RUSTUP_AUTO_INSTALL").as_deref() {
            _ if !manages => Self::Absent,
            Ok("0") => Self::MustNotDownload,
            _ => Self::Downloads,
        }
    }
}

#[cfg(test)]
pub(crate) mod fake {
    //! Machines for tests of decisions.

    use std::path::{Path, PathBuf};

    use super::{Apt, Keyring, Machine, Privilege, Rustc, Rustup};
    use crate::cache::Cache;
    use crate::session::Network;
    use crate::setup::distribution::Distribution;

    /// Debian 12 with root's rights, everything reachable, nothing cached.
    pub(crate) fn debian(cache: &Path) -> Machine {
        Machine {
            cache: Cache::at(cache),
            network: Network::Allowed,
            root: PathBuf::from("/source"),
            rustc: Rustc {
                release: "1.95.0".into(),
                commit: "59807616e1fa2540724bfbac14d7976d7e4a3860".into(),
                target_libraries: cache.join("toolchain"),
            },
            rustup: Rustup::Downloads,
            distribution: Distribution::parse("ID=debian\nVERSION_CODENAME=bookworm"),
            apt: Apt::Present,
            debian_keyring: Keyring::Present,
            known_privilege: Privilege::Root.into(),
        }
    }

    /// Fedora with rustup, without sudo.
    pub(crate) fn fedora(cache: &Path) -> Machine {
        Machine {
            distribution: Distribution::parse("ID=fedora\nPRETTY_NAME=\"Fedora Linux 42\""),
            apt: Apt::Absent,
            debian_keyring: Keyring::Absent,
            known_privilege: Privilege::None.into(),
            ..debian(cache)
        }
    }

    /// The same machine with other rights.
    pub(crate) fn with_privilege(machine: Machine, privilege: Privilege) -> Machine {
        Machine { known_privilege: privilege.into(), ..machine }
    }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_of_rustc() {
        let answer = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807\nrelease: 1.95.0\n";
        assert_eq!(field(answer, "release").as_deref(), Some("1.95.0"));
        assert_eq!(field(answer, "commit-hash").as_deref(), Some("59807"));
        assert_eq!(field(answer, "host"), None);
    }
}
