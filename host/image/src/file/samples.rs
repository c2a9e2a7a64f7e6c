//! IGVM files for the tests of this crate.

use std::sync::LazyLock;

use igvm::hv_defs::Vtl;
use igvm::registers::X86Register;
use igvm::snp_defs::SevVmsa;
use igvm::{
    Arch, IgvmDirectiveHeader, IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader, IgvmRevision,
};
use igvm_defs::{
    CcaHashAlgorithm, CcaLfaPolicy, IGVM_VHS_PARAMETER, IGVM_VHS_PARAMETER_INSERT,
    IGVM_VHS_SUPPORTED_PLATFORM, IgvmNativeVpContextX64, IgvmPageDataFlags, IgvmPageDataType,
    IgvmPlatformType, IgvmVpContextAArch64Cca,
};
use proptest::prelude::*;
use proptest::sample::Index;
use zerocopy::FromZeros;

/// Compatibility mask of SEV-SNP in [`module`] and [`every_platform`].
pub(crate) const SNP: u32 = 1;
/// Compatibility mask of the native platform in the same files.
pub(crate) const NATIVE: u32 = 2;
/// Where the VMSA of [`module`] lies.
pub(crate) const VMSA_GPA: u64 = 0xffff_ffff_f000;

/// The file as bytes.
pub(crate) fn bytes(file: &IgvmFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.serialize(&mut bytes).expect("samples are valid");
    bytes
}

/// Format version 2 for x86-64.
pub(crate) fn x64() -> IgvmRevision {
    IgvmRevision::V2 { arch: Arch::X64, page_size: 4096 }
}

/// A platform header.
pub(crate) fn platform(mask: u32, platform_type: IgvmPlatformType) -> IgvmPlatformHeader {
    IgvmPlatformHeader::SupportedPlatform(IGVM_VHS_SUPPORTED_PLATFORM {
        compatibility_mask: mask,
        highest_vtl: 0,
        platform_type,
        platform_version: 1,
        shared_gpa_boundary: 0,
    })
}

/// A guest policy of SEV-SNP.
pub(crate) fn policy(policy: u64) -> IgvmInitializationHeader {
    IgvmInitializationHeader::GuestPolicy { policy, compatibility_mask: SNP }
}

/// A page with `data`, which is all zero if empty.
pub(crate) fn page(gpa: u64, mask: u32, data: &[u8]) -> IgvmDirectiveHeader {
    typed_page(gpa, mask, IgvmPageDataType::NORMAL, IgvmPageDataFlags::new(), data)
}

/// A page of any type.
pub(crate) fn typed_page(
    gpa: u64,
    mask: u32,
    data_type: IgvmPageDataType,
    flags: IgvmPageDataFlags,
    data: &[u8],
) -> IgvmDirectiveHeader {
    let compatibility_mask = mask;
    IgvmDirectiveHeader::PageData { gpa, compatibility_mask, flags, data_type, data: data.to_vec() }
}

/// A parameter area of `pages` pages.
pub(crate) fn area(index: u32, pages: u64) -> IgvmDirectiveHeader {
    IgvmDirectiveHeader::ParameterArea {
        number_of_bytes: pages * 4096,
        parameter_area_index: index,
        initial_data: Vec::new(),
    }
}

/// Where a parameter goes.
pub(crate) fn parameter(area: u32, offset: u32) -> IGVM_VHS_PARAMETER {
    IGVM_VHS_PARAMETER { parameter_area_index: area, byte_offset: offset }
}

/// The insertion of a parameter area.
pub(crate) fn insert(gpa: u64, mask: u32, area: u32) -> IgvmDirectiveHeader {
    IgvmDirectiveHeader::ParameterInsert(IGVM_VHS_PARAMETER_INSERT {
        gpa,
        compatibility_mask: mask,
        parameter_area_index: area,
    })
}

/// A VMSA as a builder writes it for a 64-bit start.
pub(crate) fn vmsa() -> Box<SevVmsa> {
    let mut vmsa = SevVmsa::new_box_zeroed().expect("memory");
    vmsa.cs.selector = 0x8;
    vmsa.cs.attrib = 0xa9b;
    vmsa.cs.limit = 0xffff_ffff;
    vmsa.ss.attrib = 0xc93;
    vmsa.efer = 0x1d00;
    vmsa.cr0 = 0x8001_0031;
    vmsa.cr3 = 0x810_0000;
    vmsa.cr4 = 0x60;
    vmsa.rip = 0xffff_ffff_8000_1000;
    vmsa.rflags = 2;
    vmsa.dr6 = 0xffff_0ff0;
    vmsa.dr7 = 0x400;
    vmsa.pat = 0x7_0406_0007_0406;
    vmsa.xcr0 = 1;
    vmsa.mxcsr = 0x1f80;
    vmsa.x87_fcw = 0x37f;
    vmsa.sev_features.set_snp(true);
    vmsa
}

