//! Places of fields, and what each version has.

extern crate std;

use std::string::ToString;
use std::{format, vec};

use super::*;
use crate::attestation_report::key_info::{KeyInfoFlags, SigningKey};
use crate::attestation_report::tcb_version::TcbComponents;
use crate::ecdsa::P384Integer;
use crate::policy::PolicyFlags;

const GENOA: ProcessorModel = ProcessorModel { family: 0x19, model: 0x11, stepping: 1 };
const MITIGATIONS: Mitigations = Mitigations { launch: 0x0102, current: 0x0304 };

/// A report of each version.
fn versions() -> [AttestationReport; 3] {
    [
        AttestationReport::version_2(),
        AttestationReport::version_3(GENOA),
        AttestationReport::version_5(GENOA, MITIGATIONS),
    ]
}

/// A report whose every public field is different.
fn filled(report: AttestationReport) -> AttestationReport {
    let tcb = |first| {
        TcbVersion::new(TcbComponents {
            fmc: None,
            boot_loader: first,
            tee: first + 1,
            snp: first + 2,
            microcode: first + 3,
        })
    };
    AttestationReport {
        guest_svn: 0x11,
        policy: Policy::new(1, 55, PolicyFlags::SMT_ALLOWED),
        family_id: [0x12; 16],
        image_id: [0x13; 16],
        vmpl: 2,
        signature_algorithm: KeyAlgorithm::ECDSA_P384_SHA384,
        current_tcb: tcb(0x20),
        platform_info: PlatformInfo::ECC_ENABLED,
        key_info: KeyInfo::new(SigningKey::VLEK, KeyInfoFlags::AUTHOR_KEY),
        report_data: [0x15; 64],
        measurement: Digest([0x16; 48]),
        host_data: [0x17; 32],
        id_key_digest: Digest([0x18; 48]),
        author_key_digest: Digest([0x19; 48]),
        report_id: [0x1a; 32],
        report_id_ma: [0x1b; 32],
        reported_tcb: tcb(0x30),
        chip_id: [0x1c; 64],
        committed_tcb: tcb(0x40),
        current_firmware: FirmwareVersion::new(1, 55, 30),
        committed_firmware: FirmwareVersion::new(1, 54, 7),
        launch_tcb: tcb(0x50),
        signature: EcdsaSignature::new(P384Integer([0x1d; 72]), P384Integer([0x1e; 72])),
        ..report
    }
}

#[test]
fn fields_stand_in_their_places() {
    let report = filled(AttestationReport::version_5(GENOA, MITIGATIONS));
    let bytes = report.as_bytes();
    let expected: [(usize, &[u8]); 27] = [
        (0x000, &[5, 0, 0, 0]),
        (0x004, &[0x11, 0, 0, 0]),
        (0x008, &[55, 1, 3, 0, 0, 0, 0, 0]),
        (0x010, &[0x12; 16]),
        (0x020, &[0x13; 16]),
        (0x030, &[2, 0, 0, 0]),
        (0x034, &[1, 0, 0, 0]),
        (0x038, &[0x20, 0x21, 0, 0, 0, 0, 0x22, 0x23]),
        (0x040, &[4, 0, 0, 0, 0, 0, 0, 0]),
        (0x048, &[5, 0, 0, 0]),
        (0x050, &[0x15; 64]),
        (0x090, &[0x16; 48]),
        (0x0c0, &[0x17; 32]),
        (0x0e0, &[0x18; 48]),
        (0x110, &[0x19; 48]),
        (0x140, &[0x1a; 32]),
        (0x160, &[0x1b; 32]),
        (0x180, &[0x30, 0x31, 0, 0, 0, 0, 0x32, 0x33]),
        (0x188, &[0x19, 0x11, 1]),
        (0x1a0, &[0x1c; 64]),
        (0x1e0, &[0x40, 0x41, 0, 0, 0, 0, 0x42, 0x43]),
        (0x1e8, &[30, 55, 1, 0]),
        (0x1ec, &[7, 54, 1, 0]),
        (0x1f0, &[0x50, 0x51, 0, 0, 0, 0, 0x52, 0x53]),
        (0x1f8, &[2, 1, 0, 0, 0, 0, 0, 0]),
        (0x200, &[4, 3, 0, 0, 0, 0, 0, 0]),
        (0x2a0, &[0x1d; 72]),
    ];
    let mut rebuilt = vec![0; 0x4a0];
    rebuilt[0x2e8..0x330].fill(0x1e);
    for (offset, field) in expected {
        rebuilt[offset..offset + field.len()].copy_from_slice(field);
    }
    assert_eq!(bytes, rebuilt);
    assert_eq!(AttestationReport::read_from_bytes(&rebuilt), Ok(report));
}

