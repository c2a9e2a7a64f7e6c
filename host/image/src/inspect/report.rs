//! Everything that is known about a file.

use igvm::{Arch, IgvmRevision};
use serde::Serialize;

use super::boot_block::{Boot, boot_blocks};
use super::context::{Context, contexts};
use super::identity::{Identity, identity};
use super::launch::{Launch, launch};
use super::number::{Bytes, Hex, hex};
use super::parameter::{ParameterArea, parameter_areas};
use super::platform::{Platform, Policy, Relocation, platforms, policies, relocations};
use super::region::{Region, RequiredMemory, Total, regions, required_memory, totals};
use super::vbs_measurement::{VbsMeasurement, vbs_measurements};
use crate::file::{Igvm, Skipped};

/// A description of an IGVM file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The file itself.
    pub file: FileFacts,
    /// Platforms that it supports.
    pub platforms: Vec<Platform>,
    /// What it demands of them.
    pub policies: Vec<Policy>,
    /// Guest memory that it fills, sorted by address.
    pub regions: Vec<Region>,
    /// The same by kind, all platforms together.
    pub totals: Vec<Total>,
    /// Memory that it needs.
    pub required_memory: Vec<RequiredMemory>,
    /// Memory that may lie elsewhere.
    pub relocations: Vec<Relocation>,
    /// What the loader tells the guest.
    pub parameter_areas: Vec<ParameterArea>,
    /// What virtual processors start with.
    pub contexts: Vec<Context>,
    /// Boot blocks of this project's images.
    pub boot_blocks: Vec<Boot>,
    /// The ID block for SEV-SNP.
    pub identity: Option<Identity>,
    /// What Hyper-V's VBS platform is to measure.
    pub vbs_measurements: Vec<VbsMeasurement>,
    /// The launch digest for SEV-SNP, with VMSAs as written.
    pub launch: Option<Launch>,
    /// Headers that were passed over.
    pub skipped_headers: Vec<SkippedHeader>,
}

/// Facts about the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileFacts {
    /// Version of the format, 1 or 2.
    pub format_version: u32,
    /// `x86-64` or `aarch64`.
    pub architecture: &'static str,
    /// Bytes.
    pub size: Bytes,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// A header that a loader may ignore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedHeader {
    /// Offset in the file.
    pub offset: Hex,
    /// Its type.
    pub header_type: Hex,
    /// Bytes of content.
    pub size: u32,
    /// SHA-256 of the content.
    pub sha256: String,
    /// The text of a version string.
    pub text: Option<String>,
}

impl Report {
    /// Describes a file. A damaged ID block or boot block, or a launch that
    /// cannot be measured, is a fact like others.
    #[must_use]
    pub fn new(igvm: &Igvm) -> Self {
        Self {
            file: file_facts(igvm),
            platforms: platforms(igvm),
            policies: policies(igvm),
            regions: regions(igvm),
            totals: totals(igvm),
            required_memory: required_memory(igvm),
            relocations: relocations(igvm),
            parameter_areas: parameter_areas(igvm),
            contexts: contexts(igvm),
            boot_blocks: boot_blocks(igvm),
            identity: identity(igvm),
            vbs_measurements: vbs_measurements(igvm),
            launch: launch(igvm),
            skipped_headers: igvm.skipped().iter().map(skipped_header).collect(),
        }
    }
}

fn file_facts(igvm: &Igvm) -> FileFacts {
    let (format_version, arch) = match igvm.revision() {
        IgvmRevision::V1 => (1, Arch::X64),
        IgvmRevision::V2 { arch, .. } => (2, arch),
    };
    let architecture = match arch {
        Arch::X64 => "x86-64",
        Arch::AArch64 => "aarch64",
    };
    let (size, sha256) = (Bytes(igvm.size()), hex(&igvm.sha256()));
    FileFacts { format_version, architecture, size, sha256 }
}

fn skipped_header(skipped: &Skipped) -> SkippedHeader {
    SkippedHeader {
        offset: Hex(skipped.offset),
        header_type: Hex(skipped.header_type.into()),
        size: skipped.size,
        sha256: hex(&skipped.sha256),
        text: skipped.text.clone(),
    }
}
