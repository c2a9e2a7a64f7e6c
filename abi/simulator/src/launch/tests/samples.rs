//! A file with every record, and what it is made of.

use alloc::vec;
use alloc::vec::Vec;

use abi_snp::ghcb::HypervisorFeatures;
use abi_snp::{
    FirmwareVersion, PagePermissions, PageSize, PageType, Policy, PolicyFlags, ProcessorModel,
    SevFeatures, TcbVersion, VmplPermissions,
};
use zerocopy::FromZeros;

use crate::MemoryRange;
use crate::launch::{
    AuthorKey, CpuidAdditions, CpuidPolicy, GivenPages, Identity, LaunchFileWriter, LaunchStart,
    Options, PageRun, SecurityProcessor, Trace,
};

pub(super) fn options() -> Options {
    Options {
        vcpus: 2,
        c_bit: 51,
        cpuid_policy: CpuidPolicy::REDUCED,
        cpuid_additions: CpuidAdditions::INVLPGB,
        ghcb_minimum: 1,
        ghcb_maximum: 2,
        sev_features: SevFeatures::SNP_ACTIVE,
        hypervisor_feature_bits: HypervisorFeatures::SNP.bits(),
        schedule_seed: 1,
        time_slice_ns: 1_000_000,
        trace: Trace::EXITS | Trace::GHCB,
    }
}

pub(super) fn range(gpa: u64, size: u64) -> MemoryRange {
    MemoryRange { gpa, size }
}

pub(super) fn memory() -> Vec<MemoryRange> {
    vec![range(0, 0x100_0000), range(1 << 32, 0x1000)]
}

pub(super) fn security_processor() -> SecurityProcessor {
    SecurityProcessor {
        report_version: 5,
        processor: ProcessorModel { family: 0x19, model: 0x11, stepping: 1 },
        firmware: FirmwareVersion::new(1, 55, 3),
        current_tcb: TcbVersion([1; 8]),
        committed_tcb: TcbVersion([2; 8]),
        reported_tcb: TcbVersion([3; 8]),
        chip_id: [4; 64],
        vcek: [5; 48],
        vlek_or_zero: [0; 48],
        seed: [6; 32],
    }
}

pub(super) fn start() -> LaunchStart {
    LaunchStart { policy: Policy::new(0, 0, PolicyFlags::SMT_ALLOWED), host_data: [0xdd; 32] }
}

pub(super) fn identity() -> Identity {
    let zero = Identity::new_zeroed();
    Identity::new(zero.id_block, zero.authentication, AuthorKey::Enabled)
}

pub(super) fn permissions() -> VmplPermissions {
    VmplPermissions { vmpl2: PagePermissions::READ, ..VmplPermissions::NONE }
}

/// The records that have to be there.
pub(super) fn least() -> LaunchFileWriter {
    let mut writer = LaunchFileWriter::new(&options());
    writer.memory(&memory());
    writer.security_processor(&security_processor());
    writer.launch_start(&start());
    writer
}

/// A file with all records.
pub(super) fn full() -> Vec<u8> {
    let mut writer = least();
    writer.certificates(&[1, 2, 3]);
    writer.scenario("be evil");
    let large =
        PageRun { size: PageSize::Size2M, ..PageRun::new(0x20_0000, 512, PageType::NORMAL) };
    writer.pages(&large, []);
    let small = PageRun { permissions: permissions(), ..PageRun::new(0x1000, 2, PageType::NORMAL) };
    writer.pages(&small, [&[7; 4096], &[8; 4096]]);
    writer.shared_pages(0x5000, &[[9; 4096]]);
    writer.given_pages(&GivenPages { gpa: 0x6000, count: 3 });
    let save_area = PageRun { vcpu: 1, ..PageRun::new(0xffff_ffff_f000, 1, PageType::VMSA) };
    writer.pages(&save_area, [&[10; 4096]]);
    writer.identity(&identity());
    writer.finish().unwrap()
}
