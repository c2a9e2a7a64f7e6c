//! Every sample is read; no damage to one does harm.

use igvm::{IgvmFile, IgvmRevision};
use igvm_defs::{IgvmPlatformType, IgvmVariableHeaderType as Type};
use proptest::prelude::*;

use super::samples::{self, reseal};
use super::{Error, Igvm, MAX_INITIALIZATION_HEADERS, Problem};

/// A file of format version 1 with these variable headers and this data.
fn file_of(headers: &[u8], data: &[u8]) -> Vec<u8> {
    let mut file = Vec::from(*b"IGVM");
    for field in [1, 24, headers.len() as u32, 0, 0] {
        file.extend_from_slice(&field.to_le_bytes());
    }
    file.extend_from_slice(headers);
    file.extend_from_slice(data);
    reseal(&mut file);
    file
}

/// A variable header, padded.
fn header(header_type: u32, body: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(&header_type.to_le_bytes());
    header.extend_from_slice(&(body.len() as u32).to_le_bytes());
    header.extend_from_slice(body);
    header.resize(header.len().next_multiple_of(8), 0);
    header
}

fn platform(mask: u32, platform_type: IgvmPlatformType) -> Vec<u8> {
    let mut body = mask.to_le_bytes().to_vec();
    body.extend_from_slice(&[0, platform_type.0, 1, 0]);
    body.extend_from_slice(&[0; 8]);
    header(1, &body)
}

fn page(gpa: u64, flags: u32, file_offset: u32) -> Vec<u8> {
    let mut body = gpa.to_le_bytes().to_vec();
    for field in [1, file_offset, flags, 0] {
        body.extend_from_slice(&field.to_le_bytes());
    }
    header(Type::IGVM_VHT_PAGE_DATA.0, &body)
}

fn relocation(alignment: u64, gpa: u64, size: u64) -> Vec<u8> {
    let mut body = 1u32.to_le_bytes().to_vec();
    body.extend_from_slice(&[0; 4]);
    for field in [alignment, gpa, size, 0, 0] {
        body.extend_from_slice(&field.to_le_bytes());
    }
    header(Type::IGVM_VHT_RELOCATABLE_REGION.0, &body)
}

fn vp_context(mask: u32, file_offset: u32, vp_index: u16) -> Vec<u8> {
    let mut body = vec![0; 8];
    body.extend_from_slice(&mask.to_le_bytes());
    body.extend_from_slice(&file_offset.to_le_bytes());
    body.extend_from_slice(&vp_index.to_le_bytes());
    body.extend_from_slice(&[0; 2]);
    header(Type::IGVM_VHT_VP_CONTEXT.0, &body)
}

fn snp_file(headers: &[Vec<u8>], data: &[u8]) -> Vec<u8> {
    let mut all = platform(1, IgvmPlatformType::SEV_SNP);
    all.extend(headers.concat());
    file_of(&all, data)
}

/// The problem that a file is refused for, and the offset of its header.
fn problem(file: &[u8]) -> (u64, Problem) {
    match Igvm::parse(file) {
        Err(Error::Header { offset, problem, .. }) => (offset, problem),
        other => panic!("expected a refused header, got {other:?}"),
    }
}

#[test]
fn samples_are_read() {
    for bytes in samples::ALL.iter() {
        let igvm = Igvm::parse(bytes).expect("valid");
        let crate_alone = IgvmFile::new_from_binary(bytes, None).expect("valid");
        assert_eq!(igvm.file().directives(), crate_alone.directives());
        assert_eq!(igvm.size(), bytes.len() as u64);
        assert!(igvm.skipped().is_empty());
    }
}

