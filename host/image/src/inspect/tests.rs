//! Reports tell what is in a file.

use abi_boot::{Access, Header, Part, PartKind, Platform as BootPlatform};
use igvm_defs::{IgvmPageDataFlags, IgvmPageDataType};
use proptest::prelude::*;
use serde_json::Value;
use zerocopy::IntoBytes;

use super::{Bytes, Content, Hex, Launch, Report};
use crate::file::samples::{self, NATIVE, SNP};
use crate::file::{Igvm, MAX_PARAMETER_AREA};

fn report(directives: Vec<igvm::IgvmDirectiveHeader>) -> Report {
    let bytes = samples::bytes(&samples::module_with(directives));
    Report::new(&Igvm::parse(&bytes).expect("valid"))
}

fn module() -> Report {
    report(samples::module_directives())
}

/// First, last, kind and platforms of each region.
fn map(report: &Report) -> Vec<(u64, u64, &str, String)> {
    report
        .regions
        .iter()
        .map(|r| (r.first.0, r.last.0, r.kind.as_str(), r.platforms.join(" ")))
        .collect()
}

#[test]
fn neighbouring_pages_of_one_kind_are_one_region() {
    let report = module();
    let both = || "snp native".to_owned();
    let (snp, native) = ("snp".to_owned(), "native".to_owned());
    assert_eq!(
        map(&report),
        [
            (0x10_0000, 0x10_1fff, "data", both()),
            (0x10_2000, 0x10_2fff, "zero", both()),
            (0x20_0000, 0x20_0fff, "data", snp.clone()),
            (0x20_0000, 0x20_0fff, "data", native),
            (0x20_1000, 0x20_1fff, "secrets", snp.clone()),
            (0x20_2000, 0x20_2fff, "cpuid", snp.clone()),
            (0x20_3000, 0x20_3fff, "unmeasured", snp.clone()),
            (0x30_0000, 0x30_0fff, "parameters 0", both()),
            (0x30_1000, 0x30_2fff, "parameters 1", both()),
            (0xffff_ffff_f000, 0xffff_ffff_ffff, "vmsa", snp),
        ]
    );
    let data = report.totals.iter().find(|total| total.kind == "data").expect("present");
    assert_eq!((data.pages, data.size), (4, Bytes(4 * 4096)));
    let parameters = report.totals.iter().find(|t| t.kind == "parameters").expect("present");
    assert_eq!(parameters.pages, 3);
}

#[test]
fn the_map_does_not_depend_on_the_order_of_the_file() {
    let mut directives = samples::module_directives();
    let pages = directives.len() - 10;
    directives[pages..].reverse();
    assert_eq!(report(directives).regions, module().regions);
}

#[test]
fn parameters_are_told_with_their_place() {
    let report = module();
    let area = &report.parameter_areas[0];
    assert_eq!((area.index, area.size, area.gpa), (0, Bytes(4096), Some(Hex(0x30_0000))));
    let names: Vec<_> = area.parameters.iter().map(|p| (p.name.as_str(), p.offset)).collect();
    assert_eq!(names, [("processor count", 0), ("environment", 4)]);
    let (first, size) = (report.required_memory[0].first, report.required_memory[0].size);
    assert_eq!((first, size), (Hex(0x10_0000), Bytes(16 << 20)));
}

#[test]
fn registers_are_named_and_decoded() {
    let report = module();
    let [snp, native] = &report.contexts[..] else { panic!("two contexts") };
    let register = |name: &str| snp.registers.iter().find(|r| r.name == name).expect("listed");
    assert_eq!(register("CR0").meaning, "PE | ET | NE | WP | PG");
    assert_eq!(register("EFER").meaning, "LME | LMA | NXE | SVME");
    assert_eq!(register("SEV_FEATURES").meaning, "SNP_ACTIVE");
    assert_eq!(register("CS").meaning, "64-bit code, ring 0");
    assert_eq!(register("RIP").value, "0xffffffff80001000");
    assert_eq!(snp.gpa, Some(Hex(samples::VMSA_GPA)));
    let rip = native.registers.iter().find(|r| r.name == "RIP").expect("listed");
    assert_eq!(rip.value, "0x100000");
}

/// Whatever bit of a VMSA is set, some register shows it.
#[test]
fn register_lists_of_vmsas_are_complete() {
    use igvm::snp_defs::SevVmsa;
    use zerocopy::FromZeros;
    let zero = SevVmsa::new_zeroed();
    let plain = super::vmsa_registers::of_vmsa(&zero);
    for at in 0..size_of::<SevVmsa>() {
        let mut vmsa = zero;
        vmsa.as_mut_bytes()[at] = 0x80;
        let registers = super::vmsa_registers::of_vmsa(&vmsa);
        let changed = registers.iter().zip(&plain).filter(|(a, b)| a.value != b.value).count();
        assert_eq!(changed, 1, "byte {at:#x}");
    }
}

#[test]
fn register_lists_of_native_contexts_are_complete() {
    use igvm_defs::IgvmNativeVpContextX64;
    use zerocopy::FromZeros;
    let zero = IgvmNativeVpContextX64::new_zeroed();
    let plain = super::context_registers::of_native(&zero);
    for bit in 0..size_of::<IgvmNativeVpContextX64>() * 8 {
        let mut context = zero;
        context.as_mut_bytes()[bit / 8] = 1 << (bit % 8);
        let registers = super::context_registers::of_native(&context);
        let changed = registers.iter().zip(&plain).filter(|(a, b)| a.value != b.value).count();
        assert_eq!(changed, 1, "bit {bit}");
    }
}

