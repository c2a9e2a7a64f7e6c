//! Addresses and numbers that no call takes: a case for each.

use abi_svsm::core_protocol::{CoreCallNumber, ListHeader};
use abi_svsm::{CallRegisters, ResultCode};

use super::guest::{APIC_IDS, Guest, list};
use super::model;

const ADDRESS: ResultCode = ResultCode::INVALID_ADDRESS;
const PARAMETER: ResultCode = ResultCode::INVALID_PARAMETER;

/// Pages that a guest must not reach, and what they are.
const FOREIGN: [(u64, &str); 9] = [
    (model::MODULES.start, "the module's"),
    (model::SAVE_AREA, "the own save area"),
    (model::MODULES_SAVE_AREA, "a save area of the module's"),
    (model::SHARED.start, "shared"),
    (model::ABSENT.start, "absent"),
    (model::END, "behind all memory"),
    (model::END + (1 << 30), "far behind all memory"),
    ((1 << 40) - 1, "the last with an address"),
    ((1 << 52) - 1, "behind all addresses"),
];

fn call(number: CoreCallNumber, rcx: u64) -> CallRegisters {
    CallRegisters { rax: number.0.into(), rcx, ..Default::default() }
}

fn refused(guest: &Guest, registers: CallRegisters, expected: ResultCode, what: &str) {
    let after = guest.call_with(registers);
    assert_eq!(ResultCode::from_rax(after.rax), expected, "{what}: {registers:x?}");
    assert_eq!(CallRegisters { rax: registers.rax, ..after }, registers, "{what}");
}

#[test]
fn addresses_that_are_not_aligned() {
    let guest = Guest::new();
    for (number, address) in [
        (CoreCallNumber::REMAP_CALLING_AREA, model::FREE.start * 4096 + 8),
        (CoreCallNumber::VALIDATE, model::LIST * 4096 + 4),
        (CoreCallNumber::CREATE_VCPU, model::FREE.start * 4096 + 1),
        (CoreCallNumber::DELETE_VCPU, model::SAVE_AREA * 4096 + 0x800),
        (CoreCallNumber::DEPOSIT_MEMORY, model::LIST * 4096 + 1),
        (CoreCallNumber::WITHDRAW_MEMORY, model::LIST * 4096 + 2),
    ] {
        refused(&guest, call(number, address), PARAMETER, "unaligned");
    }
}

#[test]
fn pages_that_are_not_the_guests() {
    let guest = Guest::new();
    let first_free = model::FREE.start * 4096;
    for (page, what) in FOREIGN {
        let address = page << 12;
        let own_save_area = page == model::SAVE_AREA;
        refused(&guest, call(CoreCallNumber::REMAP_CALLING_AREA, address), ADDRESS, what);
        refused(&guest, call(CoreCallNumber::VALIDATE, address), ADDRESS, what);
        refused(&guest, call(CoreCallNumber::DEPOSIT_MEMORY, address), ADDRESS, what);
        refused(&guest, call(CoreCallNumber::WITHDRAW_MEMORY, address), ADDRESS, what);
        refused(&guest, call(CoreCallNumber::DELETE_VCPU, address), PARAMETER, what);
        let create = call(CoreCallNumber::CREATE_VCPU, address);
        let apic_id = APIC_IDS[1].into();
        refused(&guest, CallRegisters { rdx: first_free, r8: apic_id, ..create }, ADDRESS, what);
        let create = call(CoreCallNumber::CREATE_VCPU, first_free);
        refused(&guest, CallRegisters { rdx: address, r8: apic_id, ..create }, ADDRESS, what);
        for flags in [0, 4, 8, 0xc] {
            let (result, next) = guest.validate(&[address | flags]);
            assert_eq!((result, next), (ADDRESS, 0), "{what}, {flags:#x}");
        }
        assert!(!own_save_area || guest.model().with(|state| state.pages[2].is_save_area));
    }
}

