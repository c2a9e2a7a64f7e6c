//! Image and platform as a launch file.

use abi_simulator::launch::Options;
use abi_snp::SevFeatures;
use abi_snp::ghcb::HypervisorFeatures;
use anyhow::{Context, Result};
use svsm_endorsement::Endorsement;
use svsm_image::file::Igvm;
use svsm_image::input;
use svsm_loader::MachineOptions;

use super::request::{Image, Platform, Request};
use super::security_processor::security_processor;

/// Largest scenario of a hostile host, in bytes.
const MAX_SCENARIO_SIZE: u64 = 1 << 20;

/// Versions of the GHCB protocol that the hypervisor offers, lowest and
/// highest. SNP guests need version 2; KVM offers both, too.
const GHCB_VERSIONS: (u16, u16) = (1, 2);

/// How long a processor runs before another one's turn, in nanoseconds: short
/// for a person, long against the cost of a switch.
const TIME_SLICE_NS: u64 = 1_000_000;

/// Loads `image` into the platform of `request`, whose security processor signs
/// with the keys of `endorsement`; the bytes of the launch file.
///
/// # Errors
///
/// The image does not fit the platform, or the scenario cannot be read.
pub(super) fn file(image: &Igvm, request: &Request, endorsement: &Endorsement) -> Result<Vec<u8>> {
    let platform = &request.platform;
    let machine = MachineOptions {
        options: options(platform),
        memory_size: platform.memory,
        security_processor: security_processor(endorsement, platform.report_version),
        certificates: &endorsement.chain().certificate_table(),
        scenario: &scenario(platform)?,
        // Nobody has anything to say in reports.
        host_data: [0; 32],
        command_line: match &request.image {
            Image::Igvm(_) => &request.command_line,
            // It is in the image.
            Image::Linux(_) => "",
        },
        vmpl: platform.vmpl,
    };
    svsm_loader::load(image, &machine).context("the image cannot be loaded")
}

fn options(platform: &Platform) -> Options {
    let (ghcb_minimum, ghcb_maximum) = GHCB_VERSIONS;
    Options {
        vcpus: platform.cpus,
        c_bit: platform.c_bit,
        cpuid_policy: platform.cpuid,
        cpuid_additions: platform.cpuid_additions,
        ghcb_minimum,
        ghcb_maximum,
        sev_features: platform.sev_features,
        hypervisor_feature_bits: hypervisor_features(platform.sev_features).bits(),
        schedule_seed: platform.schedule,
        time_slice_ns: TIME_SLICE_NS,
        trace: platform.trace,
    }
}

/// What the hypervisor tells a guest that it offers: everything that it can do
/// on a platform with `sev_features`.
fn hypervisor_features(sev_features: SevFeatures) -> HypervisorFeatures {
    let mut features = HypervisorFeatures::SNP
        | HypervisorFeatures::AP_CREATION
        | HypervisorFeatures::APIC_ID_LIST
        | HypervisorFeatures::MULTI_VMPL;
    let restricted = sev_features.contains(SevFeatures::RESTRICTED_INJECTION);
    features.set(HypervisorFeatures::RESTRICTED_INJECTION, restricted);
    features
}

/// The text of the scenario; empty if the host plays fair.
fn scenario(platform: &Platform) -> Result<String> {
    let Some(path) = &platform.scenario else { return Ok(String::new()) };
    let bytes = input::read(path, "scenario", MAX_SCENARIO_SIZE)?;
    String::from_utf8(bytes).with_context(|| format!("the scenario {} is no text", path.display()))
}

#[cfg(test)]
mod tests {
    use abi_simulator::launch::{CpuidAdditions, CpuidPolicy, Trace};
    use abi_snp::SevFeatures;
    use abi_snp::ghcb::HypervisorFeatures;

    use super::{options, scenario};
    use crate::simulation::request::Platform;

    #[test]
    fn the_platform_is_what_was_asked_for() {
        let platform = Platform {
            cpus: 4,
            c_bit: 47,
            cpuid: CpuidPolicy::REDUCED,
            cpuid_additions: CpuidAdditions::INVLPGB,
            schedule: 5,
            trace: Trace::PAGES,
            ..Platform::default()
        };
        let options = options(&platform);
        assert_eq!((options.vcpus, options.c_bit), (4, 47));
        assert_eq!((options.cpuid_policy, options.trace), (CpuidPolicy::REDUCED, Trace::PAGES));
        assert_eq!(options.cpuid_additions, CpuidAdditions::INVLPGB);
        assert_eq!(options.schedule_seed, 5);
        assert_eq!(options.sev_features, platform.sev_features);
    }

    #[test]
    fn what_the_platform_lacks_is_not_offered() {
        let offered = options(&Platform::default()).hypervisor_features();
        assert!(offered.contains(HypervisorFeatures::SNP | HypervisorFeatures::MULTI_VMPL));
        assert!(offered.contains(HypervisorFeatures::RESTRICTED_INJECTION));
        let platform = Platform { sev_features: SevFeatures::SNP_ACTIVE, ..Platform::default() };
        let offered = options(&platform).hypervisor_features();
        assert!(!offered.contains(HypervisorFeatures::RESTRICTED_INJECTION));
    }

    #[test]
    fn a_scenario_is_a_text() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("scenario");
        let platform = Platform { scenario: Some(path.clone()), ..Platform::default() };
        let error = scenario(&platform).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains(&path.display().to_string())));
        std::fs::write(&path, b"\xff")?;
        assert!(scenario(&platform).is_err_and(|error| error.to_string().ends_with("is no text")));
        std::fs::write(&path, "inject")?;
        assert_eq!(scenario(&platform)?, "inject");
        assert_eq!(scenario(&Platform::default())?, "");
        Ok(())
    }
}
