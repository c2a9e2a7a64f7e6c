//! Accesses, rule by rule.

extern crate std;

use std::vec::Vec;

use abi_snp::{PageType, VmplPermissions};

use super::*;
use crate::reverse_map::fault::FaultKind;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::samples::{
    LARGE, NO_LOWER, NOWHERE, SMALL, VMPL0, VMPL1, VMPL2, assign, launch, launch_as, machine,
};
use abi_snp::Vmpl;

const READ: PagePermissions = PagePermissions::READ;
const WRITE: PagePermissions = PagePermissions::WRITE;

/// A private access of one byte, mapped with 4 KiB.
fn private(gpa: u64, kind: AccessKind) -> Access {
    Access {
        gpa: Gpa(gpa),
        length: 1,
        kind,
        encryption: Encryption::Private,
        nested_page_size: PageSize::Size4K,
    }
}

fn shared(gpa: u64, kind: AccessKind) -> Access {
    Access { encryption: Encryption::Shared, ..private(gpa, kind) }
}

/// The rule that is broken, and the error code of a nested page fault.
fn broken(result: Result<(), Fault>) -> (FaultRule, Option<u64>) {
    match result.unwrap_err() {
        Fault { rule, kind: FaultKind::NestedPageFault { error, .. } } => {
            (rule, Some(error.bits()))
        }
        Fault { rule, .. } => (rule, None),
    }
}

/// Whether the processor takes an access of this kind as private when C = 0.
fn always_private(kind: AccessKind) -> bool {
    matches!(kind, AccessKind::Fetch | AccessKind::TableRead | AccessKind::TableUpdate)
}

#[test]
fn vmpl0_may_do_everything_with_a_validated_page() {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    let features = SevFeatures::SNP_ACTIVE | SevFeatures::VMPL_SUPERVISOR_SHADOW_STACK;
    for execution in [VMPL0, Execution::user(Vmpl::Vmpl0), Execution { features, ..VMPL0 }] {
        for kind in AccessKind::ALL {
            assert_eq!(map.check(&private(8, kind), &execution), Ok(()), "{kind:?}");
            let large =
                Access { nested_page_size: PageSize::Size2M, ..private(2 * LARGE - 1, kind) };
            assert_eq!(map.check(&large, &execution), Ok(()), "{kind:?}");
        }
    }
}

#[test]
fn shared_memory_is_the_hypervisors_or_not_covered() {
    let map = machine();
    for gpa in [0, NOWHERE.0] {
        for kind in AccessKind::ALL {
            let result = map.check(&shared(gpa, kind), &VMPL2);
            assert_eq!(result.is_ok(), !always_private(kind), "{kind:?}");
        }
    }
}

#[test]
fn shared_reads_are_not_checked() {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    map.rmpupdate(Gpa(SMALL), PageSize::Size4K, Assignment::Immutable).unwrap();
    for gpa in [0, SMALL] {
        assert_eq!(map.check(&shared(gpa, AccessKind::Read), &VMPL2), Ok(()));
    }
}

#[test]
fn rule_rmp_covered() {
    let map = machine();
    let result = map.check(&private(NOWHERE.0, AccessKind::Read), &VMPL0);
    assert_eq!(broken(result), (FaultRule::RmpCovered, Some(0x5_8000_0005)));
}

#[test]
fn rule_guest_owned() {
    let map = machine();
    let expected = [
        (AccessKind::Read, 0x5_8000_0005),
        (AccessKind::Write, 0x5_8000_0007),
        (AccessKind::Fetch, 0x5_8000_0015),
        (AccessKind::TableRead, 0x6_8000_0005),
        (AccessKind::TableUpdate, 0x6_8000_0007),
        (AccessKind::SupervisorShadowStackRead, 0x5_8000_0045),
        (AccessKind::SupervisorShadowStackWrite, 0x5_8000_0047),
        (AccessKind::UserShadowStackRead, 0x5_8000_0045),
        (AccessKind::UserShadowStackWrite, 0x5_8000_0047),
    ];
    assert_eq!(expected.map(|(kind, _)| kind), AccessKind::ALL);
    for (kind, error) in expected {
        let result = map.check(&private(0, kind), &VMPL0);
        assert_eq!(broken(result), (FaultRule::GuestOwned, Some(error)), "{kind:?}");
        if always_private(kind) {
            let result = map.check(&shared(0, kind), &VMPL0);
            assert_eq!(broken(result), (FaultRule::GuestOwned, Some(error)), "{kind:?}");
        }
    }
}

