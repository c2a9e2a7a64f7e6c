//! A statically linked busybox, the user land of test guests.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::apt::Archive;
use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;

/// The step.
pub(crate) struct Busybox;

const SUITE: &str = "trixie";
const PACKAGE: &str = "busybox-static";
/// The program inside the package.
const FILE: &str = "usr/bin/busybox";

impl Step for Busybox {
    fn name(&self) -> String {
        "busybox".to_owned()
    }

    fn purpose(&self) -> String {
        "user land of test guests".to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = place(machine).join("busybox");
        Ok(if path.is_file() { Found::with_version(path, &place(machine)) } else { None })
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        if !machine.reaches_debian() {
            return Err(Remedy(format!(
                "take {FILE} out of Debian's package {PACKAGE} of {SUITE}, put it at {} and \
                 write its version into a file `version` beside it",
                place(machine).join("busybox").display()
            )));
        }
        let how = format!(
            "download {PACKAGE} from Debian {SUITE} (1 MB, checked against the archive's \
             signature)"
        );
        Ok(vec![Way::new(how, |log| fetch(machine, log))])
    }
}

fn place(machine: &Machine) -> PathBuf {
    machine.cache.join("guest").join("busybox")
}

fn fetch(machine: &Machine, log: &mut Log) -> Result<()> {
    let archive = Archive::open(&machine.cache, &[SUITE], log)?;
    let versions = archive.versions(PACKAGE)?;
    let version = versions.first().with_context(|| format!("Debian {SUITE} has no {PACKAGE}"))?;
    let staging = machine.cache.staging()?;
    let unpacked = staging.path().join("package");
    archive.unpack(PACKAGE, version, &unpacked, log)?;
    let made = staging.path().join("busybox");
    std::fs::create_dir(&made)
        .and_then(|()| std::fs::rename(unpacked.join(FILE), made.join("busybox")))
        .and_then(|()| std::fs::write(made.join("version"), format!("{version} of {SUITE}\n")))
        .with_context(|| format!("cannot take {FILE} out of {PACKAGE} {version}"))?;
    machine.cache.put(&made, &place(machine))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Result;

    use super::{Busybox, place};
    use crate::setup::machine::fake;
    use crate::setup::step::Step;

    #[test]
    fn only_the_whole_is_found() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = fake::debian(folder.path());
        std::fs::create_dir_all(place(&machine))?;
        std::fs::write(place(&machine).join("busybox"), "program")?;
        assert_eq!(Busybox.find(&machine)?, None);
        std::fs::write(place(&machine).join("version"), "1:1.37.0-6 of trixie\n")?;
        let detail = Busybox.find(&machine)?.map(|found| found.detail);
        assert_eq!(detail.as_deref(), Some("1:1.37.0-6 of trixie"));
        Ok(())
    }

    #[test]
    fn without_apt_the_remedy_names_package_and_place() {
        let machine = fake::fedora(Path::new("/cache"));
        let remedy = Busybox.ways(&machine).err().map(|remedy| remedy.0).unwrap_or_default();
        assert!(remedy.contains("busybox-static of trixie"), "{remedy}");
        assert!(remedy.contains("/cache/guest/busybox/busybox"), "{remedy}");
    }
}
