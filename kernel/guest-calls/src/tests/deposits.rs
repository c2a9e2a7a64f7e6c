//! Memory that goes to the module and comes back.

extern crate std;

use std::vec::Vec;

use abi_snp::ReturnCode;
use abi_svsm::ResultCode;
use abi_svsm::core_protocol::{CoreCall, ListHeader};

use super::guest::{Guest, list};
use super::model::{self, Operation};
use crate::level::{GUESTS, MODULES};

const PAGE: u64 = model::FREE.start;
const SUCCESS: ResultCode = ResultCode::SUCCESS;

fn deposit(guest: &Guest, words: &[u64]) -> (ResultCode, u16) {
    guest.write_list(list(0), ListHeader::new(words.len() as u16), words);
    let result = guest.call(CoreCall::DepositMemory { list: list(0) });
    (result, guest.next(list(0)))
}

fn withdraw(guest: &Guest, offset: u64) -> (ResultCode, Vec<u64>) {
    let result = guest.call(CoreCall::WithdrawMemory { list: list(offset) });
    let entries = guest.model().with(|state| {
        let word = |at: usize| {
            let byte = |index| state.read(model::LIST, offset as usize + at + index);
            u64::from_le_bytes(core::array::from_fn(byte))
        };
        (1..=word(0) as u16).map(|entry| word(8 * usize::from(entry))).collect()
    });
    (result, entries)
}

fn available(guest: &Guest) -> u8 {
    guest.model().with(|state| state.read(model::CALLING_AREA, 1))
}

#[test]
fn pages_go_and_come_back_cleared() {
    let guest = Guest::new();
    assert_eq!(withdraw(&guest, 0), (SUCCESS, Vec::new()));
    assert_eq!(deposit(&guest, &[PAGE << 12, (PAGE + 1) << 12]), (SUCCESS, 2));
    assert_eq!(guest.state(PAGE), MODULES);
    assert_eq!(available(&guest), 1);
    // They are the module's now.
    assert_eq!(guest.validate(&[PAGE << 12]), (ResultCode::INVALID_ADDRESS, 0));
    assert_eq!(deposit(&guest, &[PAGE << 12]), (ResultCode::INVALID_ADDRESS, 0));
    // One fits at the end of the page.
    assert_eq!(withdraw(&guest, 0xff0), (SUCCESS, [(PAGE + 1) << 12].into()));
    assert_eq!(available(&guest), 1);
    assert_eq!(withdraw(&guest, 0), (SUCCESS, [PAGE << 12].into()));
    assert_eq!(available(&guest), 0);
    assert_eq!(guest.state(PAGE), GUESTS);
    assert_eq!(guest.model().with(|state| state.read(PAGE, 0)), 0);
}

#[test]
fn large_pages_come_back_as_small_ones() {
    let guest = Guest::new();
    guest.model().with(|state| state.pool_room = 512);
    assert_eq!(deposit(&guest, &[model::GUESTS_CHUNK << 12 | 1]), (SUCCESS, 1));
    assert_eq!(guest.state(model::GUESTS_CHUNK + 511), MODULES);
    let (result, pages) = withdraw(&guest, 0);
    assert_eq!((result, pages.len()), (SUCCESS, 64), "as many as one call gives");
    assert_eq!(available(&guest), 1);
    assert_eq!(guest.state(pages[0] >> 12), GUESTS);
}

#[test]
fn a_pool_that_is_full() {
    let guest = Guest::new();
    guest.model().with(|state| state.pool_room = 1);
    let words = [PAGE << 12, (PAGE + 1) << 12];
    assert_eq!(deposit(&guest, &words), (ResultCode::INVALID_REQUEST, 1));
    assert_eq!(guest.state(PAGE + 1), GUESTS);
    guest.model().with(|state| assert!(state.pages[PAGE as usize + 1].is_permitted));
}

#[test]
fn foreign_pages_are_not_taken() {
    let guest = Guest::new();
    for page in [
        model::MODULES.start,
        model::SAVE_AREA,
        model::MODULES_SAVE_AREA,
        model::SHARED.start,
        model::UNVALIDATED.start,
        model::ABSENT.start,
        model::END,
    ] {
        assert_eq!(deposit(&guest, &[page << 12]), (ResultCode::INVALID_ADDRESS, 0), "{page}");
    }
    assert_eq!(deposit(&guest, &[1]), (ResultCode::INVALID_ADDRESS, 0), "of all kinds");
}

#[test]
fn a_list_that_gives_itself_away() {
    let guest = Guest::new();
    assert_eq!(deposit(&guest, &[model::LIST << 12]).0, ResultCode::INVALID_ADDRESS);
    assert_eq!(guest.state(model::LIST), MODULES);
}

#[test]
fn failures_leave_pages_where_they_were() {
    let guest = Guest::new();
    guest.model().with(|state| {
        state.failures.insert(Operation::Forbid, Some(ReturnCode::FailInput));
    });
    assert_eq!(deposit(&guest, &[PAGE << 12]), (ResultCode(0x8000_1001), 0));
    assert_eq!(guest.state(PAGE), GUESTS);
    assert_eq!(deposit(&guest, &[PAGE << 12]), (SUCCESS, 1));
    for operation in [Operation::Open, Operation::Clear, Operation::Permit] {
        guest.model().with(|state| state.failures.insert(operation, None));
        assert_eq!(withdraw(&guest, 0), (SUCCESS, Vec::new()), "{operation:?}");
        assert_eq!(guest.state(PAGE), MODULES);
    }
    assert_eq!(withdraw(&guest, 0), (SUCCESS, [PAGE << 12].into()));
}
