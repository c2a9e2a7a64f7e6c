//! The default image, built for one machine: with a guest below the module, or
//! with none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use abi_snp::SevFeatures;
use anyhow::{Result, anyhow};
use svsm_image::manifest::{
    CBit, ConsoleName, Features, Kind, LinuxPayload, Manifest, PlatformName,
};

use crate::build;
use crate::output_file;
use crate::project::Project;

/// The module, compiled, to make images with.
pub(crate) struct CompiledModule {
    manifest: Manifest,
    programs: BTreeMap<String, PathBuf>,
}

impl CompiledModule {
    /// Compiles what `images/svsm.toml` names, for release. Messages of the
    /// compiler go to `messages`.
    ///
    /// # Errors
    ///
    /// It does not compile.
    pub(crate) fn new(project: &Project, messages: Stdio) -> Result<Self> {
        let manifest = build::default_manifest(project)?;
        let programs = build::compile_for(project, &manifest, messages)?;
        Ok(Self { manifest, programs })
    }

    /// An image for SEV-SNP alone, with `guest` below the module and this C-bit:
    /// an IGVM file. The module asks for the SEV features `more` beside those of
    /// its manifest.
    ///
    /// # Errors
    ///
    /// Guest and module do not fit together, or a file of the guest cannot be
    /// read.
    pub(crate) fn image(
        &self,
        guest: Option<LinuxPayload>,
        c_bit: u32,
        more: SevFeatures,
    ) -> Result<Vec<u8>> {
        let manifest = changed(&self.manifest, guest, c_bit, more)?;
        Ok(svsm_image::build::build(&manifest, &manifest.platforms, &self.programs)?.igvm)
    }

    /// Whose messages the module prints.
    pub(crate) fn console(&self) -> ConsoleName {
        match &self.manifest.kind {
            Kind::Module(module) => module.log.console,
            Kind::Linux(_) => ConsoleName::None,
        }
    }
}

/// Compiles the module and makes an image of it with `guest`, in a file of
/// `folder`.
///
/// # Errors
///
/// As of [`CompiledModule`], and if the file cannot be written.
pub(crate) fn image_in(
    folder: &Path,
    project: &Project,
    guest: Option<LinuxPayload>,
    c_bit: u32,
    more: SevFeatures,
    messages: Stdio,
) -> Result<PathBuf> {
    let image = CompiledModule::new(project, messages)?.image(guest, c_bit, more)?;
    let path = folder.join("svsm.igvm");
    output_file::write(&path, &image)?;
    Ok(path)
}

/// The manifest of an image for one machine.
fn changed(
    manifest: &Manifest,
    guest: Option<LinuxPayload>,
    c_bit: u32,
    more: SevFeatures,
) -> Result<Manifest> {
    let mut manifest = manifest.clone();
    let Kind::Module(module) = &mut manifest.kind else {
        return Err(anyhow!("the default manifest describes no image with the module"));
    };
    module.guest = guest;
    manifest.platforms = BTreeSet::from([PlatformName::Snp]);
    let wrong = |problem: String| anyhow!(problem);
    manifest.snp.c_bit = CBit::try_from(u64::from(c_bit)).map_err(wrong)?;
    let features = manifest.snp.sev_features.get() | more;
    manifest.snp.sev_features = Features::try_from(features.bits()).map_err(wrong)?;
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use abi_snp::SevFeatures;

    use super::{Kind, LinuxPayload, Manifest, PlatformName, changed};

    const MANIFEST: &str = "\
name = \"svsm\"
kind = \"module\"
platforms = [\"snp\", \"native\"]
max_vcpus = 4
[kernel]
elf = \"kernel\"
[region]
base = 0x0800_0000
size = 0x0100_0000
";

    #[test]
    fn the_manifest_becomes_one_for_the_machine() -> anyhow::Result<()> {
        let manifest = Manifest::parse(MANIFEST, Path::new(""))?;
        let guest = LinuxPayload {
            kernel: "bzImage".into(),
            initrd: None,
            command_line: "quiet".to_owned(),
        };
        let manifest = changed(&manifest, Some(guest.clone()), 47, SevFeatures::DEBUG_SWAP)?;
        assert_eq!(manifest.snp.c_bit.mask(), 1 << 47);
        let features = SevFeatures::SNP_ACTIVE | SevFeatures::DEBUG_SWAP;
        assert_eq!(manifest.snp.sev_features.get(), features);
        assert_eq!(manifest.platforms, [PlatformName::Snp].into());
        let Kind::Module(module) = manifest.kind else { anyhow::bail!("another kind") };
        assert_eq!(module.guest, Some(guest));
        Ok(())
    }

    #[test]
    fn an_image_without_the_module_is_refused() -> anyhow::Result<()> {
        let text = "name = \"linux\"\nkind = \"linux\"\nplatforms = [\"snp\"]\n\
                    [linux]\nkernel = \"k\"\nmemory_size = 0x0400_0000\n";
        let manifest = Manifest::parse(text, Path::new(""))?;
        assert!(changed(&manifest, None, 51, SevFeatures::empty()).is_err());
        Ok(())
    }
}
