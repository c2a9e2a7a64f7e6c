//! Launching, giving back and joining pages.

extern crate std;

use abi_snp::PagePermissions;

use super::*;
use crate::reverse_map::entry::FULL_PERMISSIONS;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::samples::{
    LARGE, NO_LOWER, NOWHERE, SMALL, assign, launch, launch_as, machine,
};
use abi_snp::Vmpl;

const ANY: PageType = PageType::NORMAL;

fn immutable(map: &mut ReverseMap, gpa: u64, size: PageSize) {
    map.rmpupdate(Gpa(gpa), size, Assignment::Immutable).unwrap();
}

fn state(map: &ReverseMap, gpa: u64) -> PageState {
    map.entry(Gpa(gpa)).unwrap().state()
}

#[test]
fn a_launched_page_is_validated_with_its_permissions() {
    let lower = VmplPermissions {
        vmpl1: PagePermissions::READ,
        vmpl2: PagePermissions::all(),
        vmpl3: PagePermissions::EXECUTE_USER,
    };
    for size in PageSize::ALL {
        let mut map = machine();
        immutable(&mut map, LARGE, size);
        assert_eq!(state(&map, LARGE), PageState::PreGuest);
        map.launch_update(Gpa(LARGE), size, ANY, lower).unwrap();
        let entry = map.entry(Gpa(LARGE)).unwrap();
        assert_eq!((entry.state(), entry.page_size()), (PageState::GuestValid, size));
        let expected = [FULL_PERMISSIONS, lower.vmpl1, lower.vmpl2, lower.vmpl3];
        assert_eq!(Vmpl::ALL.map(|vmpl| entry.permissions(vmpl)), expected);
    }
}

#[test]
fn save_areas_are_marked_and_small() {
    let small_only = [PageType::VMSA, PageType::SECRETS, PageType::CPUID];
    let any_size = [PageType::NORMAL, PageType::ZERO, PageType::UNMEASURED];
    for page_type in small_only.into_iter().chain(any_size) {
        let mut map = machine();
        launch_as(&mut map, Gpa(0), PageSize::Size4K, page_type, NO_LOWER);
        let is_save_area = map.entry(Gpa(0)).unwrap().is_save_area();
        assert_eq!(is_save_area, page_type == PageType::VMSA, "{page_type}");

        immutable(&mut map, LARGE, PageSize::Size2M);
        let result = map.launch_update(Gpa(LARGE), PageSize::Size2M, page_type, NO_LOWER);
        let expected = if small_only.contains(&page_type) {
            Err(FirmwareRefusal::InvalidPageSize)
        } else {
            Ok(())
        };
        assert_eq!(result, expected, "{page_type}");
    }
}

#[test]
fn only_pages_handed_over_are_launched() {
    let mut map = machine();
    let launch = |map: &mut ReverseMap, gpa, size, page_type| {
        map.launch_update(Gpa(gpa), size, page_type, NO_LOWER)
    };
    let small = PageSize::Size4K;
    let not_handed_over = Err(FirmwareRefusal::InvalidPageState);
    assert_eq!(launch(&mut map, 0, small, ANY), not_handed_over);
    assign(&mut map, Gpa(0), small);
    assert_eq!(launch(&mut map, 0, small, ANY), not_handed_over);
    immutable(&mut map, 0, small);
    let unknown = launch(&mut map, 0, small, PageType(7));
    assert_eq!(unknown, Err(FirmwareRefusal::InvalidParam));
    let wrong_size = launch(&mut map, 0, PageSize::Size2M, ANY);
    assert_eq!(wrong_size, Err(FirmwareRefusal::InvalidPageSize));
    assert_eq!(launch(&mut map, 1, small, ANY), Err(FirmwareRefusal::InvalidAddress));
    assert_eq!(launch(&mut map, NOWHERE.0, small, ANY), Err(FirmwareRefusal::InvalidAddress));
    assert_eq!(state(&map, 0), PageState::PreGuest);
    assert_eq!(launch(&mut map, 0, small, ANY), Ok(()));
    // Validated pages are not launched again.
    assert_eq!(launch(&mut map, 0, small, ANY), not_handed_over);
    immutable(&mut map, 0, small);
    assert_eq!(launch(&mut map, 0, small, ANY), not_handed_over);
}

