//! PVALIDATE, rule by rule.

extern crate std;

use abi_snp::{PagePermissions, SevFeatures, VmplPermissions};

use super::*;
use crate::execution::Cpl;
use crate::gpa::Gpa;
use crate::reverse_map::entry::{FULL_PERMISSIONS, PageState};
use crate::reverse_map::fault::FaultKind;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::instruction::Encryption;
use crate::reverse_map::samples::{
    DONE, LARGE, NOWHERE, SMALL, VMPL0, assign, broken, identity, launch, machine, pvalidate,
    refused, rescind, unreached, validate,
};

const UNCHANGED: Outcome = Outcome::Complete(Completion { unchanged: true, ..Completion::SUCCESS });

fn state(map: &ReverseMap, gpa: u64) -> PageState {
    map.entry(Gpa(gpa)).unwrap().state()
}

#[test]
fn a_page_is_accepted_once_and_given_up_once() {
    for size in PageSize::ALL {
        let mut map = machine();
        assign(&mut map, Gpa(LARGE), size);
        assert_eq!(rescind(&mut map, LARGE, size), UNCHANGED);
        assert_eq!(validate(&mut map, LARGE, size), DONE);
        assert_eq!(state(&map, LARGE), PageState::GuestValid);
        assert_eq!(validate(&mut map, LARGE, size), UNCHANGED);
        assert_eq!(rescind(&mut map, LARGE, size), DONE);
        assert_eq!(state(&map, LARGE), PageState::GuestInvalid);
    }
}

#[test]
fn permissions_survive_both_ways() {
    let mut map = machine();
    let lower = VmplPermissions { vmpl2: PagePermissions::READ, ..VmplPermissions::NONE };
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    map.launch_update(Gpa(0), PageSize::Size4K, abi_snp::PageType::NORMAL, lower).unwrap();
    for outcome in [rescind(&mut map, 0, PageSize::Size4K), validate(&mut map, 0, PageSize::Size4K)]
    {
        assert_eq!(outcome, DONE);
        let entry = map.entry(Gpa(0)).unwrap();
        let expected = [
            FULL_PERMISSIONS,
            PagePermissions::empty(),
            PagePermissions::READ,
            PagePermissions::empty(),
        ];
        assert_eq!(Vmpl::ALL.map(|vmpl| entry.permissions(vmpl)), expected);
    }
}

#[test]
fn the_whole_large_page_changes() {
    let mut map = machine();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    assert_eq!(validate(&mut map, LARGE, PageSize::Size2M), DONE);
    for gpa in [LARGE, LARGE + SMALL, 2 * LARGE - 1] {
        assert_eq!(state(&map, gpa), PageState::GuestValid);
    }
    assert_eq!(state(&map, LARGE - 1), PageState::Hypervisor);
    assert_eq!(state(&map, 2 * LARGE), PageState::Hypervisor);
}

#[test]
fn only_the_linear_address_has_to_be_aligned() {
    let mut map = machine();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    // Linux validates 2 MiB through a temporary mapping of 4 KiB.
    let translate = |address| {
        assert_eq!(address, 7 * LARGE);
        identity(LARGE + SMALL)
    };
    let outcome = map.pvalidate(&pvalidate(7 * LARGE, PageSize::Size2M, 1), &VMPL0, translate);
    assert_eq!(outcome, Ok(DONE));
    assert_eq!(state(&map, LARGE), PageState::GuestValid);
}

#[test]
fn low_bits_of_the_address_do_not_count() {
    let mut map = machine();
    assign(&mut map, Gpa(SMALL), PageSize::Size4K);
    let translate = |address| {
        assert_eq!(address, SMALL);
        identity(address)
    };
    let registers = pvalidate(SMALL + 0xabc, PageSize::Size4K, 1);
    assert_eq!(map.pvalidate(&registers, &VMPL0, translate), Ok(DONE));
}

#[test]
fn upper_halves_of_the_operands_do_not_count() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size4K);
    let registers = Registers { rax: 0, rcx: 0xffff_ffff_0000_0000, rdx: 0xffff_ffff_0000_0001 };
    assert_eq!(map.pvalidate(&registers, &VMPL0, identity), Ok(DONE));
}

