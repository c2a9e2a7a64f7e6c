//! Registers and lists of the core protocol, good and bad.

extern crate std;

use abi_snp::PageSize;
use proptest::prelude::*;
use std::string::ToString;
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::address::{GuestPage, ListAddress};
use crate::call_id::Protocol;
use crate::registers::CallRegisters;
use crate::result_code::ResultCode;

fn call(number: CoreCallNumber, rcx: u64) -> CallRegisters {
    CallRegisters { rax: number.0.into(), rcx, ..Default::default() }
}

#[test]
fn create_reads_three_registers() {
    let registers =
        CallRegisters { rax: 2, rcx: 0x1000, rdx: 0x2000, r8: 0xffff_ffff_0000_0007, r9: 1 };
    let expected = CoreCall::CreateVcpu {
        save_area: GuestPage::at(0x1000).unwrap(),
        calling_area: GuestPage::at(0x2000).unwrap(),
        apic_id: 7,
    };
    assert_eq!(CoreCall::decode(&registers), Ok(expected));
    let unaligned = CallRegisters { rdx: 0x2008, ..registers };
    assert_eq!(CoreCall::decode(&unaligned), Err(ResultCode::INVALID_PARAMETER));
}

#[test]
fn unaligned_addresses_are_invalid_parameters() {
    for (number, address) in [
        (CoreCallNumber::REMAP_CALLING_AREA, 0x1008),
        (CoreCallNumber::VALIDATE, 0x1004),
        (CoreCallNumber::CREATE_VCPU, 0x1001),
        (CoreCallNumber::DELETE_VCPU, 0x1ff8),
        (CoreCallNumber::DEPOSIT_MEMORY, 0x1007),
        (CoreCallNumber::WITHDRAW_MEMORY, 0x1009),
    ] {
        assert_eq!(
            CoreCall::decode(&call(number, address)),
            Err(ResultCode::INVALID_PARAMETER),
            "{number}"
        );
    }
}

#[test]
fn unknown_calls() {
    for number in [8, 0x100, u32::MAX] {
        let result = CoreCall::decode(&call(CoreCallNumber(number), 0));
        assert_eq!(result, Err(ResultCode::UNSUPPORTED_CALL));
    }
    assert_eq!(CoreCallNumber::VALIDATE.to_string(), "SVSM_CORE_PVALIDATE");
    assert_eq!(CoreCallNumber(8).to_string(), "unknown (0x8)");
}

#[test]
fn validation_entries() {
    let entry = ValidationEntry {
        page: GuestPage::at(0x20_0000).unwrap(),
        size: PageSize::Size2M,
        action: ValidationAction::Validate,
        unchanged: Unchanged::Refuse,
    };
    assert_eq!(entry.encode(), 0x20_0005);
    assert_eq!(ValidationEntry::decode(0x20_0005), Ok(entry));
    assert_eq!(ValidationEntry::decode(0x20_1005), Err(EntryError::Alignment(0x20_1000)));
    assert_eq!(ValidationEntry::decode(0x20_0002), Err(EntryError::PageSize(2)));
    assert_eq!(ValidationEntry::decode(0x20_0010), Err(EntryError::ReservedBits(0x10)));
    assert_eq!(DepositEntry::decode(0x20_0005), Err(EntryError::ReservedBits(4)));
    assert_eq!(DepositEntry::decode(0x20_1001), Err(EntryError::Alignment(0x20_1000)));
    assert_eq!(ResultCode::from(EntryError::PageSize(3)), ResultCode::INVALID_PARAMETER);
}