#[test]
fn parts_of_a_large_page_are_not_launched() {
    let mut map = machine();
    immutable(&mut map, LARGE, PageSize::Size2M);
    let part = map.launch_update(Gpa(LARGE + SMALL), PageSize::Size2M, ANY, NO_LOWER);
    assert_eq!(part, Err(FirmwareRefusal::InvalidAddress));
    let part = map.launch_update(Gpa(LARGE + SMALL), PageSize::Size4K, ANY, NO_LOWER);
    assert_eq!(part, Err(FirmwareRefusal::InvalidPageSize));
}

#[test]
fn reclaimed_pages_are_what_they_were_before() {
    let mut map = machine();
    immutable(&mut map, 0, PageSize::Size4K);
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    immutable(&mut map, LARGE, PageSize::Size2M);
    map.page_reclaim(Gpa(0), PageSize::Size4K).unwrap();
    map.page_reclaim(Gpa(LARGE), PageSize::Size2M).unwrap();
    assert_eq!(state(&map, 0), PageState::GuestInvalid);
    assert_eq!(state(&map, LARGE), PageState::GuestValid);
    // Again, and for a page that never was immutable: nothing to do.
    let before = map.entry(Gpa(0));
    map.page_reclaim(Gpa(0), PageSize::Size4K).unwrap();
    map.page_reclaim(Gpa(SMALL), PageSize::Size4K).unwrap();
    assert_eq!(map.entry(Gpa(0)), before);
    assert_eq!(state(&map, SMALL), PageState::Hypervisor);
}

#[test]
fn reclaiming_names_the_page_as_it_is() {
    let mut map = machine();
    immutable(&mut map, LARGE, PageSize::Size2M);
    let reclaim = |map: &mut ReverseMap, gpa, size| map.page_reclaim(Gpa(gpa), size);
    let wrong_size = reclaim(&mut map, LARGE, PageSize::Size4K);
    assert_eq!(wrong_size, Err(FirmwareRefusal::InvalidPageSize));
    let part = reclaim(&mut map, LARGE + SMALL, PageSize::Size2M);
    assert_eq!(part, Err(FirmwareRefusal::InvalidAddress));
    let nowhere = reclaim(&mut map, NOWHERE.0, PageSize::Size4K);
    assert_eq!(nowhere, Err(FirmwareRefusal::InvalidAddress));
    assert_eq!(state(&map, LARGE), PageState::PreGuest);
}

/// A machine whose 512 pages from 2 MiB on are ready to be joined.
fn joinable() -> ReverseMap {
    let mut map = machine();
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    map.psmash(Gpa(LARGE)).unwrap();
    for page in 0..512 {
        immutable(&mut map, LARGE + page * SMALL, PageSize::Size4K);
    }
    map
}

#[test]
fn joined_pages_are_one_and_still_immutable() {
    let mut map = joinable();
    map.page_unsmash(Gpa(LARGE)).unwrap();
    let entry = map.entry(Gpa(LARGE + SMALL)).unwrap();
    assert_eq!((entry.page_size(), entry.state()), (PageSize::Size2M, PageState::PreSwap));
    map.page_reclaim(Gpa(LARGE), PageSize::Size2M).unwrap();
    assert_eq!(state(&map, 2 * LARGE - 1), PageState::GuestValid);
    // What was joined can be split again.
    map.psmash(Gpa(LARGE)).unwrap();
    assert_eq!(state(&map, 2 * LARGE - 1), PageState::GuestValid);
}

