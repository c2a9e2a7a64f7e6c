//! Reports hold or do not, and the fault is named.

use std::sync::LazyLock;

use abi_snp::{
    AttestationReport, KeyInfo, KeyInfoFlags, Mitigations, P384Integer, ProcessorModel,
    TcbComponents,
};
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::Endorsement;
use crate::sample::{MILAN, OTHER_MILAN, TURIN, complete, sign};

const MODEL: ProcessorModel = ProcessorModel { family: 0x19, model: 1, stepping: 1 };

/// A report that holds.
static SIGNED: LazyLock<AttestationReport> =
    LazyLock::new(|| sign(complete(AttestationReport::version_2(), &MILAN), &MILAN));

/// What the chain says about a report of version 2 that `change` has changed
/// before it was signed.
fn verdict(change: impl FnOnce(&mut AttestationReport)) -> Result<(), ReportFault> {
    let mut report = complete(AttestationReport::version_2(), &MILAN);
    change(&mut report);
    MILAN.chain().verify(&sign(report, &MILAN))
}

#[test]
fn reports_of_each_version_hold() {
    let holds = |report, by: &Endorsement| by.chain().verify(&sign(complete(report, by), by));
    let mitigations = Mitigations { launch: 1, current: 3 };
    assert_eq!(holds(AttestationReport::version_2(), &MILAN), Ok(()));
    assert_eq!(holds(AttestationReport::version_3(MODEL), &MILAN), Ok(()));
    assert_eq!(holds(AttestationReport::version_5(MODEL, mitigations), &MILAN), Ok(()));
    let turin = ProcessorModel { family: 0x1a, model: 2, stepping: 1 };
    assert_eq!(holds(AttestationReport::version_5(turin, mitigations), &TURIN), Ok(()));
}

#[test]
fn what_the_guest_chose_is_not_judged() {
    assert_eq!(verdict(|report| report.report_data = [9; 64]), Ok(()));
    assert_eq!(verdict(|report| report.guest_svn = 7), Ok(()));
}

#[test]
fn unknown_versions_are_refused() {
    for version in [0u32, 1, 6, u32::MAX] {
        let mut bytes = [0; size_of::<AttestationReport>()];
        bytes[..4].copy_from_slice(&version.to_le_bytes());
        let report = AttestationReport::read_from_bytes(&bytes).unwrap();
        let report = sign(complete(report, &MILAN), &MILAN);
        assert_eq!(MILAN.chain().verify(&report), Err(ReportFault::Version(version)));
    }
}

#[test]
fn other_algorithms_and_keys_are_refused() {
    let none = verdict(|report| report.signature_algorithm = KeyAlgorithm::NONE);
    assert_eq!(none, Err(ReportFault::Algorithm(KeyAlgorithm::NONE)));
    for key in [SigningKey::VLEK, SigningKey::NONE] {
        let fault = verdict(|report| report.key_info = KeyInfo::new(key, KeyInfoFlags::empty()));
        assert_eq!(fault, Err(ReportFault::SigningKey(key)));
    }
}

#[test]
fn another_processor_s_signature_is_refused() {
    let report = complete(AttestationReport::version_2(), &MILAN);
    let forged = sign(report, &OTHER_MILAN);
    assert_eq!(MILAN.chain().verify(&forged), Err(ReportFault::Signature));
}

#[test]
fn numbers_that_cannot_be_a_signature_are_refused() {
    for number in [P384Integer::ZERO, P384Integer([0xff; 72])] {
        let mut report = *SIGNED;
        report.signature.s = number;
        assert_eq!(MILAN.chain().verify(&report), Err(ReportFault::Signature));
    }
}

#[test]
fn the_certificate_s_processor_and_firmware_count() {
    assert_eq!(verdict(|report| report.chip_id[63] ^= 1), Err(ReportFault::Chip));
    assert_eq!(verdict(|report| report.chip_id = [0; 64]), Ok(()), "masked by the host");
    let certified = MILAN.chain().chip().reported_tcb();
    let older = TcbComponents { microcode: 212, ..MILAN.chain().chip().tcb() };
    let reported = TcbVersion::new(older);
    let fault = verdict(|report| report.reported_tcb = reported).unwrap_err();
    assert_eq!(fault, ReportFault::Tcb { reported, certified });
    assert_eq!(
        fault.to_string(),
        "the report was made with TCB version 0xd416000000000004, the VCEK is for \
         0xd516000000000004"
    );
}

proptest! {
    #[test]
    fn every_bit_of_a_report_counts(place in 0usize..0x300, bit in 0u8..8) {
        let mut report = *SIGNED;
        report.as_mut_bytes()[place] ^= 1 << bit;
        let verdict = MILAN.chain().verify(&report);
        // Behind the two numbers of 72 bytes nothing is looked at.
        prop_assert_eq!(verdict.is_err(), place < 0x2a0 + 2 * 72);
    }
}
