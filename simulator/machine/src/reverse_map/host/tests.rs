//! RMPUPDATE, PSMASH and nested page tables that lie.

extern crate std;

use abi_snp::{PagePermissions, PageType, VmplPermissions};

use super::*;
use crate::reverse_map::entry::{FULL_PERMISSIONS, PageState};
use crate::reverse_map::samples::{
    DONE, LARGE, NOWHERE, SMALL, assign, launch, launch_as, machine, rescind, validate,
};
use abi_snp::Vmpl;

const ALL_ASSIGNMENTS: [Assignment; 3] =
    [Assignment::Hypervisor, Assignment::Guest, Assignment::Immutable];

fn state(map: &ReverseMap, gpa: u64) -> PageState {
    map.entry(Gpa(gpa)).unwrap().state()
}

fn lower() -> VmplPermissions {
    VmplPermissions { vmpl2: PagePermissions::all(), ..VmplPermissions::NONE }
}

#[test]
fn pages_begin_as_the_hypervisors() {
    let map = machine();
    assert!(map.pages().all(|(_, entry)| entry == Entry::HYPERVISOR));
    assert_eq!(map.pages().count(), 2048);
}

#[test]
fn an_assigned_page_is_vmpl0s_alone_and_not_validated() {
    for size in PageSize::ALL {
        let mut map = machine();
        map.rmpupdate(Gpa(LARGE), size, Assignment::Guest).unwrap();
        let entry = map.entry(Gpa(LARGE)).unwrap();
        assert_eq!((entry.state(), entry.page_size()), (PageState::GuestInvalid, size));
        let permissions = Vmpl::ALL.map(|vmpl| entry.permissions(vmpl));
        let none = PagePermissions::empty();
        assert_eq!(permissions, [FULL_PERMISSIONS, none, none, none]);
        assert!(!entry.is_save_area());
    }
}

#[test]
fn a_page_that_was_taken_away_comes_back_as_new() {
    for size in PageSize::ALL {
        let mut map = machine();
        launch_as(&mut map, Gpa(LARGE), size, PageType::NORMAL, lower());
        map.rmpupdate(Gpa(LARGE), size, Assignment::Hypervisor).unwrap();
        assert_eq!(map.entry(Gpa(LARGE)), Some(Entry::HYPERVISOR));
        map.rmpupdate(Gpa(LARGE), size, Assignment::Guest).unwrap();
        assert_eq!(map.entry(Gpa(LARGE)), Some(Entry::assigned(size)));
    }
}

#[test]
fn a_page_that_stays_keeps_everything_but_immutable() {
    for size in PageSize::ALL {
        let mut map = machine();
        launch_as(&mut map, Gpa(LARGE), size, PageType::NORMAL, lower());
        let launched = map.entry(Gpa(LARGE));
        map.rmpupdate(Gpa(LARGE), size, Assignment::Guest).unwrap();
        assert_eq!(map.entry(Gpa(LARGE)), launched);
        map.rmpupdate(Gpa(LARGE), size, Assignment::Immutable).unwrap();
        assert_eq!(state(&map, LARGE), PageState::PreSwap);
        map.page_reclaim(Gpa(LARGE), size).unwrap();
        assert_eq!(map.entry(Gpa(LARGE)), launched);
    }
}

#[test]
fn neighbours_are_left_alone() {
    let mut map = machine();
    launch(&mut map, Gpa(LARGE - SMALL), PageSize::Size4K);
    launch(&mut map, Gpa(2 * LARGE), PageSize::Size4K);
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    map.rmpupdate(Gpa(LARGE), PageSize::Size2M, Assignment::Hypervisor).unwrap();
    assert_eq!(state(&map, LARGE - SMALL), PageState::GuestValid);
    assert_eq!(state(&map, 2 * LARGE), PageState::GuestValid);
}