#[test]
fn platforms_and_policy_are_found() {
    let igvm = Igvm::parse(&samples::bytes(&samples::module())).expect("valid");
    assert_eq!(igvm.revision(), samples::x64());
    assert_eq!(igvm.mask_of(IgvmPlatformType::SEV_SNP), Some(samples::SNP));
    assert_eq!(igvm.mask_of(IgvmPlatformType::TDX), None);
    assert_eq!(igvm.policy(samples::SNP), Some(0x3_0000));
    assert_eq!(igvm.policy(samples::NATIVE), None);
}

#[test]
fn ignorable_headers_are_set_aside() {
    let headers = [
        header(Type::IGVM_VHT_VERSION_STRING.0, b"v1.2.3"),
        header(1 << 31 | 0x3ff, &[1, 2, 3]),
        header(0x104, &[0; 16]),
        page(0x1000, 0, 0),
    ];
    let igvm = Igvm::parse(&snp_file(&headers, &[])).expect("valid");
    assert_eq!(igvm.revision(), IgvmRevision::V1);
    assert_eq!(igvm.file().directives().len(), 1);
    let skipped: Vec<_> =
        igvm.skipped().iter().map(|s| (s.offset, s.header_type, s.size)).collect();
    assert_eq!(skipped, [(48, 0x107, 6), (64, 0x3ff, 3), (80, 0x104, 16)]);
    assert_eq!(igvm.skipped()[0].text.as_deref(), Some("v1.2.3"));
}

#[test]
fn file_data_keeps_its_place_when_headers_are_set_aside() {
    let headers = [header(1 << 31, &[9; 40]), page(0x1000, 0, 24 + 24 + 48 + 32)];
    let data: Vec<u8> = (0..4096).map(|i| i as u8).collect();
    let igvm = Igvm::parse(&snp_file(&headers, &data)).expect("valid");
    let igvm::IgvmDirectiveHeader::PageData { data: read, .. } = &igvm.file().directives()[0]
    else {
        panic!("expected a page")
    };
    assert_eq!(*read, data);
}

#[test]
fn a_file_without_data_is_read() {
    assert!(Igvm::parse(&snp_file(&[page(0x1000, 0, 0)], &[])).is_ok());
}

#[test]
fn fixed_header_faults_are_named() {
    let good = samples::bytes(&samples::module());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        Igvm::parse(&file).expect_err("damaged").to_string()
    };
    assert!(with(0, b"MGVI").contains("offset 0x0"));
    assert!(with(4, &[9]).contains("version 9"));
    assert!(with(8, &[25]).contains("offset 0x8"));
    assert!(with(12, &[0xff; 4]).contains("0xffffffff bytes at 0x20"));
    assert!(with(16, &[0]).contains("offset 0x10"));
    assert!(with(20, &[0; 4]).contains("checksum"));
    assert!(with(24, &[7]).contains("architecture 0x7"));
    assert!(with(28, &[0, 0x20]).contains("page size 8192"));
    assert!(Igvm::parse(&good[..23]).expect_err("short").to_string().contains("23 bytes"));
}

/// The `igvm` crate divides by the alignment.
#[test]
fn a_zero_relocation_alignment_is_refused() {
    let file = snp_file(&[relocation(0, 0, 4096)], &[0]);
    assert_eq!(problem(&file), (48, Problem::Alignment));
}

/// The `igvm` crate computes `gpa + size - 1` unchecked and asserts that the
/// range is not empty.
#[test]
fn relocation_ranges_must_not_be_empty_or_wrap() {
    for (gpa, size) in [(0, 0), (4096, 0), (u64::MAX - 4095, 8192)] {
        let file = snp_file(&[relocation(4096, gpa, size)], &[0]);
        assert_eq!(problem(&file), (48, Problem::Range { gpa, size }));
    }
}

/// The `igvm` crate subtracts the start of the data section unchecked.
#[test]
fn file_data_must_lie_in_the_data_section() {
    for offset in [1, 79, 81, u32::MAX] {
        let file = snp_file(&[page(0x1000, 0, offset)], &[0; 4096]);
        assert_eq!(problem(&file), (48, Problem::Data { offset, size: 4096 }));
    }
    assert!(Igvm::parse(&snp_file(&[page(0x1000, 0, 80)], &[0; 4096])).is_ok());
}

