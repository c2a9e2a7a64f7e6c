//! What is not loaded, and why.

use abi_simulator::launch;
use igvm::IgvmInitializationHeader;
use igvm_defs::IgvmPlatformType;
use svsm_image::measure;

use super::samples::{self, NATIVE, SNP, page};
use crate::Error;
use crate::load::load;

fn refusal(directives: Vec<igvm::IgvmDirectiveHeader>) -> Error {
    load(&samples::igvm(directives), &samples::machine()).unwrap_err()
}

#[test]
fn files_for_other_platforms() {
    let platforms = vec![
        samples::platform(NATIVE, IgvmPlatformType::NATIVE),
        samples::platform(4, IgvmPlatformType::TDX),
    ];
    let igvm = samples::file(platforms, Vec::new(), vec![page(0, NATIVE, &[])]);
    let error = load(&igvm, &samples::machine()).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::NotSnp { .. }) && text.contains("native, tdx"), "{text}");
}

#[test]
fn files_without_a_policy() {
    let platforms = || vec![samples::platform(SNP, IgvmPlatformType::SEV_SNP)];
    let without = samples::file(platforms(), Vec::new(), vec![samples::context(0)]);
    assert_eq!(load(&without, &samples::machine()), Err(Error::NoPolicy));
    let policy =
        IgvmInitializationHeader::GuestPolicy { policy: samples::POLICY, compatibility_mask: SNP };
    let with = samples::file(platforms(), vec![policy], vec![samples::context(0)]);
    assert!(load(&with, &samples::machine()).is_ok());
}

#[test]
fn processors_that_cannot_start() {
    let none = vec![page(0, SNP, &[])];
    assert_eq!(refusal(none), Error::NoBootProcessor);
    assert_eq!(refusal(vec![samples::context(1)]), Error::NoBootProcessor);
    let third = vec![samples::context(0), samples::context(2)];
    assert_eq!(refusal(third), Error::NoSuchProcessor { vp_index: 2, vcpus: 2 });
    let twice = vec![samples::context(1), samples::context(0), samples::context(1)];
    assert_eq!(refusal(twice), Error::TwoContexts { vp_index: 1 });
}

#[test]
fn impossible_machines() {
    let igvm = samples::igvm(vec![samples::context(0)]);
    let refusal = |change: fn(&mut crate::MachineOptions<'_>)| {
        let mut machine = samples::machine();
        change(&mut machine);
        load(&igvm, &machine).unwrap_err()
    };
    for (error, record) in [
        (
            refusal(|machine| machine.options.vcpus = launch::MAX_VCPUS + 1),
            launch::RecordKind::OPTIONS,
        ),
        (refusal(|machine| machine.options.vcpus = u32::MAX), launch::RecordKind::OPTIONS),
        (refusal(|machine| machine.memory_size = 0), launch::RecordKind::MEMORY),
        (refusal(|machine| machine.memory_size = u64::MAX), launch::RecordKind::MEMORY),
        (
            refusal(|machine| machine.security_processor.report_version = 4),
            launch::RecordKind::SECURITY_PROCESSOR,
        ),
    ] {
        let Error::Bounds(launch::Error::Record { kind, .. }) = error else { panic!("{error}") };
        assert_eq!(kind, record);
    }
}

#[test]
fn pages_that_no_guest_can_have() {
    let mut directives = vec![samples::area(0, 2, &[])];
    directives.push(samples::insert(u64::MAX - 0xfff, SNP, 0));
    directives.push(samples::context(0));
    assert!(matches!(refusal(directives), Error::Pages(measure::Error::Wraps { .. })));
}
