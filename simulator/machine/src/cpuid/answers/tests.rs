//! What a guest sees of a processor that has everything.

use core::num::NonZero;

use proptest::prelude::*;

use super::*;
use crate::cpuid::samples::{facts, physical_cpuid};

fn cpuid(policy: CpuidPolicy) -> Cpuid {
    Cpuid::new(CpuidFacts { policy, ..facts() }, physical_cpuid)
}

fn leaf(policy: CpuidPolicy, leaf: u32, subleaf: u32) -> CpuidResult {
    cpuid(policy).answer(CpuidQuery::new(leaf, subleaf), 0)
}

/// Bits that Linux' `cpufeatures.h` gives these names.
const XSAVE: u32 = 1 << 26;
const MONITOR: u32 = 1 << 3;
const X2APIC: u32 = 1 << 21;
const OSXSAVE: u32 = 1 << 27;
const SVM: u32 = 1 << 2;

#[test]
fn vendor_and_hypervisor_have_names() {
    let spell = |leaf: CpuidResult, order: [u32; 3]| {
        assert_ne!(leaf.eax, 0);
        order.map(u32::to_le_bytes).concat()
    };
    let vendor = leaf(CpuidPolicy::Full, 0, 0);
    assert_eq!(spell(vendor, [vendor.ebx, vendor.edx, vendor.ecx]), b"AuthenticAMD");
    let extended = leaf(CpuidPolicy::Full, 0x8000_0000, 0);
    assert_eq!((extended.ebx, extended.ecx, extended.edx), (vendor.ebx, vendor.ecx, vendor.edx));
    let kvm = leaf(CpuidPolicy::Reduced, 0x4000_0000, 0);
    assert_eq!(spell(kvm, [kvm.ebx, kvm.ecx, kvm.edx]), b"KVMKVMKVM\0\0\0");
    let features = leaf(CpuidPolicy::Reduced, 0x4000_0001, 0);
    assert_eq!(features, CpuidResult { eax: 0x0100_0008, ..CpuidResult::ZERO });
}

#[test]
fn reduced_policy_has_no_trace_of_xsave() {
    let reduced = |number, subleaf| leaf(CpuidPolicy::Reduced, number, subleaf);
    let full = |number, subleaf| leaf(CpuidPolicy::Full, number, subleaf);
    assert_eq!((reduced(0, 0).eax, full(0, 0).eax), (0xb, 0xd));
    // FMA, XSAVE, OSXSAVE, AVX, F16C.
    let xsave = 1 << 12 | XSAVE | OSXSAVE | 1 << 28 | 1 << 29;
    assert_eq!(reduced(1, 0).ecx & xsave, 0);
    assert_eq!(full(1, 0).ecx & xsave, xsave & !OSXSAVE);
    // AVX2; PKU, OSPKE, VAES, VPCLMULQDQ.
    assert_eq!((reduced(7, 0).ebx & 1 << 5, reduced(7, 0).ecx & 0x618), (0, 0));
    assert_eq!((full(7, 0).ebx & 1 << 5, full(7, 0).ecx & 0x618), (1 << 5, 0x608));
    assert_eq!(reduced(0x8000_0008, 0).ebx & 1 << 2, 0);
    for subleaf in 0..64 {
        assert_eq!(reduced(0xd, subleaf), CpuidResult::ZERO);
    }
    assert_eq!(full(0xd, 1).eax & 2, 2, "XSAVEC");
}

#[test]
fn full_policy_cannot_show_xsave_that_is_not_there() {
    let without = |number, subleaf| {
        let mut result = physical_cpuid(number, subleaf);
        if number == 1 {
            result.ecx &= !XSAVE;
        }
        result
    };
    let facts = CpuidFacts { policy: CpuidPolicy::Full, ..facts() };
    let cpuid = Cpuid::new(facts, without);
    assert_eq!(cpuid.answer(CpuidQuery::new(0, 0), 0).eax, 0xb);
    assert_eq!(cpuid.answer(CpuidQuery::new(1, 0), 0).ecx & (1 << 28 | XSAVE), 0);
}