#[test]
fn a_large_page_with_content_is_refused() {
    let file = snp_file(&[page(0x20_0000, 1, 80)], &[0; 4096]);
    assert_eq!(problem(&file), (48, Problem::LargePage));
    let file = snp_file(&[page(0x1000, 1, 0)], &[]);
    assert_eq!(problem(&file), (48, Problem::Unaligned { gpa: 0x1000, alignment: 0x20_0000 }));
}

/// The `igvm` crate asserts that all registers are of one VTL, that the index
/// is 0, and slices the data at an unchecked offset.
#[test]
fn vbs_contexts_are_checked() {
    let file = |vp_index, offset, data: &[u8]| {
        let platform = platform(1, IgvmPlatformType::VSM_ISOLATION);
        file_of(&[platform, vp_context(1, offset, vp_index)].concat(), data)
    };
    let register = |vtl| {
        // RIP is register 0x2_0010 of the TLFS.
        let mut register = vec![vtl, 0x10, 0, 2, 0];
        register.resize(32, 0);
        register
    };
    let two = |second| [vec![2, 0, 0, 0], register(0), register(second)].concat();
    assert!(Igvm::parse(&file(0, 80, &two(0))).is_ok());
    let mixed = Problem::MixedVtl { first: 0, other: 2 };
    assert_eq!(problem(&file(0, 80, &two(2))), (48, mixed));
    assert_eq!(problem(&file(1, 80, &two(0))), (48, Problem::VpIndex(1)));
    assert_eq!(problem(&file(0, 81, &[0xff; 64])), (48, Problem::Truncated));
    let outside = Problem::Data { offset: 900, size: 1 };
    assert_eq!(problem(&file(0, 900, &two(0))), (48, outside));
}

#[test]
fn contexts_need_a_platform_that_has_them() {
    let file =
        |kind, mask| file_of(&[platform(1, kind), vp_context(mask, 80, 0)].concat(), &[0; 4096]);
    assert!(Igvm::parse(&file(IgvmPlatformType::SEV_SNP, 1)).is_ok());
    let both = file(IgvmPlatformType::SEV_SNP, 3);
    assert_eq!(problem(&both), (48, Problem::Mask(3)));
    assert_eq!(problem(&file(IgvmPlatformType::TDX, 1)), (48, Problem::NoContexts(3)));
}

#[test]
fn unknown_misplaced_and_misshapen_headers_are_refused() {
    let file = snp_file(&[header(0x3ff, &[])], &[0]);
    assert_eq!(problem(&file), (48, Problem::Unknown(0x3ff)));
    let file = snp_file(&[page(0, 0, 0), platform(2, IgvmPlatformType::NATIVE)], &[0]);
    assert_eq!(problem(&file), (80, Problem::Order));
    let file = snp_file(&[header(Type::IGVM_VHT_PAGE_DATA.0, &[0; 16])], &[0]);
    assert_eq!(problem(&file), (48, Problem::Length { expected: 24, found: 16 }));
    let mut cut = snp_file(&[header(1 << 31, &[0; 8])], &[]);
    cut.truncate(cut.len() - 8);
    cut[12..16].copy_from_slice(&32u32.to_le_bytes());
    reseal(&mut cut);
    assert_eq!(problem(&cut), (48, Problem::Truncated));
}

/// The `igvm` crate would copy the file once per parameter area.
#[test]
fn repeated_content_is_bounded() {
    let areas = 2000u32;
    let data = vec![0; 1 << 20];
    let start = 48 + areas * 24;
    let headers: Vec<_> = (0..areas)
        .map(|index| {
            let mut body = (data.len() as u64).to_le_bytes().to_vec();
            body.extend_from_slice(&index.to_le_bytes());
            body.extend_from_slice(&start.to_le_bytes());
            header(Type::IGVM_VHT_PARAMETER_AREA.0, &body)
        })
        .collect();
    assert!(matches!(problem(&snp_file(&headers, &data)).1, Problem::Content(_)));
    assert!(Igvm::parse(&snp_file(&headers[..0], &data)).is_ok());
}

