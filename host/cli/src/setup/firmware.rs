//! A guest firmware that other programs have measured too: Debian's OVMF.
//!
//! Tests compare our launch digests of it with those of independent programs,
//! so it has to be this very file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::apt::Archive;
use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;

/// The step.
pub(crate) struct Firmware;

const SUITE: &str = "bookworm";
const PACKAGE: &str = "ovmf";
const VERSION: &str = "2022.11-6+deb12u2";
/// The firmware inside the package.
const FILE: &str = "usr/share/ovmf/OVMF.fd";
const SHA256: &str = "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773";

impl Step for Firmware {
    fn name(&self) -> String {
        "ovmf".to_owned()
    }

    fn purpose(&self) -> String {
        format!("guest firmware OVMF {VERSION}, measured in tests")
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = place(machine).join("OVMF.fd");
        if !path.is_file() {
            return Ok(None);
        }
        let matches = digest(&path)? == SHA256;
        Ok(matches.then(|| Found { path, detail: format!("{VERSION}, digest as expected") }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        if !machine.reaches_debian() {
            return Err(Remedy(format!(
                "take {FILE} out of Debian's package {PACKAGE} {VERSION} and put it at {} \
                 (SHA-256 {SHA256})",
                place(machine).join("OVMF.fd").display()
            )));
        }
        let how = format!(
            "download {PACKAGE} {VERSION} from Debian (8 MB, checked against the archive's \
             signature and the digest in our source)"
        );
        Ok(vec![Way::new(how, |log| fetch(machine, log))])
    }
}

fn place(machine: &Machine) -> PathBuf {
    machine.cache.join("firmware").join(format!("{PACKAGE}-{VERSION}"))
}

fn fetch(machine: &Machine, log: &mut Log) -> Result<()> {
    let archive = Archive::open(&machine.cache, &[SUITE], log)?;
    let staging = machine.cache.staging()?;
    let unpacked = staging.path().join("package");
    archive.unpack(PACKAGE, VERSION, &unpacked, log).with_context(|| {
        format!(
            "Debian's {SUITE} does not give {PACKAGE} {VERSION}; its versions may have moved on"
        )
    })?;
    let file = unpacked.join(FILE);
    let found = digest(&file)?;
    if found != SHA256 {
        bail!("{FILE} of {PACKAGE} {VERSION} has SHA-256 {found}, expected {SHA256}");
    }
    let made = staging.path().join("firmware");
    std::fs::create_dir(&made)
        .and_then(|()| std::fs::rename(&file, made.join("OVMF.fd")))
        .with_context(|| format!("cannot move {}", file.display()))?;
    machine.cache.put(&made, &place(machine))
}

/// SHA-256 of a file in lowercase hexadecimal.
fn digest(file: &Path) -> Result<String> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Result;

    use super::{Firmware, digest, place};
    use crate::setup::machine::fake;
    use crate::setup::step::Step;

    #[test]
    fn another_file_in_its_place_is_not_taken() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = fake::debian(folder.path());
        assert_eq!(Firmware.find(&machine)?, None);
        std::fs::create_dir_all(place(&machine))?;
        std::fs::write(place(&machine).join("OVMF.fd"), "not the firmware")?;
        assert_eq!(Firmware.find(&machine)?, None);
        Ok(())
    }

    #[test]
    fn digests_are_sha_256() -> Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(file.path())?, empty);
        Ok(())
    }

    #[test]
    fn without_apt_the_remedy_names_file_and_digest() {
        let machine = fake::fedora(Path::new("/cache"));
        let remedy = Firmware.ways(&machine).err().map(|remedy| remedy.0).unwrap_or_default();
        assert!(remedy.contains("/cache/firmware/ovmf-2022.11-6+deb12u2/OVMF.fd"), "{remedy}");
        assert!(remedy.contains("7b456907"), "{remedy}");
    }
}
