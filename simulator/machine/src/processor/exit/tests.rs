//! The manual's table of automatic exits, and what guests rely on.

extern crate std;

use std::vec::Vec;

use abi_snp::SevFeatures;
use abi_svm::ExitCode;
use abi_x86::Msr;

use super::*;
use crate::execution::Cpl;
use crate::processor::own_msr::OWN_MSRS;

const FEATURES: SevFeatures = SevFeatures::SNP_ACTIVE;

fn of_code(code: u64) -> Disposition {
    let intercept = Intercept { code: ExitCode(code), info_1: 0, msr: Msr(0), cpl: Cpl::Cpl0 };
    disposition(&intercept, FEATURES)
}

fn of_msr(number: u32, features: SevFeatures) -> Disposition {
    let (msr, cpl) = (Msr(number), Cpl::Cpl0);
    disposition(&Intercept { code: ExitCode::MSR, info_1: 0, msr, cpl }, features)
}

/// All codes that an intercept of table C-1 can have.
fn codes() -> impl Iterator<Item = u64> {
    (0..0xa7).chain(0x400..0x405)
}

#[test]
fn automatic_exits_are_those_of_the_manual() {
    let with = |wanted: Disposition| -> Vec<u64> {
        codes().filter(|code| of_code(*code) == wanted).collect()
    };
    let same = with(Disposition::AutomaticExit(Resume::SameInstruction));
    assert_eq!(same, [0x52, 0x60, 0x61, 0x62, 0x63, 0x64, 0x7f, 0xa5, 0x400]);
    let next = with(Disposition::AutomaticExit(Resume::NextInstruction));
    let expected: Vec<u64> =
        [0x77, 0x78].into_iter().chain(0x8f..=0x9f).chain([0xa6, 0x403]).collect();
    assert_eq!(next, expected);
    assert_eq!(with(Disposition::Execute), [0x46, 0x4d, 0x8d]);
    assert_eq!(with(Disposition::OwnMsr), []);
    assert_eq!(with(Disposition::Refused), []);
}

#[test]
fn what_linux_handles_is_a_vc() {
    // Its #VC handler knows these error codes.
    for code in [
        0x27, 0x37, 0x41, 0x51, 0x6e, 0x6f, 0x72, 0x76, 0x7b, 0x7c, 0x81, 0x87, 0x89, 0x8a, 0x8b,
        0x404,
    ] {
        assert_eq!(of_code(code), Disposition::Communication, "{code:#x}");
    }
}

#[test]
fn device_memory_is_a_vc() {
    let fault = |info_1| {
        let intercept =
            Intercept { code: ExitCode::NESTED_PAGE_FAULT, info_1, msr: Msr(0), cpl: Cpl::Cpl0 };
        disposition(&intercept, FEATURES)
    };
    assert_eq!(fault(0x1_0000_000d), Disposition::Communication);
    assert_eq!(fault(0x1_0000_000f), Disposition::Communication);
    let exit = Disposition::AutomaticExit(Resume::SameInstruction);
    assert_eq!(fault(0x1_0000_0006), exit);
    assert_eq!(fault(0x4_8000_0005), exit);
}

#[test]
fn own_registers_are_never_a_vc() {
    for msr in OWN_MSRS {
        assert_eq!(of_msr(msr.0, FEATURES), Disposition::OwnMsr, "{msr:?}");
    }
    for number in [0xc001_0130, 0xc001_0131, 0xc000_0080, 0x277, 0xda0, 0x48, 0xc000_0103] {
        assert_eq!(of_msr(number, FEATURES), Disposition::OwnMsr, "{number:#x}");
    }
    // The local APIC, SYSCFG, the SVSM's calling area, the time stamp counter.
    for number in [0x1b, 0x830, 0xc001_0010, 0xc001_f000, 0x10, 0x132] {
        assert_eq!(of_msr(number, FEATURES), Disposition::Communication, "{number:#x}");
    }
}

#[test]
fn the_frequency_comes_with_the_secure_counter() {
    assert_eq!(of_msr(0xc001_0134, FEATURES), Disposition::Communication);
    let secure = FEATURES | SevFeatures::SECURE_TSC;
    assert_eq!(of_msr(0xc001_0134, secure), Disposition::OwnMsr);
}

#[test]
fn reflection_turns_vc_into_exits_and_nothing_else() {
    let reflect = FEATURES | SevFeatures::REFLECT_VC;
    for code in codes() {
        let intercept = Intercept { code: ExitCode(code), info_1: 0, msr: Msr(0), cpl: Cpl::Cpl0 };
        let reflected = disposition(&intercept, reflect);
        match of_code(code) {
            Disposition::Communication => {
                assert_eq!(reflected, Disposition::ReflectedCommunication, "{code:#x}");
            }
            other => assert_eq!(reflected, other, "{code:#x}"),
        }
    }
    assert_eq!(of_msr(Msr::GHCB.0, reflect), Disposition::OwnMsr);
}

#[test]
fn privileged_instructions_fault_before_they_are_intercepted() {
    let at = |code, cpl| {
        disposition(&Intercept { code: ExitCode(code), info_1: 0, msr: Msr(0x8b), cpl }, FEATURES)
    };
    for cpl in [Cpl::Cpl1, Cpl::Cpl2, Cpl::Cpl3] {
        for code in [0x00, 0x10, 0x27, 0x37, 0x76, 0x78, 0x79, 0x7c, 0x89] {
            assert_eq!(at(code, cpl), Disposition::Privileged, "{code:#x} {cpl:?}");
        }
        // CPUID, ports and VMMCALL are for everyone whom nothing else stops.
        for code in [0x6e, 0x72, 0x7b, 0x81] {
            assert_eq!(at(code, cpl), Disposition::Communication, "{code:#x} {cpl:?}");
        }
    }
}

#[test]
fn a_refused_state_is_no_exit() {
    assert_eq!(of_code(u64::MAX), Disposition::Refused);
    assert_eq!(of_code(0xffff_ffff), Disposition::Refused);
}
