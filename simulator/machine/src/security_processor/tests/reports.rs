//! Reports, and that their signatures hold.

use abi_snp::{
    AttestationReport, Digest, EcdsaP384PublicKey, FirmwareStatus, KeyInfo, KeyInfoFlags,
    KeySelection, Mitigations, PlatformInfo, ReportRequest, SIGNED_SIZE, SigningKey,
};
use p384::Sec1Point;
use p384::ecdsa::signature::Verifier;
use p384::ecdsa::{Signature, VerifyingKey};
use snp_launch::key_digest;
use zerocopy::IntoBytes;

use crate::launch::samples::{
    POLICY, authentication, guest, id_block, key, launch, platform, public,
};
use crate::launch::{AuthorKey, FinishParameters, Identity};
use crate::platform::{ChipMasks, Platform, ReportVersion};
use crate::security_processor::endorsement_key::EndorsementKey;
use crate::security_processor::samples::{Ends, VCEK, VLEK, keys};

const DATA: [u8; 64] = [0xda; 64];

fn request(vmpl: u32, key: KeySelection) -> ReportRequest {
    ReportRequest::new(DATA, vmpl, key)
}

fn ask(ends: &mut Ends, request: &ReportRequest) -> Result<AttestationReport, FirmwareStatus> {
    let response = ends.ask(request).unwrap();
    match response.report() {
        Ok(report) => Ok(*report),
        Err(_) => Err(response.status),
    }
}

/// Whether `key` signed `report`, judged without any code of this crate.
fn is_signed_by(report: &AttestationReport, key: &EcdsaP384PublicKey) -> bool {
    let big_endian = |number: &abi_snp::P384Integer| {
        let mut bytes: [u8; 48] = number.0[..48].try_into().unwrap();
        bytes.reverse();
        p384::FieldBytes::from(bytes)
    };
    let point = Sec1Point::from_affine_coordinates(&big_endian(&key.x), &big_endian(&key.y), false);
    let key = VerifyingKey::from_sec1_point(&point).unwrap();
    let (r, s) = (big_endian(&report.signature.r), big_endian(&report.signature.s));
    Signature::from_scalars(r, s)
        .is_ok_and(|signature| key.verify(&report.as_bytes()[..SIGNED_SIZE], &signature).is_ok())
}

fn public_of(scalar: &[u8; 48]) -> EcdsaP384PublicKey {
    EndorsementKey::from_scalar(scalar).unwrap().public_key()
}

#[test]
fn report_says_what_is_known_and_is_signed() {
    let mut ends = Ends::sample(0);
    let report = ask(&mut ends, &request(0, KeySelection::ANY)).unwrap();
    let (platform, guest) = (ends.processor.platform(), ends.processor.guest());
    assert_eq!((report.version(), report.vmpl, report.report_data), (3, 0, DATA));
    assert_eq!((report.policy, report.guest_svn), (POLICY, 0));
    assert_eq!((report.family_id, report.image_id), ([0; 16], [0; 16]));
    assert_eq!(report.measurement, guest.measurement);
    assert_eq!((report.host_data, report.report_id), ([0x4d; 32], guest.report_id));
    assert_eq!(report.report_id_ma, [0xff; 32]);
    assert_eq!((report.id_key_digest, report.author_key_digest), (Digest::ZERO, Digest::ZERO));
    assert_eq!(report.chip_id, platform.chip_id);
    assert_eq!(report.current_tcb, platform.current_tcb);
    assert_eq!(report.reported_tcb, platform.reported_tcb);
    assert_eq!(report.committed_tcb, platform.committed_tcb);
    assert_eq!(report.launch_tcb, platform.current_tcb);
    assert_eq!(report.current_firmware, platform.firmware);
    assert_eq!(report.committed_firmware, platform.committed_firmware);
    assert_eq!(report.processor(), Some(platform.cpuid.facts().processor));
    assert_eq!(report.key_info, KeyInfo::new(SigningKey::VCEK, KeyInfoFlags::empty()));
    assert_eq!(report.signature_algorithm.0, 1);
    assert!(is_signed_by(&report, &public_of(&VCEK)));
    assert!(!is_signed_by(&report, &public_of(&VLEK)));
    let mut forged = report;
    forged.guest_svn += 1;
    assert!(!is_signed_by(&forged, &public_of(&VCEK)));
}

#[test]
fn same_guest_gets_the_same_report() {
    let report = || ask(&mut Ends::sample(1), &request(2, KeySelection::VCEK)).unwrap();
    assert_eq!(report(), report());
}

