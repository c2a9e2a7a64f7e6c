//! Digests that an independent program computes, and what they depend on.

extern crate std;

use std::string::ToString;
use std::vec::Vec;

use abi_snp::{KVM_VMSA_GPA, PagePermissions, SegmentRegister, SevFeatures, Vmsa};
use abi_x86::{Cr0, Cr4, Efer, Rflags, SegmentAttributes, SegmentSelector, reset};

use super::*;

fn add(launch: &mut LaunchDigest, gpa: u64, contents: PageContents<'_>) {
    let before = launch.value();
    let info = launch.add_page(gpa, contents, VmplPermissions::NONE, PageInfoFlags::empty());
    assert_eq!((info.current_digest, info.page_type), (before, contents.page_type()));
}

/// Two pages of bytes that count from 0 to 250 over and over.
fn counting_pages() -> [Page; 2] {
    let bytes: [u8; 8192] = core::array::from_fn(|i| (i % 251) as u8);
    let (pages, _) = bytes.as_chunks();
    [pages[0], pages[1]]
}

/// The real-mode state that QEMU and KVM start an SNP guest's first processor
/// in, field by field.
fn reset_state(rdx: u64) -> Vmsa {
    let segment = |selector, attributes, base| SegmentRegister {
        selector: SegmentSelector(selector),
        attributes: SegmentAttributes::from_bits_retain(attributes),
        limit: 0xffff,
        base,
    };
    let mut vmsa = Vmsa::zeroed();
    vmsa.cs = segment(0xf000, 0x9b, 0xffff_0000);
    let data = segment(0, 0x93, 0);
    (vmsa.es, vmsa.ss, vmsa.ds, vmsa.fs, vmsa.gs) = (data, data, data, data, data);
    (vmsa.gdtr, vmsa.idtr) = (segment(0, 0, 0), segment(0, 0, 0));
    vmsa.ldtr = segment(0, SegmentAttributes::LDT.bits(), 0);
    vmsa.tr = segment(0, SegmentAttributes::TSS_BUSY.bits(), 0);
    vmsa.efer = Efer::SVME;
    vmsa.cr4 = Cr4::MCE;
    vmsa.cr0 = Cr0::ET;
    vmsa.dr7 = reset::DR7;
    vmsa.dr6 = reset::DR6;
    vmsa.rflags = Rflags::FIXED;
    vmsa.rip = 0xfff0;
    vmsa.g_pat = reset::PAT;
    vmsa.rdx = rdx;
    vmsa.sev_features = SevFeatures::SNP_ACTIVE;
    vmsa.xcr0 = reset::XCR0;
    vmsa.mxcsr = reset::MXCSR;
    vmsa.x87_fcw = reset::X87_CONTROL_WORD;
    vmsa
}