#[test]
fn pages_that_differ_are_not_joined() {
    let last = LARGE + 511 * SMALL;
    let spoil: [fn(&mut ReverseMap, u64); 5] = [
        // Mutable.
        |map, gpa| map.page_reclaim(Gpa(gpa), PageSize::Size4K).unwrap(),
        // The hypervisor's.
        |map, gpa| {
            map.page_reclaim(Gpa(gpa), PageSize::Size4K).unwrap();
            map.rmpupdate(Gpa(gpa), PageSize::Size4K, Assignment::Hypervisor).unwrap();
        },
        // Not validated.
        |map, gpa| {
            map.page_reclaim(Gpa(gpa), PageSize::Size4K).unwrap();
            map.rmpupdate(Gpa(gpa), PageSize::Size4K, Assignment::Hypervisor).unwrap();
            immutable(map, gpa, PageSize::Size4K);
        },
        // Other permissions.
        |map, gpa| {
            map.page_reclaim(Gpa(gpa), PageSize::Size4K).unwrap();
            map.rmpupdate(Gpa(gpa), PageSize::Size4K, Assignment::Hypervisor).unwrap();
            let lower = VmplPermissions { vmpl3: PagePermissions::READ, ..NO_LOWER };
            launch_as(map, Gpa(gpa), PageSize::Size4K, ANY, lower);
            immutable(map, gpa, PageSize::Size4K);
        },
        // Mapped elsewhere.
        |map, gpa| map.remap(Gpa(gpa)).unwrap(),
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        for gpa in [LARGE, last] {
            let mut map = joinable();
            spoil(&mut map, gpa);
            let result = map.page_unsmash(Gpa(LARGE));
            assert_eq!(result, Err(FirmwareRefusal::InvalidPageState), "{number} {gpa:#x}");
            assert_eq!(map.entry(Gpa(LARGE)).unwrap().page_size(), PageSize::Size4K);
        }
    }
}

#[test]
fn save_areas_are_not_joined() {
    let mut map = machine();
    for page in 0..512 {
        let gpa = Gpa(LARGE + page * SMALL);
        launch_as(&mut map, gpa, PageSize::Size4K, PageType::VMSA, NO_LOWER);
        immutable(&mut map, gpa.0, PageSize::Size4K);
    }
    assert_eq!(map.page_unsmash(Gpa(LARGE)), Err(FirmwareRefusal::InvalidPageState));
}

#[test]
fn what_cannot_be_joined_at_all() {
    let mut map = joinable();
    assert_eq!(map.page_unsmash(Gpa(LARGE + SMALL)), Err(FirmwareRefusal::InvalidParam));
    assert_eq!(map.page_unsmash(NOWHERE), Err(FirmwareRefusal::InvalidAddress));
    assert_eq!(map.page_unsmash(Gpa(0)), Err(FirmwareRefusal::InvalidPageState));
    map.page_unsmash(Gpa(LARGE)).unwrap();
    assert_eq!(map.page_unsmash(Gpa(LARGE)), Err(FirmwareRefusal::InvalidPageState));
}

#[test]
fn each_end_is_counted() {
    let mut map = machine();
    immutable(&mut map, 0, PageSize::Size4K);
    map.launch_update(Gpa(0), PageSize::Size4K, ANY, NO_LOWER).unwrap();
    map.launch_update(Gpa(0), PageSize::Size4K, ANY, NO_LOWER).unwrap_err();
    map.page_reclaim(Gpa(0), PageSize::Size4K).unwrap();
    map.page_unsmash(Gpa(0)).unwrap_err();
    let count = |operation, page_size, ending| {
        map.statistics().count(Event { operation, page_size, vmpl: None, ending })
    };
    let counts = [
        count(Operation::LaunchUpdate, PageSize::Size4K, Ending::Done),
        count(Operation::LaunchUpdate, PageSize::Size4K, Ending::FirmwareRefused),
        count(Operation::PageReclaim, PageSize::Size4K, Ending::Done),
        count(Operation::PageUnsmash, PageSize::Size2M, Ending::FirmwareRefused),
    ];
    assert_eq!(counts, [1; 4]);
}