#[test]
fn list_headers() {
    let header = |entries, next| ListHeader { entries, next, reserved: 0 };
    let capacity = ListAddress::at(0x1ff0).unwrap().capacity();
    assert_eq!(capacity, 1);
    assert_eq!(header(1, 0).check(capacity), Ok(()));
    assert_eq!(header(2, 0).check(capacity), Err(ListError::Length { entries: 2, capacity }));
    assert_eq!(header(0, 0).check(capacity), Err(ListError::Length { entries: 0, capacity }));
    assert_eq!(header(1, 1).check(capacity), Err(ListError::Next { next: 1, entries: 1 }));
    assert!(header(1, 0).check(0).is_err(), "no entry fits behind the last word of a page");
    let bytes = [3, 0, 1, 0, 0xaa, 0, 0, 0];
    assert_eq!(
        ListHeader::read_from_bytes(&bytes).unwrap(),
        ListHeader { entries: 3, next: 1, reserved: 0xaa }
    );
    assert_eq!(WithdrawHeader::new(0x102).as_bytes(), [2, 1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn versions() {
    let query = ProtocolQuery::decode(0x0000_0001_0000_0002);
    assert_eq!(query, ProtocolQuery { protocol: Protocol::ATTESTATION, version: 2 });
    let versions = ProtocolVersions { lowest: 1, highest: 3 };
    assert_eq!(versions.answer(2), 0x0000_0003_0000_0001);
    assert_eq!(versions.answer(0), 0);
    assert_eq!(versions.answer(4), 0);
    assert_eq!(ProtocolVersions::decode_answer(versions.answer(1)), Some(versions));
    assert_eq!(ProtocolVersions::decode_answer(ProtocolVersions::only(1).answer(2)), None);
}

#[test]
fn virtual_top_of_memory() {
    let decode = |rcx| VtomRequest::decode(&CallRegisters { rcx, rdx: 2, r8: 3, r9: 4, rax: 7 });
    assert_eq!(decode(1), Ok(VtomRequest::Query));
    for wrong in [3, 0x1001, 0x22, 0x802, 0x1000, 0x101c] {
        assert_eq!(decode(wrong), Err(ResultCode::INVALID_PARAMETER), "{wrong:#x}");
    }
    let all = VtomChange { limit: Some(0x4000), cr3: Some(2), rip: Some(3), rsp: Some(4) };
    assert_eq!(decode(0x401e), Ok(VtomRequest::Configure(all)));
    let none = VtomChange { limit: None, cr3: None, rip: None, rsp: None };
    assert_eq!(decode(0), Ok(VtomRequest::Configure(none)));

    let mut registers = CallRegisters { rcx: 1, rdx: 9, ..Default::default() };
    VtomSupport::None.encode(&mut registers);
    assert_eq!(registers, CallRegisters { rdx: 9, ..Default::default() });
    VtomSupport::Limits { alignment: 20, lowest: 1, highest: 2 }.encode(&mut registers);
    assert_eq!((registers.rcx, registers.rdx, registers.r8), (0x1_4002, 1, 2));
}

proptest! {
    /// What decodes encodes to registers that decode to the same.
    #[test]
    fn calls_survive_the_way(
        rax in 0_u64..10,
        rcx in prop_oneof![any::<u64>(), any::<u64>().prop_map(|word| word & !0xfff), 0_u64..32],
        rdx in any::<u64>().prop_map(|word| word & !0xfff),
        r8: u64,
        r9: u64,
    ) {
        let registers = CallRegisters { rax, rcx, rdx, r8, r9 };
        if let Ok(call) = CoreCall::decode(&registers) {
            prop_assert_eq!(u64::from(call.number().0), rax);
            prop_assert_eq!(CoreCall::decode(&call.encode()), Ok(call));
        }
    }

    /// An entry that decodes is the word that it came from.
    #[test]
    fn entries_survive_the_way(word in prop_oneof![
        any::<u64>(),
        any::<u64>().prop_map(|word| word & !0xff0),
        any::<u64>().prop_map(|word| word & !0x1f_fff0),
    ]) {
        if let Ok(entry) = ValidationEntry::decode(word) {
            prop_assert_eq!(entry.encode(), word);
        }
        if let Ok(entry) = DepositEntry::decode(word) {
            prop_assert_eq!(entry.encode(), word);
        }
    }
}