#[test]
fn versions_differ_in_what_they_tell() {
    let info = PlatformInfo::all();
    let report = |report_version| {
        let platform = Platform { report_version, info, ..platform() };
        let guest = guest(&platform);
        let mut ends = Ends::new(platform, keys(None), guest, 0);
        let report = ask(&mut ends, &request(0, KeySelection::ANY)).unwrap();
        assert!(is_signed_by(&report, &public_of(&VCEK)));
        report
    };
    let two = report(ReportVersion::Version2);
    assert_eq!((two.version(), two.processor(), two.mitigations()), (2, None, None));
    // Verifiers refuse a report of version 2 with anything behind the TCB.
    assert_eq!(two.as_bytes()[0x188..0x1a0], [0; 0x18]);
    assert_eq!(two.platform_info.bits(), 0x1f);
    let three = report(ReportVersion::Version3);
    assert_eq!((three.version(), three.platform_info.bits()), (3, 0x3f));
    assert_eq!(three.as_bytes()[0x188..0x18b], [0x19, 0x11, 1]);
    assert_eq!(three.as_bytes()[0x1f8..0x208], [0; 0x10]);
    let five = report(ReportVersion::Version5);
    assert_eq!((five.version(), five.platform_info), (5, info));
    assert_eq!(five.mitigations(), Some(Mitigations { launch: 5, current: 5 }));
}

#[test]
fn owner_stands_in_the_report() {
    let platform = platform();
    let launch = launch(&platform);
    let block = id_block(&launch);
    let authentication = authentication(&block);
    let author_key = AuthorKey::Present;
    let identity = Identity { block: &block, authentication: &authentication, author_key };
    let finish = FinishParameters { identity: Some(identity), host_data: [0; 32] };
    let guest = launch.finish(finish).unwrap();
    let mut ends = Ends::new(platform.clone(), keys(None), guest, 0);
    let report = ask(&mut ends, &request(0, KeySelection::ANY)).unwrap();
    assert_eq!(report.id_key_digest, key_digest(&public(&key(1))));
    assert_eq!(report.author_key_digest, key_digest(&public(&key(2))));
    assert_eq!((report.family_id, report.image_id), ([0xfa; 16], [0x1a; 16]));
    assert_eq!((report.guest_svn, report.key_info.flags()), (3, KeyInfoFlags::AUTHOR_KEY));
}

#[test]
fn level_is_not_above_that_of_the_key() {
    for level in 0..4_u8 {
        let mut ends = Ends::sample(level);
        for vmpl in [0, 1, 2, 3, 4, u32::MAX] {
            let report = ask(&mut ends, &request(vmpl, KeySelection::ANY));
            if (u32::from(level)..=3).contains(&vmpl) {
                assert_eq!(report.unwrap().vmpl, vmpl);
            } else {
                assert_eq!(report.unwrap_err(), FirmwareStatus::INVALID_PARAMETER);
            }
        }
    }
}

#[test]
fn guest_chooses_the_key() {
    let signer = |vlek, selection| {
        let platform = platform();
        let guest = guest(&platform);
        let mut ends = Ends::new(platform, keys(vlek), guest, 0);
        ask(&mut ends, &request(0, selection)).map(|report| {
            let vcek = is_signed_by(&report, &public_of(&VCEK));
            let vlek = is_signed_by(&report, &public_of(&VLEK));
            (report.key_info.signing_key(), vcek, vlek)
        })
    };
    let (by_vcek, by_vlek) = ((SigningKey::VCEK, true, false), (SigningKey::VLEK, false, true));
    assert_eq!(signer(None, KeySelection::ANY), Ok(by_vcek));
    assert_eq!(signer(Some(VLEK), KeySelection::ANY), Ok(by_vlek));
    assert_eq!(signer(Some(VLEK), KeySelection::VCEK), Ok(by_vcek));
    assert_eq!(signer(Some(VLEK), KeySelection::VLEK), Ok(by_vlek));
    assert_eq!(signer(None, KeySelection::VLEK), Err(FirmwareStatus::INVALID_KEY));
    assert_eq!(signer(Some(VLEK), KeySelection(3)), Err(FirmwareStatus::INVALID_KEY));
    assert_eq!(signer(None, KeySelection(4)), Err(FirmwareStatus::INVALID_PARAMETER));
}

#[test]
fn masks_hide_the_chip() {
    let report = |masks, vlek| {
        let platform = Platform { masks, ..platform() };
        let guest = guest(&platform);
        ask(&mut Ends::new(platform, keys(vlek), guest, 0), &request(0, KeySelection::ANY)).unwrap()
    };
    let unsigned = report(ChipMasks::CHIP_KEY, None);
    let flags = KeyInfoFlags::CHIP_KEY_MASKED;
    assert_eq!(unsigned.key_info, KeyInfo::new(SigningKey::NONE, flags));
    assert_eq!(unsigned.signature, abi_snp::EcdsaSignature::NONE);
    let by_vlek = report(ChipMasks::CHIP_KEY, Some(VLEK));
    assert!(is_signed_by(&by_vlek, &public_of(&VLEK)));
    assert_eq!(by_vlek.key_info.flags(), flags);
    assert_eq!(report(ChipMasks::CHIP_ID, None).chip_id, [0; 64]);
}