#[test]
fn failed_translation_is_handed_on() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size4K);
    let outcome = map.pvalidate(&pvalidate(0, PageSize::Size4K, 1), &VMPL0, |_| Err("#PF"));
    assert_eq!(outcome, Err("#PF"));
    assert_eq!(state(&map, 0), PageState::GuestInvalid);
    assert_eq!(map.statistics().events().filter(|(event, _)| event.vmpl.is_some()).count(), 0);
}

/// The rule that PVALIDATE of 4 KiB at 0 breaks before it translates.
fn broken_early(execution: &Execution) -> (FaultRule, Option<u64>) {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    let registers = pvalidate(0, PageSize::Size4K, 0);
    let outcome = map.pvalidate(&registers, execution, unreached).unwrap();
    assert_eq!(state(&map, 0), PageState::GuestValid);
    broken(outcome)
}

#[test]
fn rule_snp_active() {
    let features = SevFeatures::RESTRICTED_INJECTION;
    let execution = Execution { features, cpl: Cpl::Cpl3, vmpl: Vmpl::Vmpl3 };
    assert_eq!(broken_early(&execution), (FaultRule::SnpActive, None));
}

#[test]
fn rule_cpl0() {
    for cpl in [Cpl::Cpl1, Cpl::Cpl2, Cpl::Cpl3] {
        for vmpl in Vmpl::ALL {
            let execution = Execution { cpl, vmpl, ..VMPL0 };
            assert_eq!(broken_early(&execution), (FaultRule::Cpl0, None));
        }
    }
}

#[test]
fn rule_vmpl0() {
    for vmpl in [Vmpl::Vmpl1, Vmpl::Vmpl2, Vmpl::Vmpl3] {
        assert_eq!(broken_early(&Execution::kernel(vmpl)), (FaultRule::Vmpl0, None));
    }
}

/// As Linux's compiler leaves them in the registers of a `bool`.
#[test]
fn only_the_lowest_bit_of_an_operand_counts() {
    for (rcx, rdx) in [(2, 1), (1 << 31, 0x1_5401), (0xff00, 0x8000_0001)] {
        let mut map = machine();
        assign(&mut map, Gpa(0), PageSize::Size4K);
        let registers = Registers { rax: 0, rcx, rdx };
        let outcome = map.pvalidate(&registers, &VMPL0, identity);
        assert_eq!(outcome, Ok(DONE), "{rcx:#x} {rdx:#x}");
    }
}

#[test]
fn rule_large_aligned() {
    let mut map = machine();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    for address in [LARGE + SMALL, LARGE - SMALL, u64::MAX] {
        let registers = pvalidate(address, PageSize::Size2M, 1);
        let outcome = map.pvalidate(&registers, &VMPL0, unreached);
        assert_eq!(outcome, Ok(refused(RefusalRule::LargeAligned)), "{address:#x}");
    }
}

const PLAIN_ERROR: Option<u64> = Some(0x4_8000_0005);

#[test]
fn rule_rmp_covered() {
    let mut map = machine();
    let outcome = validate(&mut map, NOWHERE.0, PageSize::Size4K);
    assert_eq!(broken(outcome), (FaultRule::RmpCovered, PLAIN_ERROR));
}

#[test]
fn rule_guest_owned() {
    let mut map = machine();
    let outcome = validate(&mut map, SMALL, PageSize::Size4K);
    assert_eq!(broken(outcome), (FaultRule::GuestOwned, PLAIN_ERROR));
    let Outcome::Fault(fault) = outcome else { unreachable!() };
    assert!(matches!(fault.kind, FaultKind::NestedPageFault { gpa: Gpa(SMALL), .. }));
}

#[test]
fn rule_reverse_map() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size4K);
    map.remap(Gpa(0)).unwrap();
    let outcome = validate(&mut map, 0, PageSize::Size4K);
    assert_eq!(broken(outcome), (FaultRule::ReverseMap, PLAIN_ERROR));
    map.map_back(Gpa(0)).unwrap();
    assert_eq!(validate(&mut map, 0, PageSize::Size4K), DONE);
}