#[test]
fn rule_reverse_map() {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    map.remap(Gpa(0)).unwrap();
    let result = map.check(&private(0, AccessKind::Read), &VMPL0);
    assert_eq!(broken(result), (FaultRule::ReverseMap, Some(0x5_8000_0005)));
}

#[test]
fn rule_mutable() {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    let result = map.check(&private(0, AccessKind::Read), &VMPL0);
    assert_eq!(broken(result), (FaultRule::Mutable, Some(0x5_8000_0005)));
}

#[test]
fn rule_page_size() {
    let mut map = machine();
    launch(&mut map, Gpa(0), PageSize::Size4K);
    launch(&mut map, Gpa(LARGE), PageSize::Size2M);
    for (gpa, nested_page_size) in [(0, PageSize::Size2M), (LARGE, PageSize::Size4K)] {
        let access = Access { nested_page_size, ..private(gpa, AccessKind::Read) };
        let result = map.check(&access, &VMPL0);
        // Not `SIZEM`: that is for instructions.
        assert_eq!(broken(result), (FaultRule::PageSize, Some(0x5_8000_0005)));
    }
}

#[test]
fn rule_validated() {
    let mut map = machine();
    assign(&mut map, Gpa(SMALL), PageSize::Size4K);
    for kind in AccessKind::ALL {
        let fault = map.check(&private(SMALL + 8, kind), &VMPL2).unwrap_err();
        let kind = FaultKind::PageNotValidated { gpa: Gpa(SMALL + 8) };
        assert_eq!(fault, Fault { rule: FaultRule::Validated, kind });
    }
}

#[test]
fn rule_vmpl() {
    let x_user = PagePermissions::EXECUTE_USER;
    let x_supervisor = PagePermissions::EXECUTE_SUPERVISOR;
    let needs = [
        (AccessKind::Read, VMPL1, READ),
        (AccessKind::Write, VMPL1, READ | WRITE),
        (AccessKind::Fetch, VMPL1, x_supervisor),
        (AccessKind::Fetch, Execution { cpl: Cpl::Cpl2, ..VMPL1 }, x_supervisor),
        (AccessKind::Fetch, Execution::user(Vmpl::Vmpl1), x_user),
        (AccessKind::TableRead, VMPL1, READ),
        (AccessKind::TableUpdate, VMPL1, WRITE),
        // Without the feature, shadow stacks are data.
        (AccessKind::SupervisorShadowStackRead, VMPL1, READ),
        (AccessKind::SupervisorShadowStackWrite, VMPL1, WRITE),
        (AccessKind::UserShadowStackRead, VMPL1, READ),
        (AccessKind::UserShadowStackWrite, VMPL1, WRITE),
    ];
    for granted in (0..32).map(PagePermissions::from_bits_retain) {
        let mut map = machine();
        let lower = VmplPermissions { vmpl1: granted, ..NO_LOWER };
        launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::NORMAL, lower);
        for (kind, execution, needed) in needs {
            let result = map.check(&private(0, kind), &execution);
            assert_eq!(result.is_ok(), granted.contains(needed), "{kind:?} {granted:?}");
            if let Err(fault) = result {
                let FaultKind::NestedPageFault { error, .. } = fault.kind else {
                    panic!("{fault:?}");
                };
                assert!(error.contains(NestedFaultError::VMPL | NestedFaultError::REVERSE_MAP));
                assert!(!error.contains(NestedFaultError::SUPERVISOR_SHADOW_STACK));
            }
        }
        // What VMPL1 has is nobody else's.
        assert_eq!(map.check(&private(0, AccessKind::Read), &VMPL0), Ok(()));
        let result = map.check(&private(0, AccessKind::Read), &VMPL2);
        assert_eq!(broken(result), (FaultRule::Vmpl, Some(0x15_8000_0005)));
    }
}

