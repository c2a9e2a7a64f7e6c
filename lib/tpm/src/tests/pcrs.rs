//! PCRs: who may extend and reset which, banks and allocation.

use alloc::vec::Vec;

use super::rig::{Rig, sized};
use crate::ResponseCode;

const EXTEND: u32 = 0x182;
const RESET: u32 = 0x13D;
const ONE_SHA256: [u8; 6] = [0, 0, 0, 1, 0, 0x0B];

fn extend(rig: &mut Rig, pcr: u32) -> Result<Vec<u8>, ResponseCode> {
    rig.with_passwords(EXTEND, &[pcr], &[b""], &[&ONE_SHA256[..], &[7; 32]].concat())
}

#[test]
fn localities_guard_extending_and_resetting() {
    let mut rig = Rig::started();
    assert!(extend(&mut rig, 0).is_ok());
    assert_eq!(extend(&mut rig, 17), Err(ResponseCode::LOCALITY));
    rig.locality = 2;
    assert!(extend(&mut rig, 17).is_ok());
    assert_eq!(rig.with_passwords(RESET, &[0], &[b""], &[]), Err(ResponseCode::LOCALITY));
    assert_eq!(rig.with_passwords(RESET, &[17], &[b""], &[]), Err(ResponseCode::LOCALITY));
    assert!(rig.with_passwords(RESET, &[21], &[b""], &[]).is_ok());
    rig.locality = 4;
    assert!(rig.with_passwords(RESET, &[17], &[b""], &[]).is_ok());
    assert_eq!(rig.with_passwords(RESET, &[24], &[b""], &[]), Err(ResponseCode::VALUE.handle(1)));
}

#[test]
fn an_extend_to_nothing_succeeds_and_a_bad_hash_does_not() {
    let mut rig = Rig::started();
    assert!(extend(&mut rig, 0x4000_0007).is_ok());
    let bad = [0, 0, 0, 1, 0, 0x13];
    assert_eq!(
        rig.with_passwords(EXTEND, &[0], &[b""], &bad),
        Err(ResponseCode::HASH.parameter(1))
    );
    let short = [&ONE_SHA256[..], &[7; 31]].concat();
    assert_eq!(
        rig.with_passwords(EXTEND, &[0], &[b""], &short),
        Err(ResponseCode::INSUFFICIENT.parameter(1))
    );
}

#[test]
fn an_event_gives_the_digests_that_it_extends() {
    let mut rig = Rig::started();
    let answer = rig.with_passwords(0x13C, &[3], &[b""], &sized(b"event")).expect("event");
    assert_eq!(answer.len(), 4 + (2 + 20) + (2 + 32) + (2 + 48) + (2 + 64));
}

#[test]
fn reading_stops_at_eight_and_counts_changes() {
    let mut rig = Rig::started();
    let all = [0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0xFF, 0xFF];
    let answer = rig.call(0x17E, &all).expect("read");
    assert_eq!(answer[..4], [0; 4]);
    assert_eq!(answer[4..14], [0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0, 0]);
    assert_eq!(answer[14..18], [0, 0, 0, 8]);
    extend(&mut rig, 1).expect("extend");
    extend(&mut rig, 16).expect("extend");
    assert_eq!(rig.call(0x17E, &all).expect("read")[..4], [0, 0, 0, 1], "PCR 16 does not count");
    let short = [0, 0, 0, 1, 0, 0x0B, 2, 0xFF, 0xFF];
    assert_eq!(rig.call(0x17E, &short), Err(ResponseCode::VALUE.parameter(1)));
}

#[test]
fn allocation_takes_effect_with_a_reset() {
    let mut rig = Rig::started();
    let platform = [0x4000_000C];
    let off = |bank: u8| [0, bank, 3, 0, 0, 0];
    let list = |banks: &[u8]| -> Vec<u8> {
        let mut bytes = (banks.len() as u32).to_be_bytes().to_vec();
        bytes.extend(banks.iter().flat_map(|bank| off(*bank)));
        bytes
    };
    let none = list(&[4, 0x0B, 0x0C, 0x0D]);
    assert_eq!(rig.with_passwords(0x12B, &platform, &[b""], &none), Err(ResponseCode::PCR));
    let unknown = list(&[0x27]);
    assert_eq!(
        rig.with_passwords(0x12B, &platform, &[b""], &unknown),
        Err(ResponseCode::HASH.parameter(1))
    );
    let answer = rig.with_passwords(0x12B, &platform, &[b""], &list(&[4, 0x0D])).expect("allocate");
    assert_eq!(answer[..5], [1, 0, 0, 0, 24]);
    let read_sha1 = [0, 0, 0, 1, 0, 4, 3, 1, 0, 0];
    assert_eq!(rig.call(0x17E, &read_sha1).expect("read")[14..18], [0, 0, 0, 1], "not yet");
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    assert_eq!(rig.call(0x17E, &read_sha1).expect("read")[14..18], [0; 4]);
}
