//! Which pages VMRUN enters.

extern crate std;

use abi_snp::PageType;

use super::*;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::samples::{
    DONE, NO_LOWER, NOWHERE, assign, launch, launch_as, machine, rescind,
};
use abi_snp::PageSize;

const SMALL: PageSize = PageSize::Size4K;

fn save_area() -> ReverseMap {
    let mut map = machine();
    launch_as(&mut map, Gpa(0), SMALL, PageType::VMSA, NO_LOWER);
    map
}

#[test]
fn a_save_area_is_entered_once_at_a_time() {
    let mut map = save_area();
    map.enter_save_area(Gpa(0)).unwrap();
    assert!(map.entry(Gpa(0)).unwrap().is_in_use());
    assert_eq!(map.enter_save_area(Gpa(0)), Err(EntryRefusal::InUse));
    map.leave_save_area(Gpa(0));
    assert!(!map.entry(Gpa(0)).unwrap().is_in_use());
    map.enter_save_area(Gpa(0)).unwrap();
}

#[test]
fn other_pages_are_not_entered() {
    let mut map = machine();
    let page = |rule| Err(EntryRefusal::Page(rule));
    assert_eq!(map.enter_save_area(NOWHERE), page(FaultRule::RmpCovered));
    assert_eq!(map.enter_save_area(Gpa(0)), page(FaultRule::GuestOwned));
    launch(&mut map, Gpa(0), SMALL);
    assert_eq!(map.enter_save_area(Gpa(0)), Err(EntryRefusal::NotSaveArea));
    assert!(!map.entry(Gpa(0)).unwrap().is_in_use());
}

#[test]
fn a_save_area_taken_away_is_not_entered() {
    let page = |rule| Err(EntryRefusal::Page(rule));
    let mut map = save_area();
    map.remap(Gpa(0)).unwrap();
    assert_eq!(map.enter_save_area(Gpa(0)), page(FaultRule::ReverseMap));
    map.map_back(Gpa(0)).unwrap();
    map.rmpupdate(Gpa(0), SMALL, Assignment::Immutable).unwrap();
    assert_eq!(map.enter_save_area(Gpa(0)), page(FaultRule::Mutable));
    map.page_reclaim(Gpa(0), SMALL).unwrap();
    map.rmpupdate(Gpa(0), SMALL, Assignment::Hypervisor).unwrap();
    assert_eq!(map.enter_save_area(Gpa(0)), page(FaultRule::GuestOwned));
    // Assigned again, it is no save area any more.
    assign(&mut map, Gpa(0), SMALL);
    assert_eq!(map.enter_save_area(Gpa(0)), Err(EntryRefusal::NotSaveArea));
}

#[test]
fn validation_is_not_looked_at() {
    let mut map = save_area();
    assert_eq!(rescind(&mut map, 0, SMALL), DONE);
    map.enter_save_area(Gpa(0)).unwrap();
}

#[test]
fn leaving_what_is_not_entered_changes_nothing() {
    let mut map = save_area();
    let before = map.entry(Gpa(0));
    map.leave_save_area(Gpa(0));
    map.leave_save_area(NOWHERE);
    assert_eq!(map.entry(Gpa(0)), before);
}