/// The context of processor `vp_index`.
pub(crate) fn snp_context(vp_index: u16, vmsa: Box<SevVmsa>) -> IgvmDirectiveHeader {
    IgvmDirectiveHeader::SnpVpContext { gpa: VMSA_GPA, compatibility_mask: SNP, vp_index, vmsa }
}

/// The directives of [`module`].
pub(crate) fn module_directives() -> Vec<IgvmDirectiveHeader> {
    let none = IgvmPageDataFlags::new();
    let mut native = IgvmNativeVpContextX64::new_box_zeroed().expect("memory");
    native.rip = 0x10_0000;
    native.cr0 = 0x31;
    vec![
        area(0, 1),
        area(1, 2),
        IgvmDirectiveHeader::VpCount(parameter(0, 0)),
        IgvmDirectiveHeader::EnvironmentInfo(parameter(0, 4)),
        IgvmDirectiveHeader::MemoryMap(parameter(1, 0)),
        insert(0x30_0000, SNP | NATIVE, 0),
        insert(0x30_1000, SNP | NATIVE, 1),
        IgvmDirectiveHeader::RequiredMemory {
            gpa: 0x10_0000,
            compatibility_mask: SNP | NATIVE,
            number_of_bytes: 0x100_0000,
            vtl2_protectable: false,
        },
        page(0x10_0000, SNP | NATIVE, &[0x11; 4096]),
        page(0x10_1000, SNP | NATIVE, &[0x22; 4096]),
        page(0x10_2000, SNP | NATIVE, &[]),
        page(0x20_0000, SNP, &[0x33; 4096]),
        page(0x20_0000, NATIVE, &[0x44; 4096]),
        typed_page(0x20_1000, SNP, IgvmPageDataType::SECRETS, none, &[]),
        typed_page(0x20_2000, SNP, IgvmPageDataType::CPUID_DATA, none, &[]),
        typed_page(0x20_3000, SNP, IgvmPageDataType::NORMAL, none.with_unmeasured(true), &[]),
        snp_context(0, vmsa()),
        IgvmDirectiveHeader::X64NativeVpContext {
            compatibility_mask: NATIVE,
            vp_index: 0,
            context: native,
        },
    ]
}

/// A file for SEV-SNP with these directives.
pub(crate) fn module_with(directives: Vec<IgvmDirectiveHeader>) -> IgvmFile {
    let platforms =
        vec![platform(SNP, IgvmPlatformType::SEV_SNP), platform(NATIVE, IgvmPlatformType::NATIVE)];
    IgvmFile::new(x64(), platforms, vec![policy(0x3_0000)], directives).expect("valid")
}

/// A module for SEV-SNP and native virtual machines.
pub(crate) fn module() -> IgvmFile {
    module_with(module_directives())
}

/// A file with all x86-64 platforms and with the headers that [`module`] has
/// not.
pub(crate) fn every_platform() -> IgvmFile {
    let vbs = 4;
    let platforms = vec![
        platform(SNP, IgvmPlatformType::SEV_SNP),
        platform(NATIVE, IgvmPlatformType::NATIVE),
        platform(vbs, IgvmPlatformType::VSM_ISOLATION),
        platform(8, IgvmPlatformType::TDX),
        platform(16, IgvmPlatformType::SEV),
        platform(32, IgvmPlatformType::SEV_ES),
    ];
    let initializations = vec![
        policy(0xb_0000),
        IgvmInitializationHeader::RelocatableRegion {
            compatibility_mask: vbs,
            relocation_alignment: 0x20_0000,
            relocation_region_gpa: 0x40_0000,
            relocation_region_size: 0x40_0000,
            minimum_relocation_gpa: 0,
            maximum_relocation_gpa: 1 << 40,
            is_vtl2: true,
            apply_rip_offset: true,
            apply_gdtr_offset: false,
            vp_index: 0,
            vtl: Vtl::Vtl2,
        },
        IgvmInitializationHeader::PageTableRelocationRegion {
            compatibility_mask: vbs,
            gpa: 0x80_0000,
            size: 0x4000,
            used_size: 0x1000,
            vp_index: 0,
            vtl: Vtl::Vtl2,
        },
    ];
    let directives = vec![
        IgvmDirectiveHeader::ParameterArea {
            number_of_bytes: 4096,
            parameter_area_index: 7,
            initial_data: vec![0x55; 4096],
        },
        IgvmDirectiveHeader::Madt(parameter(7, 0)),
        IgvmDirectiveHeader::Srat(parameter(7, 8)),
        IgvmDirectiveHeader::Slit(parameter(7, 16)),
        IgvmDirectiveHeader::Pptt(parameter(7, 24)),
        IgvmDirectiveHeader::MmioRanges(parameter(7, 32)),
        IgvmDirectiveHeader::CommandLine(parameter(7, 40)),
        IgvmDirectiveHeader::DeviceTree(parameter(7, 48)),
        insert(0x1000, 0x3f, 7),
        page(0x40_0000, 0x3f, &[0x66; 4096]),
        typed_page(
            0x60_0000,
            vbs,
            IgvmPageDataType::NORMAL,
            IgvmPageDataFlags::new().with_is_2mb_page(true),
            &[],
        ),
        IgvmDirectiveHeader::ErrorRange { gpa: 0, compatibility_mask: vbs, size_bytes: 4096 },
        IgvmDirectiveHeader::X64VbsVpContext {
            vtl: Vtl::Vtl2,
            registers: vec![X86Register::Rip(0x40_0000), X86Register::Cr0(0x8000_0011)],
            compatibility_mask: vbs,
        },
        IgvmDirectiveHeader::VbsMeasurement {
            compatibility_mask: vbs,
            version: 1,
            product_id: 2,
            module_id: 3,
            security_version: 4,
            policy_flags: 0,
            boot_digest_algo: 1,
            signing_algo: 1,
            boot_measurement_digest: Box::new([1; 64]),
            signature: Box::new([2; 256]),
            public_key: Box::new([3; 512]),
        },
        snp_context(0, vmsa()),
    ];
    IgvmFile::new(x64(), platforms, initializations, directives).expect("valid")
}

