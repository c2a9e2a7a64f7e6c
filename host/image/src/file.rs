//! Reading IGVM files: any project's, and none can do harm.
//!
//! The `igvm` crate knows the format but trusts its input: version 0.5.0 panics
//! on some files and takes memory quadratic in their size on others. So a file
//! is walked here first (file `guard`), header by header, without allocation that
//! the file controls; what passes is handed to the crate. Headers that the crate
//! does not know but that a loader may ignore are taken out on the way and kept
//! as [`Skipped`].
//!
//! # Bounds
//!
//! Work and memory of [`Igvm::parse`] are linear in the file's size: at most
//! [`MAX_CONTENT_RATIO`] bytes of page, parameter and register content per byte
//! of file, [`MAX_CONTENT`] bytes in total, plus a few dozen bytes per header.
//!
//! # What is refused although the format allows it
//!
//! Page sizes other than 4 KiB; a 2 MiB page with content (the crate, and
//! QEMU and Cloud Hypervisor with it, would read the first 4 KiB only); a VP
//! context whose compatibility mask names more than one platform; a VBS context
//! for a processor other than 0 or with registers of several VTLs; more than
//! [`MAX_INITIALIZATION_HEADERS`] initialization headers.
//!
//! Specification: the `igvm_defs` crate, which cites none; sections are named
//! after its structures.

mod error;
mod fixed_header;
mod guard;
mod header_kind;
mod page;
#[cfg(test)]
pub(crate) mod samples;
mod vp_context;

use igvm::{IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader, IgvmRevision};
use igvm_defs::{IGVM_VHS_SUPPORTED_PLATFORM, IgvmPlatformType};
use sha2::{Digest, Sha256};

pub use error::{Error, Problem};
pub use fixed_header::MAX_FILE_SIZE;
pub use guard::{
    MAX_CONTENT, MAX_CONTENT_RATIO, MAX_INITIALIZATION_HEADERS, MAX_PARAMETER_AREA,
    MAX_VP_CONTEXTS, Skipped,
};
pub use page::{Page, PageKind};

/// An IGVM file that was read and checked.
#[derive(Clone, Debug)]
pub struct Igvm {
    file: IgvmFile,
    revision: IgvmRevision,
    size: u64,
    sha256: [u8; 32],
    skipped: Vec<Skipped>,
}

impl Igvm {
    /// Reads the IGVM file whose whole content is `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error`] names the first fault and its offset in the file. No input
    /// makes this function panic or exceed the bounds stated above.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let fixed = fixed_header::FixedHeader::parse(bytes)?;
        let walked = guard::walk(bytes, &fixed)?;
        let file = if walked.skipped.is_empty() && fixed.data_start() < bytes.len() {
            IgvmFile::new_from_binary(bytes, None)
        } else {
            let plain = fixed.rebuild(bytes, &walked.kept);
            IgvmFile::new_from_binary(&plain, None)
        };
        Ok(Self {
            file: file.map_err(Error::Format)?,
            revision: fixed.revision(),
            size: bytes.len() as u64,
            sha256: Sha256::digest(bytes).into(),
            skipped: walked.skipped,
        })
    }

    /// The headers, as the `igvm` crate gives them.
    #[must_use]
    pub fn file(&self) -> &IgvmFile {
        &self.file
    }

    /// Format revision, architecture and page size.
    #[must_use]
    pub fn revision(&self) -> IgvmRevision {
        self.revision
    }

    /// Size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// SHA-256 of the file.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Headers that a loader may ignore and that are not part of
    /// [`Self::file`].
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The platforms that the file can be loaded on.
    pub fn platforms(&self) -> impl Iterator<Item = &IGVM_VHS_SUPPORTED_PLATFORM> {
        self.file.platforms().iter().map(|IgvmPlatformHeader::SupportedPlatform(info)| info)
    }

    /// Compatibility mask of a platform, if the file supports it. It has one
    /// bit set, which marks the headers that apply to the platform.
    #[must_use]
    pub fn mask_of(&self, platform: IgvmPlatformType) -> Option<u32> {
        self.platforms().find(|p| p.platform_type == platform).map(|p| p.compatibility_mask)
    }

    /// The guest memory that the file fills, in file order.
    pub fn pages(&self) -> impl Iterator<Item = Page<'_>> {
        page::pages(&self.file)
    }

    /// Guest policy for the platforms of `mask`; the last one counts, as in
    /// QEMU.
    #[must_use]
    pub fn policy(&self, mask: u32) -> Option<u64> {
        self.file.initializations().iter().rev().find_map(|header| match header {
            IgvmInitializationHeader::GuestPolicy { policy, compatibility_mask }
                if compatibility_mask & mask != 0 =>
            {
                Some(*policy)
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
