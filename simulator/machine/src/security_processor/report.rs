//! Attestation reports [SNP ABI 56860 §7.3].

use abi_snp::{
    AttestationReport, Digest, FirmwareStatus, KeyAlgorithm, KeyInfo, KeyInfoFlags, KeySelection,
    Mitigations, PlatformInfo, ReportRequest, SIGNED_SIZE, SigningKey, VmpckId, Vmpl,
};
use zerocopy::IntoBytes;

use crate::launch::LaunchedGuest;
use crate::platform::{ChipMasks, Platform, ReportVersion};
use crate::security_processor::endorsement_key::{EndorsementKey, EndorsementKeys};

/// `REPORT_ID_MA` of a guest without migration agent.
const NO_MIGRATION_AGENT: [u8; 32] = [0xff; 32];

/// The report that `request`, sealed with `vmpck`, asks for.
///
/// # Errors
///
/// [`FirmwareStatus::INVALID_PARAMETER`]: reserved bits, or a privilege level
/// above that of the key, or none; [`FirmwareStatus::INVALID_KEY`]: a signing
/// key that there is not.
pub(super) fn report(
    platform: &Platform,
    keys: &EndorsementKeys,
    guest: &LaunchedGuest,
    vmpck: VmpckId,
    request: &ReportRequest,
) -> Result<AttestationReport, FirmwareStatus> {
    if !request.is_well_formed() {
        return Err(FirmwareStatus::INVALID_PARAMETER);
    }
    let (signing_key, key) = select(platform, keys, request.key_selection)?;
    let levels = u32::from(vmpck.0)..Vmpl::ALL.len() as u32;
    if !levels.contains(&request.vmpl) {
        return Err(FirmwareStatus::INVALID_PARAMETER);
    }
    let mut report = empty(platform, guest);
    report.guest_svn = guest.guest_svn();
    report.policy = guest.policy;
    report.family_id = guest.family_id();
    report.image_id = guest.image_id();
    report.vmpl = request.vmpl;
    report.signature_algorithm = KeyAlgorithm::ECDSA_P384_SHA384;
    report.current_tcb = platform.current_tcb;
    report.platform_info = platform.info.difference(unknown_info(platform.report_version));
    report.key_info = KeyInfo::new(signing_key, key_flags(platform, guest));
    report.report_data = request.report_data;
    report.measurement = guest.measurement;
    report.host_data = guest.host_data;
    report.id_key_digest = guest.id_key_digest();
    report.author_key_digest = guest.author_key_digest().unwrap_or(Digest::ZERO);
    report.report_id = guest.report_id;
    report.report_id_ma = NO_MIGRATION_AGENT;
    report.reported_tcb = platform.reported_tcb;
    if !platform.masks.contains(ChipMasks::CHIP_ID) {
        report.chip_id = platform.chip_id;
    }
    report.committed_tcb = platform.committed_tcb;
    report.current_firmware = platform.firmware;
    report.committed_firmware = platform.committed_firmware;
    report.launch_tcb = guest.launch_tcb;
    if let (Some(key), Some(signed)) = (key, report.as_bytes().get(..SIGNED_SIZE)) {
        report.signature = key.sign(signed);
    }
    Ok(report)
}

/// The key that signs: none, if the host has masked the one that would.
fn select<'k>(
    platform: &Platform,
    keys: &'k EndorsementKeys,
    selection: KeySelection,
) -> Result<(SigningKey, Option<&'k EndorsementKey>), FirmwareStatus> {
    let vlek = keys.vlek.as_ref().map(|vlek| (SigningKey::VLEK, Some(vlek)));
    let vcek = if platform.masks.contains(ChipMasks::CHIP_KEY) {
        (SigningKey::NONE, None)
    } else {
        (SigningKey::VCEK, Some(&keys.vcek))
    };
    match selection {
        KeySelection::ANY => Ok(vlek.unwrap_or(vcek)),
        KeySelection::VCEK => Ok(vcek),
        KeySelection::VLEK => vlek.ok_or(FirmwareStatus::INVALID_KEY),
        _ => Err(FirmwareStatus::INVALID_KEY),
    }
}

/// A report of the platform's version with nothing in it but what only that
/// version has.
fn empty(platform: &Platform, guest: &LaunchedGuest) -> AttestationReport {
    let processor = platform.cpuid.facts().processor;
    let mitigations =
        Mitigations { launch: guest.launch_mitigations, current: platform.mitigations };
    match platform.report_version {
        ReportVersion::Version2 => AttestationReport::version_2(),
        ReportVersion::Version3 => AttestationReport::version_3(processor),
        ReportVersion::Version5 => AttestationReport::version_5(processor, mitigations),
    }
}

/// What reports of `version` cannot say about the machine.
fn unknown_info(version: ReportVersion) -> PlatformInfo {
    match version {
        ReportVersion::Version2 => PlatformInfo::ALIAS_CHECK_COMPLETE | PlatformInfo::TIO_ENABLED,
        ReportVersion::Version3 => PlatformInfo::TIO_ENABLED,
        ReportVersion::Version5 => PlatformInfo::empty(),
    }
}

fn key_flags(platform: &Platform, guest: &LaunchedGuest) -> KeyInfoFlags {
    let mut flags = KeyInfoFlags::empty();
    flags.set(KeyInfoFlags::AUTHOR_KEY, guest.author_key_digest().is_some());
    flags.set(KeyInfoFlags::CHIP_KEY_MASKED, platform.masks.contains(ChipMasks::CHIP_KEY));
    flags
}