#[test]
fn initialization_headers_are_bounded() {
    let policy = header(Type::IGVM_VHT_GUEST_POLICY.0, &[0; 16]);
    let most = MAX_INITIALIZATION_HEADERS as usize;
    assert!(Igvm::parse(&snp_file(&vec![policy.clone(); most], &[])).is_ok());
    let more = snp_file(&vec![policy; most + 1], &[]);
    assert_eq!(problem(&more).1, Problem::TooMany(MAX_INITIALIZATION_HEADERS));
}

#[test]
fn what_the_crate_refuses_is_told_in_one_line() {
    let file = snp_file(&[header(Type::IGVM_VHT_MADT.0, &[0; 8])], &[]);
    let message = Igvm::parse(&file).expect_err("no such area").to_string();
    assert_eq!(message, "inconsistent headers: invalid parameter area index");
}

/// Sizes, offsets and flags as files have them, and all others.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..64u64,
        any::<u64>(),
        any::<u32>().prop_map(u64::from),
        (0..64u32).prop_map(|bit| 1 << bit),
        (0..1024u64).prop_map(|page| page * 4096),
        (1..4u64).prop_map(|less| u64::MAX - less * 4096 + 1),
    ]
}

/// A header of any known type with random content of about the right size.
fn any_header() -> impl Strategy<Value = Vec<u8>> {
    let header_type = prop_oneof![Just(1u32), 0x101..=0x107u32, 0x301..=0x314u32, any::<u32>(),];
    let length = prop_oneof![8 => Just(None), 1 => (0..64usize).prop_map(Some)];
    (header_type, proptest::collection::vec(number(), 14), length).prop_map(
        |(header_type, numbers, length)| {
            let kind = super::header_kind::Kind::of(Type(header_type));
            let size = length.or(kind.map(|kind| kind.size)).unwrap_or(16);
            let body: Vec<u8> =
                numbers.iter().cycle().flat_map(|n| n.to_le_bytes()).take(size).collect();
            header(header_type, &body)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn flipped_bits_do_no_harm(file in samples::damaged()) {
        let _ = Igvm::parse(&file);
    }

    #[test]
    fn truncation_does_no_harm(sample in 0..3usize, at in any::<proptest::sample::Index>()) {
        let mut file = samples::ALL[sample].clone();
        file.truncate(at.index(file.len()));
        prop_assert!(Igvm::parse(&file).is_err());
        reseal(&mut file);
        let _ = Igvm::parse(&file);
    }

    #[test]
    fn header_soup_does_no_harm(
        masks in 1..8u32,
        headers in proptest::collection::vec(any_header(), 0..12),
        data in proptest::collection::vec(any::<u8>(), 0..64),
        pages in 0..3usize,
    ) {
        let mut all = Vec::new();
        for bit in 0..masks {
            all.extend(platform(1 << bit, IgvmPlatformType(bit as u8)));
        }
        all.extend(headers.concat());
        let mut data = data;
        data.resize(data.len() + pages * 4096, 0);
        if let Ok(igvm) = Igvm::parse(&file_of(&all, &data)) {
            prop_assert!(igvm.file().serialize(&mut Vec::new()).is_ok());
        }
    }

    #[test]
    fn random_bytes_do_no_harm(mut file in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Igvm::parse(&file);
        let start = b"IGVM\x01\0\0\0\x18\0\0\0".len().min(file.len());
        file[..start].copy_from_slice(&b"IGVM\x01\0\0\0\x18\0\0\0"[..start]);
        reseal(&mut file);
        let _ = Igvm::parse(&file);
    }
}
