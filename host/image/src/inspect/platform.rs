//! Platforms that a file supports, and what it demands of them.

use abi_snp::Policy as SnpPolicy;
use igvm::IgvmInitializationHeader as Initialization;
use igvm::hv_defs::Vtl;
use igvm_defs::{CcaHashAlgorithm, IgvmPlatformType};
use serde::Serialize;

use super::number::{Bytes, Hex};
use crate::file::Igvm;

/// A platform that the file can be loaded on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Platform {
    /// Short name: `snp`, `native`, `vbs`, `tdx`, `sev`, `sev-es`, `cca`.
    pub name: String,
    /// The bit that marks this platform's headers.
    pub mask: Hex,
    /// Highest virtual trust level that the guest uses.
    pub highest_vtl: u8,
    /// Address from which on memory is shared with the host; 0 if the guest
    /// decides page by page.
    pub shared_boundary: Hex,
}

/// A guest policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Names of the platforms that it is for.
    pub platforms: Vec<String>,
    /// The policy's bits.
    pub value: Hex,
    /// What they mean.
    pub meaning: Vec<String>,
}

/// Memory that may lie elsewhere than the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relocation {
    /// Names of the platforms.
    pub platforms: Vec<String>,
    /// First address as in the file.
    pub gpa: Hex,
    /// Bytes.
    pub size: Bytes,
    /// What is there, and where it may go.
    pub meaning: String,
}

/// Short name of a platform type.
#[must_use]
pub fn platform_name(platform: IgvmPlatformType) -> String {
    let name = match platform {
        IgvmPlatformType::NATIVE => "native",
        IgvmPlatformType::VSM_ISOLATION => "vbs",
        IgvmPlatformType::SEV_SNP => "snp",
        IgvmPlatformType::TDX => "tdx",
        IgvmPlatformType::SEV => "sev",
        IgvmPlatformType::SEV_ES => "sev-es",
        IgvmPlatformType::CCA => "cca",
        other => return format!("type {}", other.0),
    };
    name.to_owned()
}

/// Names of the platforms that `mask` selects, in the order of the file; a bit
/// that belongs to none is given as a number.
pub(super) fn names(igvm: &Igvm, mask: u32) -> Vec<String> {
    let mut rest = mask;
    let mut names = Vec::new();
    for platform in igvm.platforms().filter(|p| p.compatibility_mask & mask != 0) {
        rest &= !platform.compatibility_mask;
        names.push(platform_name(platform.platform_type));
    }
    if rest != 0 {
        names.push(format!("mask {rest:#x}"));
    }
    names
}

pub(super) fn platforms(igvm: &Igvm) -> Vec<Platform> {
    let platforms = igvm.platforms().map(|platform| Platform {
        name: platform_name(platform.platform_type),
        mask: Hex(platform.compatibility_mask.into()),
        highest_vtl: platform.highest_vtl,
        shared_boundary: Hex(platform.shared_gpa_boundary),
    });
    platforms.collect()
}

pub(super) fn policies(igvm: &Igvm) -> Vec<Policy> {
    igvm.file().initializations().iter().filter_map(|header| policy(igvm, header)).collect()
}

fn policy(igvm: &Igvm, header: &Initialization) -> Option<Policy> {
    match header {
        Initialization::GuestPolicy { policy, compatibility_mask } => {
            let platforms = names(igvm, *compatibility_mask);
            let meaning = match platforms.as_slice() {
                [name] if name == "snp" => snp_policy(*policy),
                [name] if name == "tdx" => tdx_policy(*policy),
                _ => Vec::new(),
            };
            Some(Policy { platforms, value: Hex(*policy), meaning })
        }
        Initialization::CcaPolicy {
            compatibility_mask,
            attributes_required_zeroes,
            attributes_required_ones,
            hash_algorithm,
            lfa_policy,
        } => {
            let hash = match *hash_algorithm {
                CcaHashAlgorithm::SHA256 => "SHA-256".to_owned(),
                CcaHashAlgorithm::SHA384 => "SHA-384".to_owned(),
                CcaHashAlgorithm::SHA512 => "SHA-512".to_owned(),
                other => format!("algorithm {}", other.0),
            };
            let meaning = vec![
                format!("attributes that must be 0: {attributes_required_zeroes:#x}"),
                format!("measured with {hash}"),
                format!("live firmware activation policy {}", lfa_policy.0),
            ];
            let value = Hex(*attributes_required_ones);
            Some(Policy { platforms: names(igvm, *compatibility_mask), value, meaning })
        }
        _ => None,
    }
}

/// The words of `abi-snp`, one by one.
fn snp_policy(policy: u64) -> Vec<String> {
    let words = SnpPolicy::from_bits(policy).to_string();
    words.split(", ").map(str::to_owned).collect()
}

/// Attributes of a trust domain, as far as IGVM names them
/// ([`igvm_defs::TdxPolicy`]).
fn tdx_policy(policy: u64) -> Vec<String> {
    let bits = [(0, "DEBUGGING ALLOWED"), (1, "no #VE on pending pages"), (2, "migratable")];
    bits.iter().filter(|(bit, _)| policy >> bit & 1 == 1).map(|(_, m)| (*m).to_owned()).collect()
}

pub(super) fn relocations(igvm: &Igvm) -> Vec<Relocation> {
    let headers = igvm.file().initializations().iter();
    headers
        .filter_map(|header| match header {
            Initialization::RelocatableRegion {
                compatibility_mask,
                relocation_alignment,
                relocation_region_gpa,
                relocation_region_size,
                minimum_relocation_gpa,
                maximum_relocation_gpa,
                is_vtl2,
                apply_rip_offset,
                apply_gdtr_offset,
                vp_index,
                vtl,
            } => Some(Relocation {
                platforms: names(igvm, *compatibility_mask),
                gpa: Hex(*relocation_region_gpa),
                size: Bytes(*relocation_region_size),
                meaning: format!(
                    "{}relocatable to {minimum_relocation_gpa:#x}..{maximum_relocation_gpa:#x} \
                     in steps of {relocation_alignment:#x}{}{}",
                    if *is_vtl2 { "VTL 2, " } else { "" },
                    moved("program counter", *apply_rip_offset, *vp_index, *vtl),
                    moved("GDTR", *apply_gdtr_offset, *vp_index, *vtl),
                ),
            }),
            Initialization::PageTableRelocationRegion {
                compatibility_mask,
                gpa,
                size,
                used_size,
                vp_index,
                vtl,
            } => Some(Relocation {
                platforms: names(igvm, *compatibility_mask),
                gpa: Hex(*gpa),
                size: Bytes(*size),
                meaning: format!(
                    "page tables of processor {vp_index}, VTL {}, to fix up, {} used",
                    u8::from(*vtl),
                    Bytes(*used_size)
                ),
            }),
            _ => None,
        })
        .collect()
}

/// That a register moves along with the memory, if it does.
fn moved(register: &str, moves: bool, vp_index: u16, vtl: Vtl) -> String {
    if moves {
        format!(", with the {register} of processor {vp_index}, VTL {}", u8::from(vtl))
    } else {
        String::new()
    }
}