#[test]
fn rule_host_target() {
    let mut map = machine();
    for assignment in ALL_ASSIGNMENTS {
        let mut update = |gpa, size| map.rmpupdate(gpa, size, assignment);
        let refusal = Err(RefusalRule::HostTarget);
        assert_eq!(update(NOWHERE, PageSize::Size4K), refusal);
        assert_eq!(update(Gpa(1), PageSize::Size4K), refusal);
        assert_eq!(update(Gpa(SMALL), PageSize::Size2M), refusal);
        assert_eq!(update(Gpa(4 * LARGE), PageSize::Size2M), refusal);
    }
    assert_eq!(map.psmash(Gpa(SMALL)), Err(RefusalRule::HostTarget));
    assert_eq!(map.psmash(NOWHERE), Err(RefusalRule::HostTarget));
    assert_eq!(map.remap(NOWHERE), Err(RefusalRule::HostTarget));
    assert_eq!(map.map_back(NOWHERE), Err(RefusalRule::HostTarget));
}

#[test]
fn rule_host_mutable() {
    let mut map = machine();
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    map.rmpupdate(Gpa(LARGE), PageSize::Size2M, Assignment::Immutable).unwrap();
    for assignment in ALL_ASSIGNMENTS {
        for (gpa, size) in [(0, PageSize::Size4K), (LARGE, PageSize::Size2M)] {
            let result = map.rmpupdate(Gpa(gpa), size, assignment);
            assert_eq!(result, Err(RefusalRule::HostMutable));
        }
    }
    assert_eq!(state(&map, 0), PageState::PreGuest);
}

#[test]
fn rule_host_not_in_use() {
    let mut map = machine();
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::VMSA, VmplPermissions::NONE);
    map.enter_save_area(Gpa(0)).unwrap();
    for assignment in ALL_ASSIGNMENTS {
        let result = map.rmpupdate(Gpa(0), PageSize::Size4K, assignment);
        assert_eq!(result, Err(RefusalRule::HostNotInUse));
    }
    map.leave_save_area(Gpa(0));
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Hypervisor).unwrap();
}

#[test]
fn rule_host_not_in_use_holds_for_psmash() {
    let mut map = machine();
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    // Nothing stops VMPL0 from making a save area of 2 MiB.
    let registers =
        crate::reverse_map::instruction::Registers { rax: LARGE, rcx: 1, rdx: 1 | 1 << 16 };
    let vmpl0 = crate::reverse_map::samples::VMPL0;
    assert_eq!(crate::reverse_map::samples::adjust(&mut map, &vmpl0, &registers), DONE);
    map.enter_save_area(Gpa(LARGE)).unwrap();
    assert_eq!(map.psmash(Gpa(LARGE)), Err(RefusalRule::HostNotInUse));
}

#[test]
fn rule_host_overlap() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size2M);
    assign(&mut map, Gpa(LARGE + 511 * SMALL), PageSize::Size4K);
    for assignment in ALL_ASSIGNMENTS {
        for gpa in [0, SMALL, LARGE - SMALL] {
            let result = map.rmpupdate(Gpa(gpa), PageSize::Size4K, assignment);
            assert_eq!(result, Err(RefusalRule::HostOverlap), "{gpa:#x}");
        }
        let result = map.rmpupdate(Gpa(LARGE), PageSize::Size2M, assignment);
        assert_eq!(result, Err(RefusalRule::HostOverlap));
    }
    map.rmpupdate(Gpa(LARGE + 511 * SMALL), PageSize::Size4K, Assignment::Hypervisor).unwrap();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
}

#[test]
fn shared_memory_can_be_updated_in_either_size() {
    let mut map = machine();
    map.rmpupdate(Gpa(0), PageSize::Size2M, Assignment::Hypervisor).unwrap();
    map.rmpupdate(Gpa(SMALL), PageSize::Size4K, Assignment::Hypervisor).unwrap();
    assert_eq!(map.entry(Gpa(0)), Some(Entry::HYPERVISOR));
}