#[test]
fn rule_mutable() {
    let mut map = machine();
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    let outcome = validate(&mut map, 0, PageSize::Size4K);
    assert_eq!(broken(outcome), (FaultRule::Mutable, PLAIN_ERROR));
    assert_eq!(state(&map, 0), PageState::PreGuest);
}

#[test]
fn rule_entry_free() {
    let mut map = machine();
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    let vmsa = abi_snp::PageType::VMSA;
    map.launch_update(Gpa(0), PageSize::Size4K, vmsa, VmplPermissions::NONE).unwrap();
    map.enter_save_area(Gpa(0)).unwrap();
    let outcome = rescind(&mut map, 0, PageSize::Size4K);
    assert_eq!(broken(outcome), (FaultRule::EntryFree, PLAIN_ERROR));
    map.leave_save_area(Gpa(0));
    assert_eq!(rescind(&mut map, 0, PageSize::Size4K), DONE);
}

#[test]
fn rule_small_in_large() {
    let mut map = machine();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    for address in [LARGE, LARGE + SMALL] {
        let outcome = validate(&mut map, address, PageSize::Size4K);
        assert_eq!(broken(outcome), (FaultRule::SmallInLarge, Some(0xc_8000_0005)));
    }
    // What the hypervisor is expected to do about it.
    map.psmash(Gpa(LARGE)).unwrap();
    assert_eq!(validate(&mut map, LARGE + SMALL, PageSize::Size4K), DONE);
    assert_eq!(state(&map, LARGE), PageState::GuestInvalid);
}

#[test]
fn rule_large_in_small() {
    let mut map = machine();
    for page in 0..512 {
        assign(&mut map, Gpa(LARGE + page * SMALL), PageSize::Size4K);
    }
    let outcome = validate(&mut map, LARGE, PageSize::Size2M);
    assert_eq!(outcome, refused(RefusalRule::LargeInSmall));
    assert_eq!(state(&map, LARGE), PageState::GuestInvalid);
    // Before that, somebody has to own them.
    let outcome = validate(&mut map, 0, PageSize::Size2M);
    assert_eq!(broken(outcome), (FaultRule::GuestOwned, PLAIN_ERROR));
}

#[test]
fn a_shared_mapping_differs_in_the_error_code_only() {
    let mut map = machine();
    let shared = |gpa| {
        move |_| {
            Ok::<_, core::convert::Infallible>(Translation { gpa, encryption: Encryption::Shared })
        }
    };
    let registers = pvalidate(0, PageSize::Size4K, 1);
    let outcome = map.pvalidate(&registers, &VMPL0, shared(Gpa(0))).unwrap();
    assert_eq!(broken(outcome), (FaultRule::GuestOwned, Some(0x8000_0005)));
    assign(&mut map, Gpa(0), PageSize::Size4K);
    assert_eq!(map.pvalidate(&registers, &VMPL0, shared(Gpa(0))), Ok(DONE));
}

#[test]
fn each_end_is_counted() {
    let mut map = machine();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    validate(&mut map, LARGE, PageSize::Size2M);
    validate(&mut map, LARGE, PageSize::Size2M);
    validate(&mut map, LARGE, PageSize::Size4K);
    rescind(&mut map, LARGE, PageSize::Size2M);
    let user = Execution::user(Vmpl::Vmpl2);
    map.pvalidate(&pvalidate(0, PageSize::Size4K, 1), &user, unreached).unwrap();
    let count = |operation, page_size, vmpl, ending| {
        map.statistics().count(Event { operation, page_size, vmpl: Some(vmpl), ending })
    };
    let (large, small) = (PageSize::Size2M, PageSize::Size4K);
    let counts = [
        count(Operation::Validate, large, Vmpl::Vmpl0, Ending::Done),
        count(Operation::Validate, large, Vmpl::Vmpl0, Ending::Unchanged),
        count(Operation::Validate, small, Vmpl::Vmpl0, Ending::NestedPageFault),
        count(Operation::Rescind, large, Vmpl::Vmpl0, Ending::Done),
        count(Operation::Validate, small, Vmpl::Vmpl2, Ending::GeneralProtection),
    ];
    assert_eq!(counts, [1; 5]);
}