#[test]
fn rule_write_needs_read() {
    let mut map = machine();
    let lower = VmplPermissions { vmpl1: WRITE, ..NO_LOWER };
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::NORMAL, lower);
    let result = map.check(&private(0, AccessKind::Write), &VMPL1);
    assert_eq!(broken(result), (FaultRule::WriteNeedsRead, Some(0x15_8000_0007)));
    let result = map.check(&private(0, AccessKind::Read), &VMPL1);
    assert_eq!(broken(result), (FaultRule::Vmpl, Some(0x15_8000_0005)));
}

#[test]
fn vmpl_shadow_stacks_need_their_own_permission() {
    let features = SevFeatures::SNP_ACTIVE | SevFeatures::VMPL_SUPERVISOR_SHADOW_STACK;
    let execution = Execution { features, ..VMPL1 };
    let (read, write) =
        (AccessKind::SupervisorShadowStackRead, AccessKind::SupervisorShadowStackWrite);
    for granted in (0..32).map(PagePermissions::from_bits_retain) {
        let mut map = machine();
        let lower = VmplPermissions { vmpl1: granted, ..NO_LOWER };
        launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::NORMAL, lower);
        for (kind, data) in [(read, READ), (write, WRITE)] {
            let result = map.check(&private(0, kind), &execution);
            let allowed = granted.contains(PagePermissions::SUPERVISOR_SHADOW_STACK | data);
            assert_eq!(result.is_ok(), allowed, "{kind:?} {granted:?}");
            if !allowed {
                let (rule, error) = broken(result);
                let error = NestedFaultError::from_bits_retain(error.unwrap());
                let bit = error.contains(NestedFaultError::SUPERVISOR_SHADOW_STACK);
                assert_eq!(rule, FaultRule::Vmpl);
                assert_eq!(
                    bit,
                    granted.contains(PagePermissions::SUPERVISOR_SHADOW_STACK),
                    "{granted:?}"
                );
            }
        }
        let user = map.check(&private(0, AccessKind::UserShadowStackRead), &execution);
        assert_eq!(user.is_ok(), granted.contains(READ));
    }
}

#[test]
fn rule_shadow_stack_private() {
    let map = machine();
    let features = SevFeatures::SNP_ACTIVE | SevFeatures::VMPL_SUPERVISOR_SHADOW_STACK;
    let execution = Execution { features, ..VMPL0 };
    let kinds = AccessKind::ALL.into_iter().filter(|kind| kind.is_shadow_stack());
    let faults: Vec<_> =
        kinds.map(|kind| map.check(&shared(0, kind), &execution).unwrap_err()).collect();
    let codes = faults.iter().map(|fault| fault.kind.exception().unwrap().1.unwrap());
    assert!(codes.eq([0x49, 0x4b, 0x49, 0x4b]));
    assert!(faults.iter().all(|fault| fault.rule == FaultRule::ShadowStackPrivate));
    assert_eq!(map.check(&shared(0, AccessKind::Write), &execution), Ok(()));
}

#[test]
fn rule_hypervisor_owned() {
    let mut map = machine();
    assign(&mut map, Gpa(0), PageSize::Size4K);
    map.remap(Gpa(SMALL)).unwrap();
    for gpa in [0, SMALL] {
        let result = map.check(&shared(gpa, AccessKind::Write), &VMPL2);
        assert_eq!(broken(result), (FaultRule::HypervisorOwned, Some(0x1_8000_0007)));
    }
    assert_eq!(map.check(&shared(2 * SMALL, AccessKind::Write), &VMPL2), Ok(()));
}

