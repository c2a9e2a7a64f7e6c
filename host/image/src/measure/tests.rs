//! What is measured, in which order, with which options.
//!
//! Digests themselves are compared with an independent program in
//! `tests/launch_digest.rs`.

use abi_snp::{Digest, KVM_VMSA_GPA, PageType};
use igvm::{IgvmDirectiveHeader, IgvmFile};
use igvm_defs::{IgvmPageDataFlags, IgvmPageDataType, IgvmPlatformType};
use sha2::{Digest as _, Sha384};

use super::{Error, IdBlockDigest, Measurement, Options, PageList, Vmm, ZeroPages};
use crate::file::samples::{self, NATIVE, SNP};
use crate::file::{Igvm, MAX_PARAMETER_AREA};

const KEEP: Options = Options {
    vmm: Vmm::AsWritten,
    zero_pages: ZeroPages::Normal,
    cpu_signature: Some(0x80_0f12),
    page_list: PageList::Keep,
};

fn parse(file: &IgvmFile) -> Igvm {
    Igvm::parse(&samples::bytes(file)).expect("valid")
}

fn measure(directives: Vec<IgvmDirectiveHeader>, options: Options) -> Measurement {
    let igvm = parse(&samples::module_with(directives));
    super::snp_launch_digest(&igvm, &options).expect("measurable")
}

fn refusal(directives: Vec<IgvmDirectiveHeader>, options: Options) -> Error {
    let igvm = parse(&samples::module_with(directives));
    super::snp_launch_digest(&igvm, &options).expect_err("refused")
}

/// Types and addresses in the order of the measurement.
fn steps(measurement: &Measurement) -> Vec<(PageType, u64)> {
    measurement.pages.iter().map(|page| (page.page_type, page.gpa)).collect()
}

fn kvm(vcpus: u32) -> Options {
    Options { vmm: Vmm::Kvm { vcpus }, ..KEEP }
}

#[test]
fn pages_are_measured_as_written() {
    let measurement = measure(samples::module_directives(), KEEP);
    assert_eq!(
        steps(&measurement),
        [
            (PageType::UNMEASURED, 0x30_0000),
            (PageType::UNMEASURED, 0x30_1000),
            (PageType::UNMEASURED, 0x30_2000),
            (PageType::NORMAL, 0x10_0000),
            (PageType::NORMAL, 0x10_1000),
            (PageType::NORMAL, 0x10_2000),
            (PageType::NORMAL, 0x20_0000),
            (PageType::SECRETS, 0x20_1000),
            (PageType::CPUID, 0x20_2000),
            (PageType::UNMEASURED, 0x20_3000),
            (PageType::VMSA, samples::VMSA_GPA),
        ]
    );
    assert_eq!(measurement.counts[&PageType::UNMEASURED], 4);
    let zeros = Digest(Sha384::digest([0; 4096]).into());
    assert_eq!(measurement.pages[5].contents, zeros);
    assert_eq!(measurement.pages[0].contents, Digest::ZERO);
    assert_eq!(measurement.pages[0].current_digest, Digest::ZERO);
}

/// The records are a chain that ends in the digest.
#[test]
fn listed_records_lead_to_the_digest() {
    use zerocopy::IntoBytes;
    let measurement = measure(samples::module_directives(), KEEP);
    let next: Vec<Digest> =
        measurement.pages.iter().map(|p| Digest(Sha384::digest(p.as_bytes()).into())).collect();
    assert!(next.iter().zip(&measurement.pages[1..]).all(|(d, page)| *d == page.current_digest));
    assert_eq!(next.last(), Some(&measurement.digest));
    let omitted =
        measure(samples::module_directives(), Options { page_list: PageList::Omit, ..KEEP });
    assert!(omitted.pages.is_empty());
    assert_eq!((omitted.digest, omitted.counts), (measurement.digest, measurement.counts));
}

#[test]
fn zero_pages_take_the_type_that_is_asked_for() {
    let directives = vec![samples::page(0x1000, SNP, &[]), samples::page(0x2000, SNP, &[0; 4096])];
    let normal = measure(directives.clone(), KEEP);
    assert_eq!(normal.counts[&PageType::NORMAL], 2);
    let native = measure(directives, Options { zero_pages: ZeroPages::Native, ..KEEP });
    assert_eq!(steps(&native), [(PageType::ZERO, 0x1000), (PageType::NORMAL, 0x2000)]);
    assert_ne!(normal.digest, native.digest);
}

#[test]
fn large_pages_are_measured_in_small_ones() {
    let flags = IgvmPageDataFlags::new().with_is_2mb_page(true);
    let large = samples::typed_page(0x20_0000, SNP, IgvmPageDataType::NORMAL, flags, &[]);
    let small = (0..512).map(|i| samples::page(0x20_0000 + i * 4096, SNP, &[])).collect();
    assert_eq!(measure(vec![large], KEEP), measure(small, KEEP));
}

