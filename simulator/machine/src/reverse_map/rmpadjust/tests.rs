//! RMPADJUST, rule by rule.

extern crate std;

use abi_snp::{PageType, SevFeatures, VmplPermissions};

use super::*;
use crate::execution::Cpl;
use crate::gpa::Gpa;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::samples::{
    DONE, LARGE, NOWHERE, SMALL, VMPL0, VMPL1, VMPL2, adjust, assign, broken, identity, launch,
    launch_as, machine, refused, rmpadjust, unreached,
};

const READ: PagePermissions = PagePermissions::READ;
const NOTHING: PagePermissions = PagePermissions::empty();
const PLAIN_ERROR: Option<u64> = Some(0x4_8000_0005);

fn permissions(map: &ReverseMap, gpa: u64) -> [PagePermissions; 4] {
    let entry = map.entry(Gpa(gpa)).unwrap();
    Vmpl::ALL.map(|vmpl| entry.permissions(vmpl))
}

/// A machine with one validated page of 4 KiB at 0.
fn small() -> ReverseMap {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    map
}

#[test]
fn vmpl0_grants_anything_to_each_level_below() {
    let mut map = small();
    for (target, granted) in [(Vmpl::Vmpl1, FULL_PERMISSIONS), (Vmpl::Vmpl3, READ)] {
        let registers = rmpadjust(0, PageSize::Size4K, target, granted);
        assert_eq!(adjust(&mut map, &VMPL0, &registers), DONE);
    }
    assert_eq!(permissions(&map, 0), [FULL_PERMISSIONS, FULL_PERMISSIONS, NOTHING, READ]);
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, NOTHING);
    assert_eq!(adjust(&mut map, &VMPL0, &registers), DONE);
    assert_eq!(permissions(&map, 0), [FULL_PERMISSIONS, NOTHING, NOTHING, READ]);
}

#[test]
fn the_whole_large_page_changes() {
    let mut map = machine();
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    let registers = rmpadjust(LARGE, PageSize::Size2M, Vmpl::Vmpl2, READ);
    assert_eq!(adjust(&mut map, &VMPL0, &registers), DONE);
    assert_eq!(permissions(&map, 2 * LARGE - SMALL)[2], READ);
}

#[test]
fn only_vmpl0_makes_save_areas() {
    let mut map = small();
    let grant = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, FULL_PERMISSIONS);
    let with_save_area =
        |registers: Registers| Registers { rdx: registers.rdx | 1 << 16, ..registers };
    let is_save_area = |map: &ReverseMap| map.entry(Gpa(0)).unwrap().is_save_area();

    assert_eq!(adjust(&mut map, &VMPL0, &with_save_area(grant)), DONE);
    assert!(is_save_area(&map));
    // Below VMPL0 the bit is not looked at, set or clear.
    let lower = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl2, READ);
    assert_eq!(adjust(&mut map, &VMPL1, &lower), DONE);
    assert!(is_save_area(&map));
    assert_eq!(adjust(&mut map, &VMPL0, &grant), DONE);
    assert!(!is_save_area(&map));
    assert_eq!(adjust(&mut map, &VMPL1, &with_save_area(lower)), DONE);
    assert!(!is_save_area(&map));
}

#[test]
fn failed_translation_is_handed_on() {
    let mut map = small();
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, READ);
    assert_eq!(map.rmpadjust(&registers, &VMPL0, |_| Err("#PF")), Err("#PF"));
    assert_eq!(permissions(&map, 0)[1], NOTHING);
}

fn early(registers: &Registers, execution: &Execution) -> Outcome {
    small().rmpadjust(registers, execution, unreached).unwrap()
}

#[test]
fn rule_snp_active() {
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, READ);
    let execution = Execution { features: SevFeatures::empty(), ..VMPL0 };
    assert_eq!(broken(early(&registers, &execution)), (FaultRule::SnpActive, None));
}

#[test]
fn rule_cpl0() {
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, READ);
    for cpl in [Cpl::Cpl1, Cpl::Cpl2, Cpl::Cpl3] {
        let execution = Execution { cpl, ..VMPL0 };
        assert_eq!(broken(early(&registers, &execution)), (FaultRule::Cpl0, None));
    }
}

#[test]
fn rule_reserved_bits() {
    for rdx in [0x2001, 0x8001, 1 | 1 << 17, 1 << 63] {
        let outcome = early(&Registers { rax: 0, rcx: 0, rdx }, &VMPL0);
        assert_eq!(outcome, refused(RefusalRule::ReservedBits), "{rdx:#x}");
    }
}

#[test]
fn rule_large_aligned() {
    let registers = rmpadjust(LARGE + SMALL, PageSize::Size2M, Vmpl::Vmpl1, READ);
    assert_eq!(early(&registers, &VMPL0), refused(RefusalRule::LargeAligned));
}

#[test]
fn rule_target_exists() {
    for target in [4, 0xff] {
        let outcome = early(&Registers { rax: 0, rcx: 0, rdx: target }, &VMPL0);
        assert_eq!(outcome, refused(RefusalRule::TargetExists));
    }
}

#[test]
fn rule_target_below() {
    // How Linux finds out that it does not run at VMPL0.
    let probe = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, NOTHING);
    for (own, target) in [(0, 0), (1, 0), (1, 1), (2, 1), (3, 3), (3, 0)] {
        let execution = Execution::kernel(Vmpl::from_number(own).unwrap());
        let registers = Registers { rdx: target, ..probe };
        let outcome = early(&registers, &execution);
        assert_eq!(outcome, refused(RefusalRule::TargetBelow), "{own} {target}");
    }
    assert_eq!(adjust(&mut small(), &VMPL0, &probe), DONE);
}