#[test]
fn versions_have_their_fields() {
    let [two, three, five] = versions();
    assert_eq!((two.version(), three.version(), five.version()), (2, 3, 5));
    assert_eq!((two.processor(), two.mitigations()), (None, None));
    assert_eq!((three.processor(), three.mitigations()), (Some(GENOA), None));
    assert_eq!((five.processor(), five.mitigations()), (Some(GENOA), Some(MITIGATIONS)));
    assert_eq!((two.tcb_layout(), three.tcb_layout()), (None, Some(TcbLayout::Milan)));
}

#[test]
fn bytes_that_a_version_lacks_are_not_looked_at() {
    let mut bytes = [0xff; 0x4a0];
    bytes[..4].copy_from_slice(&[2, 0, 0, 0]);
    let report = AttestationReport::read_from_bytes(&bytes).unwrap();
    assert_eq!((report.processor(), report.mitigations()), (None, None));
    bytes[0] = 4;
    let report = AttestationReport::read_from_bytes(&bytes).unwrap();
    let strange = ProcessorModel { family: 0xff, model: 0xff, stepping: 0xff };
    assert_eq!((report.processor(), report.mitigations()), (Some(strange), None));
    assert_eq!(report.tcb_layout(), None);
}

#[test]
fn signature_covers_all_before_it() {
    let report = filled(AttestationReport::version_2());
    assert_eq!(report.signed_bytes(), &report.as_bytes()[..0x2a0]);
    assert_eq!(report.signed_bytes().len(), 672);
}

#[test]
fn said_in_words() {
    let [two, three, five] = versions().map(|report| filled(report).to_string());
    for text in [&two, &three, &five] {
        assert!(text.contains("\nprivilege level:        VMPL2\n"), "{text}");
        assert!(text.contains("\nfirmware:               1.55.30\n"), "{text}");
        assert!(
            text.contains(&format!("\nmeasurement:            {}\n", "16".repeat(48))),
            "{text}"
        );
    }
    assert!(two.contains("\ncurrent TCB:            0x2322000000002120\n"), "{two}");
    assert!(!two.contains("processor:") && !two.contains("mitigations"), "{two}");
    let tcb = "\nreported TCB:           0x3332000000003130 \
        (boot loader 48, TEE 49, SNP 50, microcode 51)\n";
    assert!(three.contains(tcb), "{three}");
    let processor = "\nprocessor:              family 0x19, model 0x11, stepping 0x1\n";
    assert!(three.contains(processor) && !three.contains("mitigations"), "{three}");
    assert!(five.ends_with("\nmitigations now:        0x0000000000000304"), "{five}");
}

#[test]
fn what_is_strange_is_said_to_be() {
    let report = AttestationReport { vmpl: u32::MAX, ..AttestationReport::version_2() };
    let text = report.to_string();
    assert!(text.contains("privilege level:        none, the host asked"), "{text}");
    assert!(text.contains("signature algorithm:    none\n"), "{text}");
    assert!(text.contains("chip ID:                zero\n"), "{text}");
    let report = AttestationReport {
        vmpl: 4,
        signature_algorithm: KeyAlgorithm(9),
        ..AttestationReport::version_2()
    };
    let text = report.to_string();
    assert!(text.contains("privilege level:        unknown (0x4)"), "{text}");
    assert!(text.contains("signature algorithm:    unknown (0x9)"), "{text}");
}
