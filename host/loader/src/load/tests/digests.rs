//! Following the launch file leads to the digest that measuring foretells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use abi_simulator::launch::{LaunchFile, LaunchStep, Page};
use abi_snp::{Digest, PageInfoFlags, PageType};
use igvm::IgvmDirectiveHeader as Directive;
use igvm_defs::{IgvmPageDataFlags, IgvmPageDataType};
use proptest::prelude::*;
use snp_launch::{LaunchDigest, PageContents};
use svsm_image::file::{Igvm, MAX_FILE_SIZE};
use svsm_image::manifest::{Manifest, PlatformName};
use svsm_image::measure::{Options, snp_launch_digest};
use svsm_image::{build, input};

use super::samples::{self, SNP};
use crate::load::load;

/// What the security processor would compute.
fn replayed(bytes: &[u8]) -> Digest {
    static ZEROS: Page = [0; 4096];
    let mut digest = LaunchDigest::new();
    for step in LaunchFile::parse(bytes).unwrap().steps {
        let LaunchStep::Private(pages) = step else { continue };
        for (gpa, content) in pages.iter() {
            let content = content.unwrap_or(&ZEROS);
            let contents = match pages.run.page_type {
                PageType::NORMAL => PageContents::Normal(content),
                PageType::VMSA => PageContents::Vmsa(content),
                PageType::UNMEASURED => PageContents::Unmeasured,
                PageType::SECRETS => PageContents::Secrets,
                PageType::CPUID => PageContents::Cpuid,
                other => panic!("the loader makes no pages of type {other}"),
            };
            digest.add_page(gpa, contents, pages.run.permissions, PageInfoFlags::empty());
        }
    }
    digest.value()
}

fn check(igvm: &Igvm) {
    let bytes = load(igvm, &samples::machine()).unwrap();
    let expected = snp_launch_digest(igvm, &Options::default()).unwrap().digest;
    assert_eq!(replayed(&bytes), expected);
}

/// An image that is built from the sample files of the fuzz targets.
fn image(manifest: &str) -> Igvm {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let manifest = Manifest::parse(manifest, &samples).unwrap();
    let platforms = BTreeSet::from([PlatformName::Snp]);
    let image = build::build(&manifest, &platforms, &BTreeMap::new()).unwrap();
    Igvm::parse(&image.igvm).unwrap()
}

#[test]
fn module_image() {
    let igvm = image(
        r#"
        name = "svsm"
        kind = "module"
        platforms = ["snp"]
        max_vcpus = 4
        [region]
        base = 0x0800_0000
        size = 0x0100_0000
        [kernel]
        elf = "elf/kernel"
        [[service]]
        name = "init"
        elf = "elf/service"
        [parameters]
        device_tree_pages = 1
        [guest]
        kind = "linux"
        kernel = "bzimage/small"
        command_line = "quiet"
        "#,
    );
    check(&igvm);
}

#[test]
fn linux_image() {
    let igvm = image(
        r#"
        name = "linux"
        kind = "linux"
        platforms = ["snp"]
        [linux]
        kernel = "bzimage/small"
        memory_size = 0x0400_0000
        "#,
    );
    check(&igvm);
}

/// A file with all kinds of pages, made by other hands.
#[test]
fn sample_of_the_reader() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/igvm/module");
    let bytes = input::read(&path, "sample", MAX_FILE_SIZE).unwrap();
    check(&Igvm::parse(&bytes).unwrap());
}

/// Type and flags of pages, large ones without data.
fn kind() -> impl Strategy<Value = (IgvmPageDataType, IgvmPageDataFlags)> {
    let flags = IgvmPageDataFlags::new();
    prop_oneof![
        4 => Just((IgvmPageDataType::NORMAL, flags)),
        1 => Just((IgvmPageDataType::NORMAL, flags.with_unmeasured(true))),
        1 => Just((IgvmPageDataType::NORMAL, flags.with_shared(true))),
        1 => Just((IgvmPageDataType::NORMAL, flags.with_is_2mb_page(true))),
        1 => Just((IgvmPageDataType::SECRETS, flags)),
        1 => Just((IgvmPageDataType::CPUID_DATA, flags)),
    ]
}

/// Pages at different places in any order. There are few places, so that there
/// are neighbours.
fn pages() -> impl Strategy<Value = Vec<Directive>> {
    let page = |(place, (data_type, flags, fill)): (u64, (_, IgvmPageDataFlags, u8))| {
        let large = flags.is_2mb_page();
        let gpa = if large { 0x20_0000 + place * 0x20_0000 } else { place * 0x1000 };
        let data = [fill; 4096];
        let data: &[u8] = if fill == 0 || large { &[] } else { &data };
        samples::typed_page(gpa, SNP, data_type, flags, data)
    };
    let kind = (kind(), 0..3_u8).prop_map(|((data_type, flags), fill)| (data_type, flags, fill));
    proptest::collection::btree_map(0..24_u64, kind, 0..24)
        .prop_map(move |pages| pages.into_iter().map(page).collect::<Vec<_>>())
        .prop_flat_map(|pages| prop_oneof![Just(pages.clone()), Just(pages).prop_shuffle()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pages(pages in pages(), context_at in any::<prop::sample::Index>()) {
        let mut directives = pages;
        directives.insert(context_at.index(directives.len() + 1), samples::context(0));
        check(&samples::igvm(directives));
    }
}
