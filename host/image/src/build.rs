//! Building an image from a manifest.
//!
//! [`build`] reads the files that the manifest names, has them laid out once
//! per platform and writes the layouts as one IGVM file and, for the native
//! platform, as a PVH ELF file. The same input gives the same bytes.
//! [`Image::sign`] adds the owner's ID block.

mod context;
mod igvm_file;
mod inputs;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use igvm_file::Error as IgvmError;
pub use inputs::{Error as InputError, MAX_ELF_SIZE, MAX_INITRD_SIZE, MAX_KERNEL_SIZE};

use crate::file::{self, Igvm};
use crate::layout::part::{Layout, Part};
use crate::layout::{linux, module};
use crate::manifest::{Kind, Manifest, PlatformName};
use crate::measure::{self, Options, snp_launch_digest};
use crate::pvh;
use crate::sign::{self, Identity, SigningKey};

/// A built image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The IGVM file, for all platforms that were asked for.
    pub igvm: Vec<u8>,
    /// The ELF file for plain virtual machine monitors, if platform `native`
    /// was asked for.
    pub pvh: Option<Vec<u8>>,
    /// What was placed where, sorted by address.
    pub parts: BTreeMap<PlatformName, Vec<Part>>,
}

/// Why no image was built. Messages name the file and the field or segment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No platform was asked for.
    #[error("no platform to build for")]
    NoPlatform,
    /// The manifest does not have the platform.
    #[error("the manifest does not list platform `{0}` in its key `platforms`")]
    Platform(PlatformName),
    /// A file cannot be read or is not what it should be.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The parts do not fit together.
    #[error("platform `{platform}`: {source}")]
    Module {
        /// For which platform.
        platform: PlatformName,
        /// Why.
        source: module::Error,
    },
    /// The parts do not fit together.
    #[error(transparent)]
    Linux(#[from] linux::Error),
    /// The IGVM file cannot be written.
    #[error(transparent)]
    Igvm(#[from] IgvmError),
    /// The ELF file cannot be written.
    #[error("PVH file: {0}")]
    Pvh(#[from] pvh::Error),
}

/// Why an image was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// What was built cannot be read.
    #[error(transparent)]
    Read(#[from] file::Error),
    /// It cannot be measured.
    #[error(transparent)]
    Measure(#[from] measure::Error),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] sign::Error),
}

impl Image {
    /// Puts an ID block into the IGVM file, for the digest that it has as
    /// written and with the security version number of `manifest`.
    ///
    /// # Errors
    ///
    /// See [`SignError`]; the image is as before then.
    pub fn sign(
        &mut self,
        manifest: &Manifest,
        id_key: &SigningKey,
        author_key: Option<&SigningKey>,
    ) -> Result<(), SignError> {
        let igvm = Igvm::parse(&self.igvm)?;
        let digest = snp_launch_digest(&igvm, &Options::default())?.digest;
        let identity = Identity { guest_svn: manifest.snp.svn, ..Identity::default() };
        let signed = sign::sign(&igvm, digest, &identity, id_key, author_key)?;
        self.igvm = signed.add_to(&igvm)?;
        Ok(())
    }
}

/// Builds the image that `manifest` describes for `platforms`, which must be
/// among those it lists. `packages` says where the ELF files of its cargo
/// packages lie.
///
/// # Errors
///
/// See [`Error`].
pub fn build(
    manifest: &Manifest,
    platforms: &BTreeSet<PlatformName>,
    packages: &BTreeMap<String, PathBuf>,
) -> Result<Image, Error> {
    if platforms.is_empty() {
        return Err(Error::NoPlatform);
    }
    if let Some(missing) = platforms.difference(&manifest.platforms).next() {
        return Err(Error::Platform(*missing));
    }
    let layouts = match &manifest.kind {
        Kind::Module(module) => {
            let files = inputs::read_module(module, packages)?;
            let guest_kernel = files.guest_kernel(module)?;
            platforms
                .iter()
                .map(|platform| {
                    let inputs =
                        files.inputs(module, &manifest.snp, *platform, guest_kernel.as_ref());
                    module::lay_out(&inputs)
                        .map(|layout| (*platform, layout))
                        .map_err(|source| Error::Module { platform: *platform, source })
                })
                .collect::<Result<BTreeMap<_, _>, _>>()?
        }
        // A checked manifest of this kind has platform SNP only.
        Kind::Linux(linux) => {
            let files = inputs::read_linux(&linux.payload)?;
            let kernel = files.kernel(&linux.payload)?;
            let layout = linux::lay_out(&files.inputs(linux, &manifest.snp, &kernel))?;
            BTreeMap::from([(PlatformName::Snp, layout)])
        }
    };

    let pvh = layouts.get(&PlatformName::Native).map(pvh::write).transpose()?;
    let igvm = igvm_file::write(&layouts, &manifest.snp)?;
    let parts =
        layouts.into_iter().map(|(platform, Layout { parts, .. })| (platform, parts)).collect();
    Ok(Image { igvm, pvh, parts })
}

#[cfg(test)]
mod tests;