#[test]
fn calling_areas_stay_calling_areas() {
    let guest = Guest::new();
    assert_eq!(
        guest.create(model::FREE.start, model::SECOND_CALLING_AREA, APIC_IDS[1]),
        ResultCode::SUCCESS
    );
    for area in [model::CALLING_AREA, model::SECOND_CALLING_AREA] {
        for flags in [0, 8, 0xc] {
            assert_eq!(guest.validate(&[area << 12 | flags]), (ADDRESS, 0));
        }
        guest.write_list(list(0), ListHeader::new(1), &[area << 12]);
        let deposit = call(CoreCallNumber::DEPOSIT_MEMORY, list(0).address());
        refused(&guest, deposit, ADDRESS, "deposit");
        guest.model().with(|state| state.save_areas.insert(area, model::SaveArea::of_guest()));
        let create = CallRegisters {
            rdx: model::FREE.end * 4096 - 4096,
            r8: APIC_IDS[0].into(),
            ..call(CoreCallNumber::CREATE_VCPU, area << 12)
        };
        refused(&guest, create, ADDRESS, "as save area");
    }
    // Another's calling area is not reached: as list, as calling area.
    let second = model::SECOND_CALLING_AREA << 12;
    refused(&guest, call(CoreCallNumber::REMAP_CALLING_AREA, second), ADDRESS, "remap");
    refused(&guest, call(CoreCallNumber::VALIDATE, second + 8), ADDRESS, "list");
    refused(&guest, call(CoreCallNumber::WITHDRAW_MEMORY, second + 8), ADDRESS, "list");
}

#[test]
fn headers_that_make_no_sense() {
    let guest = Guest::new();
    let header = |entries, next| ListHeader { entries, next, reserved: 0xffff_ffff };
    for number in [CoreCallNumber::VALIDATE, CoreCallNumber::DEPOSIT_MEMORY] {
        for (offset, header) in [
            (0, header(0, 0)),
            (0, header(512, 0)),
            (0, header(0xffff, 0)),
            (0, header(1, 1)),
            (0, header(1, 0xffff)),
            (8, header(511, 0)),
            (0xff0, header(2, 0)),
            (0xff8, header(1, 0)),
            (0xff8, header(0, 0)),
        ] {
            let at = list(offset);
            // Behind the page lies another of the guest's.
            guest.write_list(at, header, &[]);
            refused(&guest, call(number, at.address()), PARAMETER, "header");
            assert_eq!(guest.next(at), header.next, "not written");
        }
    }
    refused(
        &guest,
        call(CoreCallNumber::WITHDRAW_MEMORY, list(0xff8).address()),
        PARAMETER,
        "full",
    );
}

#[test]
fn entries_that_make_no_sense() {
    let guest = Guest::new();
    let free = model::UNVALIDATED.start << 12 | 4;
    for word in [
        free | 2,
        free | 3,
        free | 0x10,
        free | 0x800,
        free | 0xff0,
        (model::UNVALIDATED_CHUNK + 1) << 12 | 5,
        (model::UNVALIDATED_CHUNK + 256) << 12 | 5,
        u64::MAX,
    ] {
        assert_eq!(guest.validate(&[word]), (PARAMETER, 0), "{word:#x}");
    }
    // Large pages at the end of addresses, and behind memory.
    for word in [!0x1f_ffff | 5, model::END << 12 | 5, model::END << 12 | 1] {
        assert_eq!(guest.validate(&[word]), (ADDRESS, 0), "{word:#x}");
    }
    for word in [4, 0x104, 2, (model::GUESTS_CHUNK + 1) << 12 | 1] {
        guest.write_list(list(0), ListHeader::new(1), &[word]);
        let deposit = call(CoreCallNumber::DEPOSIT_MEMORY, list(0).address());
        refused(&guest, deposit, PARAMETER, "deposit");
    }
}

#[test]
fn processors_that_there_are_not() {
    let guest = Guest::new();
    for apic_id in [0, 0x12, u32::MAX] {
        let result = guest.create(model::FREE.start, model::SECOND_CALLING_AREA, apic_id);
        assert_eq!(result, PARAMETER);
    }
}

#[test]
fn virtual_top_of_memory_that_makes_no_sense() {
    let guest = Guest::new();
    for (rcx, result) in [
        (3, PARAMETER),
        (0x1001, PARAMETER),
        (0x20, PARAMETER),
        (0x1000, PARAMETER),
        (0x4000_0002, ResultCode::INVALID_REQUEST),
        (0, ResultCode::INVALID_REQUEST),
    ] {
        refused(&guest, call(CoreCallNumber::CONFIGURE_VTOM, rcx), result, "vTOM");
    }
}
