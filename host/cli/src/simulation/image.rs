//! Where the image of a run comes from: a file, or the library that builds
//! images.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::path::PathBuf;

use abi_simulator::LOW_MEMORY_LIMIT;
use anyhow::{Context, Result, anyhow};
use svsm_image::file::{Igvm, MAX_FILE_SIZE};
use svsm_image::layout::linux::Acpi;
use svsm_image::manifest::{
    CBit, Kind, Linux, LinuxPayload, Manifest, MemorySize, Name, PlatformName, Snp,
};
use svsm_image::{build, input};

use super::request::{Image, LinuxImage, Platform, Request};

/// Reads or builds the image for the platform of `request`.
///
/// # Errors
///
/// A file cannot be read, is malformed, or does not fit the platform.
pub(super) fn obtain(request: &Request) -> Result<Igvm> {
    match &request.image {
        Image::Igvm(path) => {
            let bytes = input::read(path, "IGVM file", MAX_FILE_SIZE)?;
            Igvm::parse(&bytes).with_context(|| path.display().to_string())
        }
        Image::Linux(linux) => {
            let manifest = linux_manifest(linux, &request.command_line, &request.platform)?;
            let image = build::build(&manifest, &manifest.platforms, &BTreeMap::new())?;
            Igvm::parse(&image.igvm).context("the image that was built for Linux")
        }
    }
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
    let processors = u8::try_from(platform.cpus).ok().and_then(NonZeroU8::new);
    let processors = processors.context("a guest has at least one processor")?;
    Ok(Manifest {
        name: Name::try_from("linux".to_owned()).map_err(wrong)?,
        platforms: BTreeSet::from([PlatformName::Snp]),
        snp: Snp { c_bit, ..Snp::default() },
        kind: Kind::Linux(Linux { payload, memory_size, acpi: Acpi::Image { processors } }),
        // All paths are whole.
        folder: PathBuf::new(),
    })
}

#[cfg(test)]
mod tests {
    use svsm_image::manifest::Kind;

    use super::linux_manifest;
    use crate::simulation::request::{LinuxImage, Platform};

    fn manifest(platform: &Platform) -> anyhow::Result<super::Manifest> {
        let linux = LinuxImage { kernel: "folder/bzImage".into(), initrd: None };
        linux_manifest(&linux, "quiet", platform)
    }

    #[test]
    fn the_image_is_for_the_platform() -> anyhow::Result<()> {
        let manifest =
            manifest(&Platform { c_bit: 47, memory: 1792 << 20, ..Platform::default() })?;
        assert_eq!(manifest.snp.c_bit.mask(), 1 << 47);
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