#[test]
fn boot_blocks_are_shown_or_called_broken() {
    let gpa = 0x10_0000;
    let mut header = Header::new(BootPlatform::SNP, 1);
    header.region_base = gpa;
    header.region_size = 1 << 20;
    header.max_vcpus = 16;
    let part = Part::new(PartKind::KERNEL, gpa + 4096, 8192, Access::READ, "text");
    let block = [header.as_bytes(), part.as_bytes()].concat();
    let image = report(vec![samples::page(gpa, SNP, &block)]);
    let Content::Read { parts, max_vcpus, .. } = &image.boot_blocks[0].content else {
        panic!("a well-formed block")
    };
    assert_eq!((parts[0].name.as_str(), parts[0].access.as_str(), *max_vcpus), ("text", "r--", 16));
    assert!(image.to_string().contains("kernel"));
    assert!(image.to_string().contains("messages on the console: for none"));

    header.region_size = 1;
    let image = report(vec![samples::page(gpa, SNP, header.as_bytes())]);
    assert!(matches!(image.boot_blocks[0].content, Content::Broken { .. }));
    assert!(module().boot_blocks.is_empty());
}

#[test]
fn id_blocks_and_launch_digests_are_told() {
    let mut directives = samples::module_directives();
    directives.push(samples::id_block([7; 48]));
    let report = report(directives);
    let identity = report.identity.as_ref().expect("an ID block");
    assert_eq!(identity.launch_digest, "07".repeat(48));
    assert!(matches!(report.launch, Some(Launch::Digest { id_block_agrees: Some(false), .. })));
    assert!(report.to_string().contains("THE ID BLOCK EXPECTS ANOTHER DIGEST"));
    assert!(matches!(module().launch, Some(Launch::Digest { id_block_agrees: None, .. })));
}

#[test]
fn a_launch_that_cannot_be_measured_is_a_fact() {
    let pages = MAX_PARAMETER_AREA / 4096;
    let mut directives: Vec<_> = (0..20).map(|i| samples::area(i, pages)).collect();
    directives.extend((0..20).map(|i| samples::insert(0, SNP | NATIVE, i)));
    let report = report(directives);
    assert!(matches!(report.launch, Some(Launch::Problem(_))));
    assert!(report.to_string().contains("none: the file loads more than"));
}

#[test]
fn every_kind_of_page_has_a_name() {
    let page = |gpa, data_type, flags| samples::typed_page(gpa, SNP, data_type, flags, &[]);
    let none = IgvmPageDataFlags::new();
    let report = report(vec![
        page(0x1000, IgvmPageDataType::CPUID_XF, none),
        page(0x2000, IgvmPageDataType::NORMAL, none.with_shared(true)),
        page(0x20_0000, IgvmPageDataType::NORMAL, none.with_is_2mb_page(true)),
    ]);
    let kinds: Vec<_> = report.regions.iter().map(|r| (r.kind.as_str(), r.size.0)).collect();
    assert_eq!(kinds, [("cpuid (extended state)", 4096), ("shared", 4096), ("zero", 2 << 20)]);
}

#[test]
fn json_has_addresses_as_text_and_sizes_as_numbers() {
    let json = serde_json::to_value(module()).expect("serializes");
    assert_eq!(json["regions"][0]["first"], "0x100000");
    assert_eq!(json["regions"][0]["size"], 8192);
    assert_eq!(json["platforms"][0]["name"], "snp");
    assert_eq!(json["policies"][0]["value"], "0x30000");
    assert_eq!(json["contexts"][0]["registers"][0]["name"], "RIP");
    assert!(json["launch"]["digest"]["digest"].is_string());
    assert_eq!(json["identity"], Value::Null);
}

/// Text from a file must not reach the terminal as control characters.
#[test]
fn text_of_a_file_is_made_harmless() {
    let mut file = samples::bytes(&samples::module_with(vec![samples::page(0, SNP, &[])]));
    let header = [7, 1, 0, 0x80, 8, 0, 0, 0, 0x1b, b'[', b'2', b'J', 7, 8, b'v', b'1'];
    file.extend_from_slice(&header);
    let size = u32::from_le_bytes([file[12], file[13], file[14], file[15]]) + 16;
    file[12..16].copy_from_slice(&size.to_le_bytes());
    samples::reseal(&mut file);
    let report = Report::new(&Igvm::parse(&file).expect("valid"));
    assert_eq!(report.skipped_headers[0].text.as_deref(), Some("\u{1b}[2J\u{7}\u{8}v1"));
    let text = report.to_string();
    assert!(text.contains("v1") && !text.contains(|c: char| c.is_control() && c != '\n'));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_files_can_be_inspected(file in samples::damaged()) {
        if let Ok(igvm) = Igvm::parse(&file) {
            let report = Report::new(&igvm);
            prop_assert!(!report.to_string().is_empty());
            prop_assert!(serde_json::to_string(&report).is_ok());
        }
    }
}