#[test]
fn all_2_mib_of_a_large_mapping_have_to_be_the_hypervisors() {
    let mut map = machine();
    let access = Access {
        nested_page_size: PageSize::Size2M,
        ..shared(LARGE + 8 * SMALL, AccessKind::Write)
    };
    assert_eq!(map.check(&access, &VMPL0), Ok(()));
    for gpa in [LARGE, 2 * LARGE - SMALL] {
        assign(&mut map, Gpa(gpa), PageSize::Size4K);
        assert_eq!(broken(map.check(&access, &VMPL0)).0, FaultRule::HypervisorOwned);
        map.rmpupdate(Gpa(gpa), PageSize::Size4K, Assignment::Hypervisor).unwrap();
    }
    for gpa in [LARGE - SMALL, 2 * LARGE] {
        assign(&mut map, Gpa(gpa), PageSize::Size4K);
    }
    assert_eq!(map.check(&access, &VMPL0), Ok(()));
}

#[test]
fn checks_come_in_the_manuals_order() {
    let mut map = machine();
    // Breaks every rule; then they are mended one by one.
    let access = Access { nested_page_size: PageSize::Size2M, ..private(0, AccessKind::Read) };
    let rule = |map: &ReverseMap, access: &Access| broken(map.check(access, &VMPL2)).0;
    assert_eq!(rule(&map, &access), FaultRule::GuestOwned);
    map.rmpupdate(Gpa(0), PageSize::Size4K, Assignment::Immutable).unwrap();
    map.remap(Gpa(0)).unwrap();
    assert_eq!(rule(&map, &access), FaultRule::ReverseMap);
    map.map_back(Gpa(0)).unwrap();
    assert_eq!(rule(&map, &access), FaultRule::Mutable);
    map.page_reclaim(Gpa(0), PageSize::Size4K).unwrap();
    assert_eq!(rule(&map, &access), FaultRule::PageSize);
    let access = private(0, AccessKind::Read);
    assert_eq!(rule(&map, &access), FaultRule::Validated);
    crate::reverse_map::samples::validate(&mut map, 0, PageSize::Size4K);
    assert_eq!(rule(&map, &access), FaultRule::Vmpl);
    assert_eq!(map.check(&access, &VMPL0), Ok(()));
}

#[test]
fn an_access_reports_the_first_page_that_forbids_it() {
    let mut map = machine();
    for page in [0, 1, 3] {
        launch(&mut map, Gpa(page * SMALL), PageSize::Size4K);
    }
    let check = |gpa: u64, length: u16| {
        map.check(&Access { length, ..private(gpa, AccessKind::Read) }, &VMPL0)
    };
    assert_eq!(check(SMALL - 1, 2), Ok(()));
    assert_eq!(check(0x10, 2 * SMALL as u16 - 0x10), Ok(()));
    let gpa_of = |result: Result<(), Fault>| match result.unwrap_err().kind {
        FaultKind::NestedPageFault { gpa, .. } => gpa,
        other => panic!("{other:?}"),
    };
    assert_eq!(gpa_of(check(0x10, 2 * SMALL as u16 - 0xf)), Gpa(2 * SMALL));
    assert_eq!(gpa_of(check(SMALL - 1, 4 * SMALL as u16)), Gpa(2 * SMALL));
    assert_eq!(gpa_of(check(2 * SMALL + 8, 8)), Gpa(2 * SMALL + 8));
}

#[test]
fn no_bytes_are_no_access_and_none_lie_above_the_top() {
    let map = machine();
    let nothing = Access { length: 0, ..private(NOWHERE.0, AccessKind::Write) };
    assert_eq!(map.check(&nothing, &VMPL2), Ok(()));
    let top = Access { length: u16::MAX, ..shared(u64::MAX - 7, AccessKind::Write) };
    assert_eq!(map.check(&top, &VMPL2), Ok(()));
}

#[test]
fn a_running_save_area_is_memory_like_any_other() {
    let mut map = machine();
    launch_as(&mut map, Gpa(0), PageSize::Size4K, PageType::VMSA, NO_LOWER);
    map.enter_save_area(Gpa(0)).unwrap();
    assert_eq!(map.check(&private(0, AccessKind::Write), &VMPL0), Ok(()));
    let result = map.check(&private(0, AccessKind::Write), &VMPL2);
    assert_eq!(broken(result).0, FaultRule::Vmpl);
}
