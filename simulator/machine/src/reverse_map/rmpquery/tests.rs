//! RMPQUERY, rule by rule.

extern crate std;

use abi_snp::{PagePermissions, PageType, SevFeatures, VmplPermissions};

use super::*;
use crate::execution::Cpl;
use crate::gpa::Gpa;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::samples::{
    LARGE, NOWHERE, SMALL, VMPL0, VMPL1, assign, broken, identity, launch_as, machine, refused,
    unreached,
};

const PLAIN_ERROR: Option<u64> = Some(0x4_8000_0005);

fn query(map: &mut ReverseMap, execution: &Execution, address: u64, target: u64) -> Outcome {
    let registers = Registers { rax: address, rcx: u64::MAX, rdx: target };
    map.rmpquery(&registers, execution, identity).unwrap()
}

fn answer(rcx: u64, rdx: u64) -> Outcome {
    let completion = Completion { rcx: Some(rcx), rdx: Some(rdx), ..Completion::SUCCESS };
    Outcome::Complete(completion)
}

fn lower() -> VmplPermissions {
    VmplPermissions {
        vmpl1: PagePermissions::READ | PagePermissions::WRITE,
        vmpl2: PagePermissions::empty(),
        vmpl3: PagePermissions::all(),
    }
}

#[test]
fn answers_say_level_permissions_size_and_save_area() {
    let mut map = machine();
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::VMSA, lower());
    launch_as(&mut map, Gpa(LARGE), PageSize::Size2M, PageType::NORMAL, lower());
    assert_eq!(query(&mut map, &VMPL0, 0, 1), answer(0, 0x1_0301));
    assert_eq!(query(&mut map, &VMPL0, 0, 2), answer(0, 0x1_0002));
    assert_eq!(query(&mut map, &VMPL1, LARGE + SMALL, 3), answer(1, 0x1f03));
    let count = |page_size, vmpl| {
        let (operation, vmpl) = (Operation::Rmpquery, Some(vmpl));
        map.statistics().count(Event { operation, page_size, vmpl, ending: Ending::Done })
    };
    assert_eq!(count(PageSize::Size4K, Vmpl::Vmpl0), 2);
    assert_eq!(count(PageSize::Size2M, Vmpl::Vmpl1), 1);
}

#[test]
fn nothing_changes() {
    let mut map = machine();
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::VMSA, lower());
    let before = map.entry(Gpa(0));
    query(&mut map, &VMPL0, 0, 1);
    assert_eq!(map.entry(Gpa(0)), before);
}

#[test]
fn rules_before_the_translation() {
    let early = |execution: &Execution, target| {
        let registers = Registers { rax: 0, rcx: 0, rdx: target };
        machine().rmpquery(&registers, execution, unreached).unwrap()
    };
    let no_snp = Execution { features: SevFeatures::empty(), ..VMPL0 };
    assert_eq!(broken(early(&no_snp, 1)), (FaultRule::SnpActive, None));
    let user = Execution { cpl: Cpl::Cpl3, ..VMPL0 };
    assert_eq!(broken(early(&user, 1)), (FaultRule::Cpl0, None));
    assert_eq!(early(&VMPL0, 4), refused(RefusalRule::TargetExists));
    assert_eq!(early(&VMPL0, 0), refused(RefusalRule::TargetBelow));
    assert_eq!(early(&VMPL1, 1), refused(RefusalRule::TargetBelow));
}

#[test]
fn rules_of_the_page() {
    let mut map = machine();
    let broken_at = |map: &mut ReverseMap, gpa: Gpa| broken(query(map, &VMPL0, gpa.0, 1));
    assert_eq!(broken_at(&mut map, NOWHERE), (FaultRule::RmpCovered, PLAIN_ERROR));
    assert_eq!(broken_at(&mut map, Gpa(0)), (FaultRule::GuestOwned, PLAIN_ERROR));
    assign(&mut map, Gpa(0), PageSize::Size4K);
    assert_eq!(broken_at(&mut map, Gpa(0)), (FaultRule::Validated, None));
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    assert_eq!(broken_at(&mut map, Gpa(0)), (FaultRule::Mutable, PLAIN_ERROR));
    launch_as(&mut map, Gpa(SMALL), PageSize::Size4K, PageType::VMSA, lower());
    map.enter_save_area(Gpa(SMALL)).unwrap();
    assert_eq!(broken_at(&mut map, Gpa(SMALL)), (FaultRule::EntryFree, PLAIN_ERROR));
    map.leave_save_area(Gpa(SMALL));
    map.remap(Gpa(SMALL)).unwrap();
    assert_eq!(broken_at(&mut map, Gpa(SMALL)), (FaultRule::ReverseMap, PLAIN_ERROR));
}

#[test]
fn failed_translation_is_handed_on() {
    let registers = Registers { rax: 0, rcx: 0, rdx: 1 };
    assert_eq!(machine().rmpquery(&registers, &VMPL0, |_| Err("#PF")), Err("#PF"));
}