/// A file for Arm CCA.
pub(crate) fn cca() -> IgvmFile {
    let mut context = IgvmVpContextAArch64Cca::new_box_zeroed().expect("memory");
    context.pc = 0x8000_0000;
    let policy = IgvmInitializationHeader::CcaPolicy {
        compatibility_mask: 1,
        attributes_required_zeroes: 1,
        attributes_required_ones: 0,
        hash_algorithm: CcaHashAlgorithm::SHA512,
        lfa_policy: CcaLfaPolicy::LFA_DISALLOW,
    };
    let directives = vec![
        page(0x8000_0000, 1, &[0x77; 4096]),
        IgvmDirectiveHeader::AArch64CcaVpContext { compatibility_mask: 1, vp_index: 0, context },
    ];
    let revision = IgvmRevision::V2 { arch: Arch::AArch64, page_size: 4096 };
    let platforms = vec![platform(1, IgvmPlatformType::CCA)];
    IgvmFile::new(revision, platforms, vec![policy], directives).expect("valid")
}

/// All sample files, made once: property tests take one for every case.
pub(crate) static ALL: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| [module(), every_platform(), cca()].iter().map(bytes).collect());

/// A sample with a few bits flipped, most of them in its headers, and a right
/// checksum.
pub(crate) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let flips = proptest::collection::vec((any::<Index>(), 0..8u32), 1..6);
    (any::<Index>(), flips).prop_map(|(sample, flips)| {
        let mut file = sample.get(&ALL).clone();
        let headers = 32 + u32::from_le_bytes([file[12], file[13], file[14], file[15]]) as usize;
        for (at, bit) in flips {
            let range = if bit == 0 { file.len() } else { headers };
            file[at.index(range)] ^= 1 << bit;
        }
        reseal(&mut file);
        file
    })
}

/// Sets the size and checksum fields of the fixed header to what the rest of
/// `file` asks for, where that is possible.
pub(crate) fn reseal(file: &mut [u8]) {
    let size = file.len() as u32;
    let field = |file: &[u8], at: usize| {
        let bytes = file.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok());
        bytes.map(u32::from_le_bytes).unwrap_or_default() as usize
    };
    if file.len() < 24 {
        return;
    }
    file[16..20].copy_from_slice(&size.to_le_bytes());
    file[20..24].fill(0);
    let fixed = if field(file, 4) == 2 { 32 } else { 24 };
    let (start, length) = (field(file, 8), field(file, 12));
    let mut crc = crc32fast::Hasher::new();
    crc.update(file.get(..fixed).unwrap_or_default());
    crc.update(file.get(start..start + length).unwrap_or_default());
    file[20..24].copy_from_slice(&crc.finalize().to_le_bytes());
}

/// An ID block without keys that expects the launch digest `ld`.
pub(crate) fn id_block(ld: [u8; 48]) -> IgvmDirectiveHeader {
    IgvmDirectiveHeader::SnpIdBlock {
        compatibility_mask: SNP,
        author_key_enabled: 0,
        reserved: [0; 3],
        ld,
        family_id: [0; 16],
        image_id: [0; 16],
        version: 1,
        guest_svn: 0,
        id_key_algorithm: 1,
        author_key_algorithm: 0,
        id_key_signature: Box::new(FromZeros::new_zeroed()),
        id_public_key: Box::new(FromZeros::new_zeroed()),
        author_key_signature: Box::new(FromZeros::new_zeroed()),
        author_public_key: Box::new(FromZeros::new_zeroed()),
    }
}
