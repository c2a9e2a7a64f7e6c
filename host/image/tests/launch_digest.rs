//! Launch digests agree with those of the independent program sev-snp-measure.
//!
//! The program measures OVMF firmware images as QEMU launches them. Here the
//! same sequence is written as an IGVM file: the image below 4 GiB, the memory
//! that its metadata asks for, one VMSA for each processor. The expected
//! digests and the script that made them lie in `data/`.

mod firmware;

use std::path::Path;

use igvm::snp_defs::{SevSelector, SevVmsa};
use igvm::{
    IgvmDirectiveHeader, IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader, IgvmRevision,
};
use igvm_defs::{
    IGVM_VHS_SUPPORTED_PLATFORM, IgvmPageDataFlags, IgvmPageDataType, IgvmPlatformType,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use svsm_image::file::Igvm;
use svsm_image::measure::{self, Options, Vmm, ZeroPages};
use zerocopy::FromZeros;

use firmware::{Firmware, Section};

/// Where KVM measures VMSAs.
const VMSA_GPA: u64 = 0xffff_ffff_f000;

/// Names the firmware image of Debian's package `ovmf` 2022.11-6+deb12u2.
const OVMF_VARIABLE: &str = "SVSM_TEST_OVMF";

#[derive(Deserialize)]
struct Expected {
    firmware_sha256: String,
    digests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    vcpu_type: String,
    cpu_signature: u32,
    guest_features: u64,
    vcpus: u16,
    digest: String,
}

fn expected(name: &str) -> Expected {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let text = std::fs::read_to_string(&path).expect("the file is part of the repository");
    serde_json::from_str(&text).expect("the file is what the script printed")
}

/// A page without data, measured with the page type for zeros.
fn page(gpa: u64, data_type: IgvmPageDataType, data: &[u8]) -> IgvmDirectiveHeader {
    IgvmDirectiveHeader::PageData {
        gpa,
        compatibility_mask: 1,
        flags: IgvmPageDataFlags::new(),
        data_type,
        data: data.to_vec(),
    }
}

/// The state after reset with CS:IP at `address` [APM 24593 table 14-1], before
/// KVM adds what it always sets.
fn reset_vmsa(address: u32, signature: u32, features: u64) -> SevVmsa {
    let segment = |selector, attrib, base| SevSelector { selector, attrib, limit: 0xffff, base };
    let mut vmsa = SevVmsa::new_zeroed();
    vmsa.cs = segment(0xf000, 0x9b, u64::from(address & 0xffff_0000));
    vmsa.rip = u64::from(address & 0xffff);
    for data in [&mut vmsa.ds, &mut vmsa.es, &mut vmsa.fs, &mut vmsa.gs, &mut vmsa.ss] {
        *data = segment(0, 0x93, 0);
    }
    vmsa.gdtr = segment(0, 0, 0);
    vmsa.idtr = segment(0, 0, 0);
    vmsa.ldtr = segment(0, 0x82, 0);
    vmsa.tr = segment(0, 0x8b, 0);
    vmsa.cr0 = 0x6000_0010;
    vmsa.dr6 = 0xffff_0ff0;
    vmsa.dr7 = 0x400;
    vmsa.rflags = 2;
    vmsa.pat = 0x7_0406_0007_0406;
    vmsa.rdx = signature.into();
    vmsa.xcr0 = 1;
    vmsa.mxcsr = 0x1f80;
    vmsa.x87_fcw = 0x37f;
    vmsa.sev_features = features.into();
    vmsa
}

/// The same with what KVM sets: EFER.SVME, CR4.MCE, no CR0.CD and CR0.NW.
fn completed(mut vmsa: SevVmsa) -> SevVmsa {
    vmsa.efer = 0x1000;
    vmsa.cr4 = 0x40;
    vmsa.cr0 = 0x10;
    vmsa
}

/// The launch of `firmware` as an IGVM file.
fn igvm(firmware: &Firmware, vmsas: impl IntoIterator<Item = SevVmsa>) -> Igvm {
    let mut directives = Vec::new();
    for (index, data) in firmware.image.chunks(4096).enumerate() {
        let gpa = firmware.gpa() + index as u64 * 4096;
        directives.push(page(gpa, IgvmPageDataType::NORMAL, data));
    }
    for section in &firmware.sections {
        let data_type = match section.kind {
            Section::SECRETS => IgvmPageDataType::SECRETS,
            Section::CPUID => IgvmPageDataType::CPUID_DATA,
            Section::SEC_MEMORY | Section::SVSM_CALLING_AREA | Section::KERNEL_HASHES => {
                IgvmPageDataType::NORMAL
            }
            other => panic!("unknown section type {other}"),
        };
        for offset in (0..section.size).step_by(4096) {
            directives.push(page(u64::from(section.gpa + offset), data_type, &[]));
        }
    }
    for (vp_index, vmsa) in (0..).zip(vmsas) {
        directives.push(IgvmDirectiveHeader::SnpVpContext {
            gpa: VMSA_GPA,
            compatibility_mask: 1,
            vp_index,
            vmsa: Box::new(vmsa),
        });
    }
    let platform = IgvmPlatformHeader::SupportedPlatform(IGVM_VHS_SUPPORTED_PLATFORM {
        compatibility_mask: 1,
        highest_vtl: 0,
        platform_type: IgvmPlatformType::SEV_SNP,
        platform_version: 1,
        shared_gpa_boundary: 0,
    });
    let policy = IgvmInitializationHeader::GuestPolicy { policy: 0x3_0000, compatibility_mask: 1 };
    let file = IgvmFile::new(IgvmRevision::V1, vec![platform], vec![policy], directives);
    let mut bytes = Vec::new();
    file.expect("valid").serialize(&mut bytes).expect("serializes");
    Igvm::parse(&bytes).expect("reads back")
}

fn digest(igvm: &Igvm, options: Options) -> String {
    let options = Options { zero_pages: ZeroPages::Native, ..options };
    measure::snp_launch_digest(igvm, &options).expect("measurable").digest.to_string()
}

/// Compares all cases of `expected`, with VMSAs that are measured as written
/// and with VMSAs that are completed as KVM does it.
fn compare(firmware: &Firmware, expected: &Expected) {
    let sha256: String =
        Sha256::digest(&firmware.image).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sha256, expected.firmware_sha256, "another image than the one measured");
    for case in &expected.digests {
        let name = format!("{} {:#x} x{}", case.vcpu_type, case.guest_features, case.vcpus);
        let states = || {
            (0..case.vcpus).map(|index| {
                let address = if index == 0 { 0xffff_fff0 } else { firmware.reset_address };
                reset_vmsa(address, case.cpu_signature, case.guest_features)
            })
        };
        let written = igvm(firmware, states().map(completed));
        assert_eq!(digest(&written, Options::default()), case.digest, "{name}");
        let for_kvm = igvm(firmware, states());
        let options = Options { vmm: Vmm::Kvm { vcpus: case.vcpus.into() }, ..Options::default() };
        assert_eq!(digest(&for_kvm, options), case.digest, "{name}, completed");
    }
}

#[test]
fn synthetic_firmware_agrees() {
    let expected = expected("launch_digests.json");
    assert_eq!(expected.digests.len(), 12);
    compare(&Firmware::synthetic(), &expected);
}

#[test]
#[ignore = "needs SVSM_TEST_OVMF: the OVMF.fd of Debian's ovmf 2022.11-6+deb12u2"]
fn debian_ovmf_agrees() {
    let path = std::env::var_os(OVMF_VARIABLE)
        .unwrap_or_else(|| panic!("set {OVMF_VARIABLE} to the path of Debian's OVMF.fd"));
    let image = std::fs::read(&path).expect("the variable names a readable file");
    compare(&Firmware::parse(image), &expected("ovmf_launch_digests.json"));
}
