//! The manifest: one TOML file that says what an image is made of.
//!
//! [`Manifest::load`] reads and checks it; whatever it returns can be relied
//! on: every number is in its range and every section fits the kind of image.
//! The keys are documented at the types: [`Manifest`] for the top level,
//! [`Module`] and [`Linux`] for the two kinds, and the types of their fields for
//! the sections. Unknown keys are refused.
//!
//! Paths are relative to the manifest's folder.

mod document;
mod error;
mod keys;
mod values;

use std::path::Path;

pub use error::Error;
pub use keys::{
    Kernel, Kind, Linux, LinuxPayload, Log, Manifest, Module, Parameters, Program, Service, Snp,
};
pub use values::{
    AreaPages, CBit, ConsoleName, Cpus, Features, KernelOptions, MaxVcpus, MemorySize, Name, Pages,
    PlatformName, Policy, Region, VmsaGpa,
};

use crate::input;

/// Largest manifest that is read, in bytes.
pub const MAX_MANIFEST_SIZE: u64 = 1 << 20;

impl Manifest {
    /// Reads the manifest in file `path`.
    ///
    /// # Errors
    ///
    /// [`Error`] names the file and, once it could be read, the line and the
    /// key.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = input::read(path, "manifest", MAX_MANIFEST_SIZE)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = String::from_utf8(bytes).map_err(|_| Error::NotText { file: path.into() })?;
        document::parse(&text, path, folder)
    }

    /// Reads a manifest from `text`; relative paths start from `folder`.
    ///
    /// # Errors
    ///
    /// As [`Manifest::load`], with the file called `manifest`.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Error> {
        document::parse(text, Path::new("manifest"), folder)
    }
}

#[cfg(test)]
mod tests;
