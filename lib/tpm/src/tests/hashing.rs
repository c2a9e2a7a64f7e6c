//! Hash, sequences, random numbers.

use alloc::vec;
use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::rig::{Rig, sized};
use crate::ResponseCode;

const HASH: u32 = 0x17D;
const NULL: [u8; 4] = [0x40, 0, 0, 7];
const OWNER: [u8; 4] = [0x40, 0, 0, 1];

fn digest(data: &[u8]) -> Vec<u8> {
    HashAlgorithm::Sha256.digest(&[data]).as_bytes().to_vec()
}

#[test]
fn hash_gives_digest_and_ticket() {
    let mut rig = Rig::started();
    let answer = rig.call(HASH, &[&sized(b"abc")[..], &[0, 0x0B], &OWNER].concat()).expect("hash");
    assert_eq!(answer[..34], sized(&digest(b"abc")));
    assert_eq!(answer[34..42], [0x80, 0x24, 0x40, 0, 0, 1, 0, 64]);
    let null = rig.call(HASH, &[&sized(b"abc")[..], &[0, 0x0B], &NULL].concat()).expect("hash");
    assert_eq!(null[34..], [0x80, 0x24, 0x40, 0, 0, 7, 0, 0]);
    // What looks like the device's own words gets no ticket.
    let own =
        rig.call(HASH, &[&sized(b"\xFFTCGx")[..], &[0, 0x0B], &OWNER].concat()).expect("hash");
    assert_eq!(own[34..], [0x80, 0x24, 0x40, 0, 0, 7, 0, 0]);
    let no_hierarchy = [&sized(b"abc")[..], &[0, 0x0B], &[0x40, 0, 0, 0x0A]].concat();
    assert_eq!(rig.call(HASH, &no_hierarchy), Err(ResponseCode::VALUE.parameter(3)));
    let long = [&sized(&[0; 1025])[..], &[0, 0x0B], &NULL].concat();
    assert_eq!(rig.call(HASH, &long), Err(ResponseCode::SIZE.parameter(1)));
}

fn start(rig: &mut Rig, hash: [u8; 2]) -> u32 {
    let answer = rig.call(0x186, &[&sized(b"pw")[..], &hash].concat()).expect("sequence");
    u32::from_be_bytes(answer[..4].try_into().expect("a handle"))
}

#[test]
fn a_sequence_hashes_piece_by_piece() {
    let mut rig = Rig::started();
    let handle = start(&mut rig, [0, 0x0B]);
    assert_eq!(
        rig.with_passwords(0x15C, &[handle], &[b"no"], &sized(b"a")),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    rig.with_passwords(0x15C, &[handle], &[b"pw"], &sized(b"a")).expect("update");
    rig.with_passwords(0x15C, &[handle], &[b"pw"], &sized(b"b")).expect("update");
    let last = [&sized(b"c")[..], &OWNER].concat();
    let answer = rig.with_passwords(0x13E, &[handle], &[b"pw"], &last).expect("complete");
    assert_eq!(answer[..34], sized(&digest(b"abc")));
    assert_eq!(
        rig.with_passwords(0x15C, &[handle], &[b"pw"], &sized(b"a")),
        Err(ResponseCode::REFERENCE_H0)
    );
}

#[test]
fn a_sequence_that_begins_like_the_device_gets_no_ticket() {
    let mut rig = Rig::started();
    let handle = start(&mut rig, [0, 0x0B]);
    rig.with_passwords(0x15C, &[handle], &[b"pw"], &sized(b"\xFFT")).expect("update");
    let last = [&sized(b"CG")[..], &OWNER].concat();
    let answer = rig.with_passwords(0x13E, &[handle], &[b"pw"], &last).expect("complete");
    assert_eq!(answer[34..], [0x80, 0x24, 0x40, 0, 0, 7, 0, 0]);
}

#[test]
fn an_event_sequence_extends_all_banks() {
    let mut rig = Rig::started();
    let handle = start(&mut rig, [0, 0x10]);
    let wrong = [&sized(b"")[..], &NULL].concat();
    assert_eq!(
        rig.with_passwords(0x13E, &[handle], &[b"pw"], &wrong),
        Err(ResponseCode::MODE.handle(1))
    );
    rig.with_passwords(0x15C, &[handle], &[b"pw"], &sized(b"ab")).expect("update");
    let answer =
        rig.with_passwords(0x185, &[16, handle], &[b"", b"pw"], &sized(b"c")).expect("complete");
    assert_eq!(answer[..4], [0, 0, 0, 4], "as many digests as banks");
    let pcr = rig.call(0x17E, &[0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 1]).expect("pcr");
    let expected = HashAlgorithm::Sha256.digest(&[&[0; 32], &digest(b"abc")]);
    assert_eq!(pcr[20..], *expected.as_bytes());
}

#[test]
fn sequences_are_few_and_can_be_flushed() {
    let mut rig = Rig::started();
    let handles: Vec<u32> = (0..3).map(|_| start(&mut rig, [0, 0x0B])).collect();
    let full = rig.call(0x186, &[&sized(b"")[..], &[0, 0x0B]].concat());
    assert_eq!(full, Err(ResponseCode::OBJECT_MEMORY));
    rig.call(0x165, &handles[1].to_be_bytes()).expect("flush");
    assert_eq!(rig.call(0x165, &handles[1].to_be_bytes()), Err(ResponseCode::HANDLE.parameter(1)));
    assert_eq!(start(&mut rig, [0, 0x0B]), handles[1]);
    assert_eq!(rig.call(0x165, &OWNER), Err(ResponseCode::VALUE.parameter(1)));
}

#[test]
fn random_numbers_differ_and_stirring_is_taken() {
    let mut rig = Rig::started();
    let first = rig.call(0x17B, &[0, 32]).expect("random");
    rig.call(0x146, &sized(&[1; 128])).expect("stir");
    let second = rig.call(0x17B, &[0, 32]).expect("random");
    assert_ne!(first, second);
    assert_eq!(rig.call(0x17B, &[1, 0]).expect("random").len(), 2 + 64, "at most a digest");
    let long = sized(&[0; 129]);
    assert_eq!(rig.call(0x146, &long), Err(ResponseCode::SIZE.parameter(1)));
}

#[test]
fn self_tests_answer() {
    let mut rig = Rig::started();
    rig.call(0x143, &[1]).expect("self-test");
    assert_eq!(rig.call(0x143, &[2]), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(rig.call(0x142, &[0, 0, 0, 1, 0, 0x0B]), Ok(vec![0; 4]));
    assert_eq!(rig.call(0x17C, &[]), Ok(vec![0; 6]));
}