#[test]
fn psmash_keeps_all_but_the_size() {
    let mut map = machine();
    launch_as(&mut map, Gpa(LARGE), PageSize::Size2M, PageType::NORMAL, lower());
    let before = map.entry(Gpa(LARGE)).unwrap();
    map.psmash(Gpa(LARGE)).unwrap();
    for page in 0..512 {
        let entry = map.entry(Gpa(LARGE + page * SMALL)).unwrap();
        assert_eq!(entry.page_size(), PageSize::Size4K);
        assert_eq!(entry.state(), PageState::GuestValid);
        assert_eq!(entry.permissions(Vmpl::Vmpl2), before.permissions(Vmpl::Vmpl2));
    }
    assert_eq!(rescind(&mut map, LARGE + SMALL, PageSize::Size4K), DONE);
    assert_eq!(state(&map, LARGE), PageState::GuestValid);
    assert_eq!(map.entry(Gpa(2 * LARGE)), Some(Entry::HYPERVISOR));
}

#[test]
fn rule_smashable() {
    let mut map = machine();
    // The hypervisor's own, small pages, an immutable one.
    assert_eq!(map.psmash(Gpa(0)), Err(RefusalRule::Smashable));
    assign(&mut map, Gpa(0), PageSize::Size4K);
    assert_eq!(map.psmash(Gpa(0)), Err(RefusalRule::Smashable));
    map.rmpupdate(Gpa(LARGE), PageSize::Size2M, Assignment::Immutable).unwrap();
    assert_eq!(map.psmash(Gpa(LARGE)), Err(RefusalRule::Smashable));
}

#[test]
fn a_remapped_page_is_new_once_it_is_assigned_there() {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    map.remap(Gpa(0)).unwrap();
    assert!(map.entry(Gpa(0)).unwrap().is_remapped());
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Guest).unwrap();
    assert_eq!(map.entry(Gpa(0)), Some(Entry::assigned(PageSize::Size4K)));
}

#[test]
fn mapping_back_undoes_remapping() {
    let mut map = machine();
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    let before = map.entry(Gpa(LARGE));
    map.remap(Gpa(LARGE + SMALL)).unwrap();
    assert!(map.entry(Gpa(LARGE)).unwrap().is_remapped());
    map.map_back(Gpa(2 * LARGE - 1)).unwrap();
    assert_eq!(map.entry(Gpa(LARGE)), before);
}

#[test]
fn large_pages_forget_what_their_parts_were() {
    let mut map = machine();
    map.remap(Gpa(LARGE + SMALL)).unwrap();
    assign(&mut map, Gpa(LARGE), PageSize::Size2M);
    assert_eq!(validate(&mut map, LARGE, PageSize::Size2M), DONE);
    map.rmpupdate(Gpa(LARGE), PageSize::Size2M, Assignment::Hypervisor).unwrap();
    assert_eq!(map.entry(Gpa(LARGE + SMALL)), Some(Entry::HYPERVISOR));
}

#[test]
fn each_end_is_counted() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size2M);
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Hypervisor).unwrap_err();
    map.psmash(Gpa(0)).unwrap();
    map.psmash(Gpa(0)).unwrap_err();
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Hypervisor).unwrap();
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    let (small, large) = (PageSize::Size4K, PageSize::Size2M);
    let expected = [
        (Operation::MakePrivate, large, Ending::Done),
        (Operation::MakeShared, small, Ending::Done),
        (Operation::MakeShared, small, Ending::FailOverlap),
        (Operation::MakeImmutable, small, Ending::Done),
        (Operation::Psmash, large, Ending::Done),
        (Operation::Psmash, large, Ending::FailBadAddress),
    ]
    .map(|(operation, page_size, ending)| (Event { operation, page_size, vmpl: None, ending }, 1));
    assert!(map.statistics().events().eq(expected));
}
