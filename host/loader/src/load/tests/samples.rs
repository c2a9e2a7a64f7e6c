//! IGVM files and a machine to load them into.

use abi_simulator::launch::{CpuidAdditions, CpuidPolicy, Options, SecurityProcessor, Trace};
use abi_snp::{FirmwareVersion, ProcessorModel, SevFeatures, TcbVersion};
use igvm::snp_defs::SevVmsa;
use igvm::{
    Arch, IgvmDirectiveHeader as Directive, IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader,
    IgvmRevision,
};
use igvm_defs::{
    IGVM_VHS_PARAMETER, IGVM_VHS_PARAMETER_INSERT, IGVM_VHS_SNP_ID_BLOCK_PUBLIC_KEY,
    IGVM_VHS_SNP_ID_BLOCK_SIGNATURE, IGVM_VHS_SUPPORTED_PLATFORM, IgvmPageDataFlags,
    IgvmPageDataType, IgvmPlatformType,
};
use svsm_image::file::Igvm;
use zerocopy::FromZeros;

use crate::MachineOptions;
use crate::load::load as load_into;

/// Compatibility masks.
pub(super) const SNP: u32 = 1;
pub(super) const NATIVE: u32 = 2;

pub(super) const POLICY: u64 = 0x3_0000;
/// Where save areas lie.
pub(super) const VMSA_GPA: u64 = 0xffff_ffff_f000;
/// Bytes of memory of the machine.
pub(super) const MEMORY: u64 = 256 << 20;

/// A machine with two processors.
pub(super) fn machine() -> MachineOptions<'static> {
    MachineOptions {
        options: Options {
            vcpus: 2,
            c_bit: 51,
            cpuid_policy: CpuidPolicy::FULL,
            cpuid_additions: CpuidAdditions::empty(),
            ghcb_minimum: 2,
            ghcb_maximum: 2,
            sev_features: SevFeatures::SNP_ACTIVE,
            hypervisor_feature_bits: 3,
            schedule_seed: 4,
            time_slice_ns: 5,
            trace: Trace::PAGES,
        },
        memory_size: MEMORY,
        security_processor: SecurityProcessor {
            report_version: 3,
            processor: ProcessorModel { family: 0x19, model: 1, stepping: 1 },
            firmware: FirmwareVersion::new(1, 55, 0),
            current_tcb: TcbVersion([1; 8]),
            committed_tcb: TcbVersion([2; 8]),
            reported_tcb: TcbVersion([3; 8]),
            chip_id: [4; 64],
            vcek: [5; 48],
            vlek_or_zero: [6; 48],
            seed: [7; 32],
        },
        certificates: &[],
        scenario: "",
        host_data: [8; 32],
        command_line: "",
        vmpl: None,
    }
}

/// A file for SEV-SNP and native machines.
pub(super) fn igvm(directives: Vec<Directive>) -> Igvm {
    let platforms =
        vec![platform(SNP, IgvmPlatformType::SEV_SNP), platform(NATIVE, IgvmPlatformType::NATIVE)];
    let policy = IgvmInitializationHeader::GuestPolicy { policy: POLICY, compatibility_mask: SNP };
    file(platforms, vec![policy], directives)
}

/// Any file.
pub(super) fn file(
    platforms: Vec<IgvmPlatformHeader>,
    initializations: Vec<IgvmInitializationHeader>,
    directives: Vec<Directive>,
) -> Igvm {
    let revision = IgvmRevision::V2 { arch: Arch::X64, page_size: 4096 };
    let file = IgvmFile::new(revision, platforms, initializations, directives).unwrap();
    let mut bytes = Vec::new();
    file.serialize(&mut bytes).unwrap();
    Igvm::parse(&bytes).unwrap()
}

/// The launch file of these directives on [`machine`].
pub(super) fn load(directives: Vec<Directive>) -> Vec<u8> {
    load_into(&igvm(directives), &machine()).unwrap()
}

pub(super) fn platform(mask: u32, platform_type: IgvmPlatformType) -> IgvmPlatformHeader {
    IgvmPlatformHeader::SupportedPlatform(IGVM_VHS_SUPPORTED_PLATFORM {
        compatibility_mask: mask,
        highest_vtl: 0,
        platform_type,
        platform_version: 1,
        shared_gpa_boundary: 0,
    })
}

pub(super) fn page(gpa: u64, mask: u32, data: &[u8]) -> Directive {
    typed_page(gpa, mask, IgvmPageDataType::NORMAL, IgvmPageDataFlags::new(), data)
}

pub(super) fn typed_page(
    gpa: u64,
    mask: u32,
    data_type: IgvmPageDataType,
    flags: IgvmPageDataFlags,
    data: &[u8],
) -> Directive {
    Directive::PageData { gpa, compatibility_mask: mask, flags, data_type, data: data.to_vec() }
}

/// The context of a processor; its RIP is its number.
pub(super) fn context(vp_index: u16) -> Directive {
    let mut vmsa = SevVmsa::new_box_zeroed().unwrap();
    vmsa.rip = vp_index.into();
    vmsa.sev_features.set_snp(true);
    Directive::SnpVpContext { gpa: VMSA_GPA, compatibility_mask: SNP, vp_index, vmsa }
}

pub(super) fn required_memory(gpa: u64, size: u32, mask: u32) -> Directive {
    Directive::RequiredMemory {
        gpa,
        compatibility_mask: mask,
        number_of_bytes: size,
        vtl2_protectable: false,
    }
}

/// A parameter area of `pages` pages.
pub(super) fn area(index: u32, pages: u64, initial_data: &[u8]) -> Directive {
    Directive::ParameterArea {
        number_of_bytes: pages * 4096,
        parameter_area_index: index,
        initial_data: initial_data.to_vec(),
    }
}

/// Where a parameter goes.
pub(super) fn place(area: u32, offset: u32) -> IGVM_VHS_PARAMETER {
    IGVM_VHS_PARAMETER { parameter_area_index: area, byte_offset: offset }
}

pub(super) fn insert(gpa: u64, mask: u32, area: u32) -> Directive {
    Directive::ParameterInsert(IGVM_VHS_PARAMETER_INSERT {
        gpa,
        compatibility_mask: mask,
        parameter_area_index: area,
    })
}

/// An ID block with a number for each field, and an author key or not.
pub(super) fn id_block(author_key_enabled: u8) -> Directive {
    let signature =
        |r, s| Box::new(IGVM_VHS_SNP_ID_BLOCK_SIGNATURE { r_comp: [r; 72], s_comp: [s; 72] });
    let key = |x, y| {
        let (qx, qy) = ([x; 72], [y; 72]);
        Box::new(IGVM_VHS_SNP_ID_BLOCK_PUBLIC_KEY { curve: 2, reserved: 0, qx, qy })
    };
    Directive::SnpIdBlock {
        compatibility_mask: SNP,
        author_key_enabled,
        reserved: [0; 3],
        ld: [1; 48],
        family_id: [2; 16],
        image_id: [3; 16],
        version: 1,
        guest_svn: 7,
        id_key_algorithm: 1,
        author_key_algorithm: 1,
        id_key_signature: signature(4, 5),
        id_public_key: key(6, 7),
        author_key_signature: signature(8, 9),
        author_public_key: key(10, 11),
    }
}