#[test]
fn other_platforms_and_shared_pages_are_left_out() {
    let flags = IgvmPageDataFlags::new().with_shared(true);
    let directives = vec![
        samples::page(0x1000, NATIVE, &[1; 4096]),
        samples::typed_page(0x2000, SNP, IgvmPageDataType::NORMAL, flags, &[2; 4096]),
        IgvmDirectiveHeader::ErrorRange { gpa: 0, compatibility_mask: SNP, size_bytes: 4096 },
    ];
    assert_eq!(measure(directives, KEEP).digest, Digest::ZERO);
}

#[test]
fn cpuid_pages_of_both_kinds_are_one_type() {
    let page = |data_type| {
        vec![samples::typed_page(0x1000, SNP, data_type, IgvmPageDataFlags::new(), &[])]
    };
    let one = measure(page(IgvmPageDataType::CPUID_DATA), KEEP);
    assert_eq!(one, measure(page(IgvmPageDataType::CPUID_XF), KEEP));
}

/// QEMU hands over a parameter area at once, but a run of pages only when
/// something that does not continue it comes.
#[test]
fn qemu_measures_parameter_areas_before_the_run_that_they_follow() {
    let directives = vec![
        samples::area(0, 1),
        samples::area(1, 1),
        samples::page(0x1000, SNP, &[1; 4096]),
        samples::page(0x2000, SNP, &[2; 4096]),
        samples::insert(0x8000, SNP, 0),
        samples::page(0x3000, SNP, &[3; 4096]),
        samples::page(0x4000, SNP, &[]),
        samples::insert(0x9000, SNP, 1),
        samples::snp_context(0, samples::vmsa()),
    ];
    let gpas = |options| {
        let steps = steps(&measure(directives.clone(), options));
        steps.into_iter().map(|(_, gpa)| gpa).collect::<Vec<_>>()
    };
    let vmsa = KVM_VMSA_GPA;
    assert_eq!(gpas(KEEP), [0x1000, 0x2000, 0x8000, 0x3000, 0x4000, 0x9000, vmsa]);
    assert_eq!(gpas(kvm(1)), [0x8000, 0x1000, 0x2000, 0x3000, 0x9000, 0x4000, vmsa]);
}

#[test]
fn kvm_measures_a_vmsa_for_every_processor_at_the_end() {
    let mut directives = samples::module_directives();
    directives.rotate_right(2);
    let measurement = measure(directives, kvm(3));
    let steps = steps(&measurement);
    assert_eq!(steps[steps.len() - 3..], [(PageType::VMSA, KVM_VMSA_GPA); 3]);
    assert_eq!(measurement.counts[&PageType::VMSA], 3);
    let contents: Vec<_> = measurement.pages.iter().rev().take(3).map(|p| p.contents).collect();
    assert_eq!(contents[0], contents[1]);
    assert_ne!(contents[1], contents[2]);
}

#[test]
fn a_vmsa_that_kvm_leaves_alone_is_measured_alike() {
    let directives =
        vec![samples::page(0x1000, SNP, &[1; 4096]), samples::snp_context(0, samples::vmsa())];
    assert_eq!(measure(directives.clone(), KEEP), measure(directives, kvm(1)));
}

#[test]
fn files_that_cannot_be_measured_say_why() {
    let igvm = Igvm::parse(&samples::bytes(&samples::cca())).expect("valid");
    assert_eq!(super::snp_launch_digest(&igvm, &KEEP), Err(Error::NotSnp));

    let top = u64::MAX - 4095;
    let wraps = vec![samples::area(0, 2), samples::insert(top, SNP, 0)];
    assert_eq!(refusal(wraps, KEEP), Error::Wraps { gpa: top, size: 8192 });

    let areas = 0..65;
    let mut many: Vec<_> =
        areas.clone().map(|i| samples::area(i, MAX_PARAMETER_AREA / 4096)).collect();
    many.extend(areas.map(|i| samples::insert(0, SNP, i)));
    assert!(matches!(refusal(many, Options::default()), Error::TooManyPages(_)));
}

#[test]
fn the_digest_of_an_id_block_is_compared() {
    let with_digest = |ld: [u8; 48]| {
        let mut directives = samples::module_directives();
        directives.push(samples::id_block(ld));
        measure(directives, Options::default())
    };
    let plain = measure(samples::module_directives(), Options::default());
    assert_eq!(plain.id_block, IdBlockDigest::Absent);
    assert_eq!(with_digest(plain.digest.0).id_block, IdBlockDigest::Agrees);
    assert_eq!(with_digest([7; 48]).id_block, IdBlockDigest::Differs(Digest([7; 48])));
}

#[test]
fn vp_contexts_of_other_platforms_are_no_vmsas() {
    let mut vmsa = samples::vmsa();
    vmsa.sev_features.set_snp(false);
    let es = IgvmDirectiveHeader::SnpVpContext { gpa: 0, compatibility_mask: 4, vp_index: 0, vmsa };
    let platforms = vec![
        samples::platform(SNP, IgvmPlatformType::SEV_SNP),
        samples::platform(4, IgvmPlatformType::SEV_ES),
    ];
    let file = IgvmFile::new(samples::x64(), platforms, vec![], vec![es]).expect("valid");
    let measurement = super::snp_launch_digest(&parse(&file), &KEEP).expect("measurable");
    assert_eq!(measurement.digest, Digest::ZERO);
}