// The expected digests come from sev-snp-measure 0.0.13 (PyPI):
//
//     from sevsnpmeasure.gctx import GCTX
//     from sevsnpmeasure.sev_mode import SevMode
//     from sevsnpmeasure.vmsa import VMSA
//     g = GCTX()
//     g.update_normal_pages(0x8000000, bytes(i % 251 for i in range(8192))); print(g.hex_ld())
//     g.update_zero_pages(0x8002000, 0x2000); print(g.hex_ld())
//     g.update_unmeasured_pages(0x8004000, 0x1000); print(g.hex_ld())
//     g.update_secrets_page(0x8005000); print(g.hex_ld())
//     g.update_cpuid_page(0x8006000); print(g.hex_ld())
//     vmsa = next(VMSA(SevMode.SEV_SNP, 0, 0x800f12, 0x1).pages(1))
//     g.update_vmsa_page(vmsa); print(g.hex_ld())
#[test]
fn agrees_with_sev_snp_measure() {
    let mut launch = LaunchDigest::new();
    assert_eq!(launch.value(), Digest::ZERO);

    let pages = counting_pages();
    add(&mut launch, 0x800_0000, PageContents::Normal(&pages[0]));
    add(&mut launch, 0x800_1000, PageContents::Normal(&pages[1]));
    let expected = "bcc75ca192b69ee56b649cac0bf859ed2d8f4a826e0e5f40183af5273ca98ac0\
        f0243d42c59fc05604409ea03b13e699";
    assert_eq!(launch.value().to_string(), expected);

    add(&mut launch, 0x800_2000, PageContents::Zero);
    add(&mut launch, 0x800_3000, PageContents::Zero);
    let expected = "48cc6907038e7e307635b2d389ebf3620f7c7cd224293170b4fb2b7fe2b7e823\
        c15e16b0ee82b3343db2433e4cd00b49";
    assert_eq!(launch.value().to_string(), expected);

    add(&mut launch, 0x800_4000, PageContents::Unmeasured);
    let expected = "8e96fa0336ea44dcb8c5dafeb567955987c9ecd4dc1fc6d728a7870877f38166\
        3bcc7e818880d44d03953682cdbe7843";
    assert_eq!(launch.value().to_string(), expected);

    add(&mut launch, 0x800_5000, PageContents::Secrets);
    let expected = "f7b6ddc7f74d1d3f31f4d88a8e76d3f6aa3c986ff4af5d7c4cf5b844fd15144f\
        15bfad911a6c35cb74bb984a902baf1f";
    assert_eq!(launch.value().to_string(), expected);

    add(&mut launch, 0x800_6000, PageContents::Cpuid);
    let expected = "423131c93743f22f168b275ddc0767ff4c4e52634bbe1618685846e37acd1ccb\
        c93b4371ad78a909cfb2524b2ada4877";
    assert_eq!(launch.value().to_string(), expected);

    let vmsa: Page = zerocopy::transmute!(reset_state(0x80_0f12));
    add(&mut launch, KVM_VMSA_GPA, PageContents::Vmsa(&vmsa));
    let expected = "ffb41f8925bf3892da9fecb419bbe853fd96cc66441363a834bd3b7816135a93\
        12c3a68c47c8a5c9b8461223ec11e3b2";
    assert_eq!(launch.value().to_string(), expected);
}

#[test]
fn everything_about_a_page_counts() {
    let pages = counting_pages();
    let read_only = VmplPermissions { vmpl2: PagePermissions::READ, ..VmplPermissions::NONE };
    let (none, nothing) = (VmplPermissions::NONE, PageInfoFlags::empty());
    let launches = [
        (0x1000, PageContents::Normal(&pages[0]), none, nothing),
        (0x2000, PageContents::Normal(&pages[0]), none, nothing),
        (0x1000, PageContents::Normal(&pages[1]), none, nothing),
        (0x1000, PageContents::Normal(&pages[0]), read_only, nothing),
        (0x1000, PageContents::Normal(&pages[0]), none, PageInfoFlags::MIGRATION_IMAGE),
        (0x1000, PageContents::Vmsa(&pages[0]), none, nothing),
        (0x1000, PageContents::Zero, none, nothing),
        (0x1000, PageContents::Unmeasured, none, nothing),
        (0x1000, PageContents::Secrets, none, nothing),
        (0x1000, PageContents::Cpuid, none, nothing),
    ];
    let mut digests: Vec<Digest> = launches
        .map(|(gpa, contents, permissions, flags)| {
            let mut launch = LaunchDigest::default();
            launch.add_page(gpa, contents, permissions, flags);
            launch.value()
        })
        .to_vec();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), launches.len());
}

#[test]
fn order_counts() {
    let [mut forwards, mut backwards] = [LaunchDigest::new(); 2];
    add(&mut forwards, 0x1000, PageContents::Zero);
    add(&mut forwards, 0x2000, PageContents::Zero);
    add(&mut backwards, 0x2000, PageContents::Zero);
    add(&mut backwards, 0x1000, PageContents::Zero);
    assert_ne!(forwards, backwards);
}

#[test]
fn zeros_measure_alike_however_they_are_named() {
    let digest = |contents| {
        let mut digest = LaunchDigest::new();
        digest.add_page(0x1000, contents, VmplPermissions::NONE, PageInfoFlags::empty());
        digest.value()
    };
    assert_eq!(digest(PageContents::NormalZeros), digest(PageContents::Normal(&[0; 4096])));
    assert_ne!(digest(PageContents::NormalZeros), digest(PageContents::Zero));
}