#[test]
fn nothing_is_left_that_the_platform_cannot_give() {
    for policy in [CpuidPolicy::Reduced, CpuidPolicy::Full, CpuidPolicy::Xsave] {
        assert_eq!(leaf(policy, 1, 0).ecx & MONITOR, 0);
        // TSC_ADJUST, HLE, PQM, MPX, AVX512F, Intel PT.
        let ebx = 1 << 1 | 1 << 4 | 1 << 12 | 1 << 14 | 1 << 16 | 1 << 25;
        assert_eq!(leaf(policy, 7, 0).ebx & ebx, 0);
        // Shadow stacks, enqueue stores, key locker.
        assert_eq!(leaf(policy, 7, 0).ecx & (1 << 7 | 1 << 29 | 1 << 23), 0);
        // Speculation control, ARCH_CAPABILITIES, indirect branch tracking.
        assert_eq!(leaf(policy, 7, 0).edx & (1 << 26 | 1 << 29 | 1 << 20), 0);
        let ecx = leaf(policy, 0x8000_0001, 0).ecx;
        // SVM, extended APIC space, OSVW, IBS, XOP, SKINIT, WDT, LWP, PERFCTR,
        // MONITORX.
        let removed = SVM | 1 << 3 | 0x3f << 9 | 1 << 15 | 1 << 23 | 1 << 24 | 1 << 29;
        assert_eq!(ecx & removed, 0);
        assert_eq!(leaf(policy, 0x8000_0001, 0).edx >> 30, 0, "3DNow!");
        // INVLPGB, RDPRU, IBPB, IBRS, SSBD.
        let ebx = 1 << 3 | 1 << 4 | 1 << 12 | 1 << 14 | 1 << 24;
        assert_eq!(leaf(policy, 0x8000_0008, 0).ebx & ebx, 0);
        for gone in [2, 3, 4, 5, 9, 0xa, 0xc, 0xe, 0x14, 0x8000_000a, 0x8000_001b, 0x8000_001d] {
            assert_eq!(leaf(policy, gone, 0), CpuidResult::ZERO, "{gone:#x}");
        }
    }
}

#[test]
fn platform_adds_what_is_its_own() {
    let nothing = Cpuid::new(facts(), |_, _| CpuidResult::ZERO);
    let ask = |number| nothing.answer(CpuidQuery::new(number, 0), 0);
    assert_eq!(ask(1).ecx, X2APIC | 1 << 24 | 1 << 31);
    assert_eq!(ask(6).eax, 1 << 2);
    assert_eq!(ask(0x8000_0007).edx, 1 << 8);
    assert_eq!(ask(0x8000_0001).ecx & 1 << 22, 1 << 22);
    assert!(ask(0x8000_0000).eax >= 0x8000_001f);
    assert_eq!(ask(0x8000_001f).ebx & 0x3f, 51);
}

#[test]
fn model_is_that_of_the_machine() {
    let signature = |family, model, stepping| {
        let processor = ProcessorModel { family, model, stepping };
        Cpuid::new(CpuidFacts { processor, ..facts() }, physical_cpuid).signature()
    };
    // Milan, Genoa and Turin, as AMD's revision guides list them.
    assert_eq!(signature(0x19, 0x01, 1), 0x00a0_0f11);
    assert_eq!(signature(0x19, 0x11, 1), 0x00a1_0f11);
    assert_eq!(signature(0x1a, 0x02, 1), 0x00b0_0f21);
    assert_eq!(signature(6, 0x0f, 2), 0x0000_06f2);
    let genoa = leaf(CpuidPolicy::Reduced, 1, 0).eax;
    assert_eq!((genoa, leaf(CpuidPolicy::Reduced, 0x8000_0001, 0).eax), (0x00a1_0f11, genoa));
}

#[test]
fn each_processor_has_its_identifier() {
    let cpuid = cpuid(CpuidPolicy::Reduced);
    for apic_id in 0..4 {
        let ask = |number| cpuid.answer(CpuidQuery::new(number, 0), apic_id);
        assert_eq!(ask(1).ebx, apic_id << 24 | 4 << 16 | 8 << 8);
        assert_eq!((ask(0xb).edx, ask(0x8000_001e).eax), (apic_id, apic_id));
        assert_eq!(ask(1).edx & 1 << 28, 1 << 28);
        assert_eq!(ask(0x8000_0001).ecx & 2, 2);
    }
    let one = CpuidFacts { processors: NonZero::new(1).unwrap(), ..facts() };
    let one = Cpuid::new(one, physical_cpuid);
    assert_eq!(one.answer(CpuidQuery::new(1, 0), 0).edx & 1 << 28, 0);
    assert_eq!(one.answer(CpuidQuery::new(0x8000_0001, 0), 0).ecx & 2, 0);
}