/// The rule that RMPADJUST of 4 KiB at `gpa` breaks.
fn broken_at(map: &mut ReverseMap, gpa: Gpa) -> (FaultRule, Option<u64>) {
    let registers = rmpadjust(gpa.0, PageSize::Size4K, Vmpl::Vmpl1, READ);
    broken(adjust(map, &VMPL0, &registers))
}

#[test]
fn rules_of_ownership() {
    let mut map = small();
    assert_eq!(broken_at(&mut map, NOWHERE), (FaultRule::RmpCovered, PLAIN_ERROR));
    assert_eq!(broken_at(&mut map, Gpa(SMALL)), (FaultRule::GuestOwned, PLAIN_ERROR));
    map.rmpupdate(Gpa(SMALL), PageSize::Size4K, Assignment::Immutable).unwrap();
    assert_eq!(broken_at(&mut map, Gpa(SMALL)), (FaultRule::Mutable, PLAIN_ERROR));
    map.remap(Gpa(0)).unwrap();
    assert_eq!(broken_at(&mut map, Gpa(0)), (FaultRule::ReverseMap, PLAIN_ERROR));
}

#[test]
fn rule_entry_free() {
    let mut map = machine();
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::VMSA, VmplPermissions::NONE);
    map.enter_save_area(Gpa(0)).unwrap();
    assert_eq!(broken_at(&mut map, Gpa(0)), (FaultRule::EntryFree, PLAIN_ERROR));
    map.leave_save_area(Gpa(0));
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, READ);
    assert_eq!(adjust(&mut map, &VMPL0, &registers), DONE);
}

#[test]
fn rule_small_in_large() {
    let mut map = machine();
    // The size comes before the validation.
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    let expected = (FaultRule::SmallInLarge, Some(0xc_8000_0005));
    assert_eq!(broken_at(&mut map, Gpa(LARGE + SMALL)), expected);
}

#[test]
fn rule_validated() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size4K);
    assert_eq!(broken_at(&mut map, Gpa(0)), (FaultRule::Validated, None));
    let registers = rmpadjust(0, PageSize::Size2M, Vmpl::Vmpl1, READ);
    let outcome = adjust(&mut map, &VMPL0, &registers);
    assert_eq!(broken(outcome), (FaultRule::Validated, None));
}

#[test]
fn rule_large_in_small() {
    let mut map = small();
    let registers = rmpadjust(0, PageSize::Size2M, Vmpl::Vmpl1, READ);
    assert_eq!(adjust(&mut map, &VMPL0, &registers), refused(RefusalRule::LargeInSmall));
}

#[test]
fn rule_within_own() {
    let mut map = machine();
    let own = READ | PagePermissions::EXECUTE_USER;
    let lower = VmplPermissions { vmpl1: own, ..VmplPermissions::NONE };
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::NORMAL, lower);
    let all = [
        READ,
        PagePermissions::WRITE,
        PagePermissions::EXECUTE_USER,
        PagePermissions::EXECUTE_SUPERVISOR,
        PagePermissions::SUPERVISOR_SHADOW_STACK,
    ];
    for permission in all {
        let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl2, permission);
        let expected =
            if own.contains(permission) { DONE } else { refused(RefusalRule::WithinOwn) };
        assert_eq!(adjust(&mut map, &VMPL1, &registers), expected, "{permission}");
    }
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl3, own);
    assert_eq!(adjust(&mut map, &VMPL1, &registers), DONE);
    assert_eq!(adjust(&mut map, &VMPL2, &registers), refused(RefusalRule::WithinOwn));
}

#[test]
fn what_was_granted_stays_when_the_granter_loses_it() {
    let mut map = small();
    let to = |target, granted| rmpadjust(0, PageSize::Size4K, target, granted);
    assert_eq!(adjust(&mut map, &VMPL0, &to(Vmpl::Vmpl1, READ)), DONE);
    assert_eq!(adjust(&mut map, &VMPL1, &to(Vmpl::Vmpl2, READ)), DONE);
    assert_eq!(adjust(&mut map, &VMPL0, &to(Vmpl::Vmpl1, NOTHING)), DONE);
    assert_eq!(permissions(&map, 0), [FULL_PERMISSIONS, NOTHING, READ, NOTHING]);
}

#[test]
fn each_end_is_counted() {
    let mut map = small();
    let registers = rmpadjust(0, PageSize::Size4K, Vmpl::Vmpl1, READ);
    adjust(&mut map, &VMPL0, &registers);
    adjust(&mut map, &VMPL2, &registers);
    map.rmpadjust(&registers, &Execution::user(Vmpl::Vmpl3), identity).unwrap();
    let count = |vmpl, ending| {
        map.statistics().count(Event {
            operation: Operation::Rmpadjust,
            page_size: PageSize::Size4K,
            vmpl: Some(vmpl),
            ending,
        })
    };
    let counts = [
        count(Vmpl::Vmpl0, Ending::Done),
        count(Vmpl::Vmpl2, Ending::FailPermission),
        count(Vmpl::Vmpl3, Ending::GeneralProtection),
    ];
    assert_eq!(counts, [1; 3]);
}
