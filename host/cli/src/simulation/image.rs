//! Where the image of a run comes from: a file, or the library that builds
//! images.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::path::PathBuf;

use abi_simulator::LOW_MEMORY_LIMIT;
use anyhow::{Context, Result, anyhow};
use svsm_image::file::{Igvm, MAX_FILE_SIZE};
use svsm_image::layout::payload::Acpi;
use svsm_image::manifest::{
    CBit, Features, Kind, Linux, LinuxPayload, Manifest, MemorySize, Name, PlatformName, Snp,
};
use svsm_image::{build, input};

use super::request::{Image, LinuxImage, Platform, Request};

/// Reads or builds the image for the platform of `request`: the bytes of an
/// IGVM file.
///
/// # Errors
///
/// A file cannot be read, or does not fit the platform.
pub(crate) fn image(request: &Request) -> Result<Vec<u8>> {
    match &request.image {
        Image::Igvm(path) => Ok(input::read(path, "IGVM file", MAX_FILE_SIZE)?),
        Image::Linux(linux) => {
            let manifest = linux_manifest(linux, &request.command_line, &request.platform)?;
            Ok(build::build(&manifest, &manifest.platforms, &BTreeMap::new())?.igvm)
        }
    }
}

/// Reads or builds the image for the platform of `request`.
///
/// # Errors
///
/// As [`image()`], or the file is malformed.
pub(super) fn obtain(request: &Request) -> Result<Igvm> {
    Igvm::parse(&image(request)?).with_context(|| match &request.image {
        Image::Igvm(path) => path.display().to_string(),
        Image::Linux(_) => "the image that was built for Linux".to_owned(),
    })
}

/// What a manifest file would say.
fn linux_manifest(linux: &LinuxImage, command_line: &str, platform: &Platform) -> Result<Manifest> {
    let wrong = |problem: String| anyhow!(problem);
    let payload = LinuxPayload {
        kernel: linux.kernel.clone(),
        initrd: linux.initrd.clone(),
        command_line: command_line.to_owned(),
    };
    // What lies above 4 GiB is not in such an image, so Linux would not know
    // of it.
    if platform.memory > LOW_MEMORY_LIMIT {
        return Err(anyhow!(
            "a bare Linux image has at most {} MiB of memory, not {} MiB",
            LOW_MEMORY_LIMIT >> 20,
            platform.memory >> 20
        ));
    }
    let memory_size = MemorySize::try_from(platform.memory).map_err(wrong)?;
    let c_bit = CBit::try_from(u64::from(platform.c_bit)).map_err(wrong)?;
    let sev_features = Features::try_from(linux.sev_features.bits()).map_err(wrong)?;
    let processors = u8::try_from(platform.cpus).ok().and_then(NonZeroU8::new);
    let processors = processors.context("a guest has at least one processor")?;
    Ok(Manifest {
        name: Name::try_from("linux".to_owned()).map_err(wrong)?,
        platforms: BTreeSet::from([PlatformName::Snp]),
        snp: Snp { c_bit, sev_features, ..Snp::default() },
        kind: Kind::Linux(Linux { payload, memory_size, acpi: Acpi::Image { processors } }),
        // All paths are whole.
        folder: PathBuf::new(),
    })
}

#[cfg(test)]
mod tests {
    use abi_snp::SevFeatures;
    use svsm_image::manifest::Kind;

    use super::linux_manifest;
    use crate::simulation::request::{LinuxImage, Platform};

    fn manifest(platform: &Platform) -> anyhow::Result<super::Manifest> {
        let sev_features = SevFeatures::SNP_ACTIVE | SevFeatures::DEBUG_SWAP;
        let linux = LinuxImage { kernel: "folder/bzImage".into(), initrd: None, sev_features };
        linux_manifest(&linux, "quiet", platform)
    }

    #[test]
    fn the_image_is_for_the_platform() -> anyhow::Result<()> {
        let manifest =
            manifest(&Platform { c_bit: 47, memory: 1792 << 20, ..Platform::default() })?;
        assert_eq!(manifest.snp.c_bit.mask(), 1 << 47);
        assert_eq!(manifest.snp.sev_features.get().bits(), 0x21);
        let Kind::Linux(linux) = manifest.kind else { anyhow::bail!("another kind") };
        assert_eq!(linux.memory_size.get(), 1792 << 20);
        assert_eq!(linux.payload.command_line, "quiet");
        assert_eq!(linux.payload.kernel.to_str(), Some("folder/bzImage"));
        Ok(())
    }

    #[test]
    fn memory_above_the_hole_is_refused() {
        let error = manifest(&Platform { memory: 2 << 30, ..Platform::default() });
        assert!(error.is_err_and(|error| error.to_string().contains("1792 MiB")));
    }
}