#[test]
fn leaves_beyond_the_greatest_physical_one_are_not_asked() {
    // The sample repeats ones there: caches, name and addresses are zero on a
    // processor whose greatest leaf is below them.
    let cpuid = Cpuid::new(facts(), |number, subleaf| match number {
        0x8000_0000 => CpuidResult { eax: 0x8000_0004, ..CpuidResult::ZERO },
        _ => physical_cpuid(number, subleaf),
    });
    let ask = |number| cpuid.answer(CpuidQuery::new(number, 0), 0);
    assert_eq!((ask(0x8000_0005), ask(0x8000_0006)), (CpuidResult::ZERO, CpuidResult::ZERO));
    assert_ne!(ask(0x8000_0004), CpuidResult::ZERO);
}

#[test]
fn sizes_of_addresses_are_the_physical_ones() {
    assert_eq!(leaf(CpuidPolicy::Full, 0x8000_0008, 0).eax, 0x3934);
}

proptest! {
    #[test]
    fn features_are_the_processors_or_the_platforms(
        leaf in prop::sample::select(&[1, 6, 7, 0x8000_0001, 0x8000_0008][..]),
        has: u32,
        full: bool,
    ) {
        let policy = if full { CpuidPolicy::Full } else { CpuidPolicy::Reduced };
        let cpuid = |has| {
            let physical = move |number, subleaf| {
                let CpuidResult { eax, ebx, ecx, edx } = physical_cpuid(number, subleaf);
                match number {
                    0 | 0x8000_0000 => CpuidResult { eax, ebx, ecx, edx },
                    _ => CpuidResult { eax, ebx: ebx & has, ecx: ecx & has, edx: edx & has },
                }
            };
            Cpuid::new(CpuidFacts { policy, ..facts() }, physical)
        };
        let query = CpuidQuery::new(leaf, 0);
        let (platform, all) = (cpuid(0).answer(query, 0), cpuid(has).answer(query, 0));
        prop_assert_eq!(all.ecx & !(has | platform.ecx), 0);
        prop_assert_eq!(all.edx & !(has | platform.edx), 0);
        // Leaf 1 has no features in EBX.
        prop_assert!(leaf == 1 || all.ebx & !has == 0);
    }

    #[test]
    fn every_question_has_an_answer(
        leaf: u32, subleaf: u32, xcr0: u64, xss: u64, apic_id: u32, full: bool,
    ) {
        let policy = if full { CpuidPolicy::Full } else { CpuidPolicy::Reduced };
        let query = CpuidQuery { leaf, subleaf, xcr0, xss };
        let answer = cpuid(policy).answer(query, apic_id);
        let greatest = match leaf >> 16 {
            0 => GREATEST_FULL,
            0x4000 => GREATEST_HYPERVISOR,
            0x8000 => GREATEST_EXTENDED,
            _ => 0,
        };
        prop_assert!(leaf <= greatest || answer == CpuidResult::ZERO);
    }
}

#[test]
fn broadcasts_are_shown_as_the_machine_has_them() {
    let shown = |broadcast| {
        let cpuid = Cpuid::new(CpuidFacts { broadcast, ..facts() }, physical_cpuid);
        let leaf = cpuid.answer(CpuidQuery::new(0x8000_0008, 0), 0);
        (leaf.ebx & 1 << 3 != 0, leaf.edx)
    };
    assert_eq!(shown(TranslationBroadcast::Missing), (false, 0));
    assert_eq!(shown(TranslationBroadcast::Present), (true, 7));
}

#[test]
fn xsave_alone_brings_avx_and_no_keys() {
    let policy = CpuidPolicy::Xsave;
    assert_eq!(leaf(policy, 0, 0).eax, 0xd);
    assert_eq!(leaf(policy, 1, 0).ecx & (1 << 28 | XSAVE), 1 << 28 | XSAVE);
    assert_eq!(leaf(policy, 7, 0).ecx & 1 << 3, 0);
    assert_eq!(leaf(CpuidPolicy::Full, 7, 0).ecx & 1 << 3, 1 << 3);
}
