//! NV indices of every type.

use alloc::vec::Vec;

use super::rig::{Rig, sized};
use crate::ResponseCode;
use crate::wire::bits::NvAttributes;

const INDEX: u32 = 0x0100_0001;
const OWNER: u32 = 0x4000_0001;
const PLATFORM: u32 = 0x4000_000C;
const DEFINE: u32 = 0x12A;
const WRITE: u32 = 0x137;
const READ: u32 = 0x14E;

const ORDINARY: NvAttributes = NvAttributes::AUTHREAD.union(NvAttributes::AUTHWRITE);

fn public(attributes: NvAttributes, size: u16) -> Vec<u8> {
    let area = [
        &INDEX.to_be_bytes()[..],
        &[0, 0x0B],
        &attributes.bits().to_be_bytes(),
        &[0, 0],
        &size.to_be_bytes(),
    ]
    .concat();
    [sized(b"pw"), sized(&area)].concat()
}

fn typed(number: u32) -> NvAttributes {
    NvAttributes::from_bits_retain(number << 4)
}

fn define(rig: &mut Rig, attributes: NvAttributes, size: u16) -> Result<Vec<u8>, ResponseCode> {
    rig.with_passwords(DEFINE, &[OWNER], &[b""], &public(attributes, size))
}

fn own(rig: &mut Rig, code: u32, parameters: &[u8]) -> Result<Vec<u8>, ResponseCode> {
    rig.with_passwords(code, &[INDEX, INDEX], &[b"pw"], parameters)
}

#[test]
fn an_ordinary_index_is_written_and_read() {
    let mut rig = Rig::started();
    define(&mut rig, ORDINARY, 8).expect("define");
    assert_eq!(define(&mut rig, ORDINARY, 8), Err(ResponseCode::NV_DEFINED));
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), Err(ResponseCode::NV_UNINITIALIZED));
    own(&mut rig, WRITE, &[&sized(b"abc")[..], &[0, 2]].concat()).expect("write");
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), Ok(sized(b"\xFF\xFFabc\xFF\xFF\xFF")));
    assert_eq!(
        own(&mut rig, WRITE, &[&sized(b"abc")[..], &[0, 6]].concat()),
        Err(ResponseCode::NV_RANGE)
    );
    assert_eq!(
        own(&mut rig, WRITE, &[&sized(b"")[..], &[0, 9]].concat()),
        Err(ResponseCode::VALUE.parameter(2))
    );
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 1]), Err(ResponseCode::NV_RANGE));
    assert_eq!(own(&mut rig, READ, &[0x10, 0, 0, 0]), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(
        rig.with_passwords(READ, &[OWNER, INDEX], &[b""], &[0, 8, 0, 0]),
        Err(ResponseCode::NV_AUTHORIZATION)
    );
    assert_eq!(own(&mut rig, 0x134, &[]), Err(ResponseCode::ATTRIBUTES.handle(2)));
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    assert_eq!(own(&mut rig, READ, &[0, 3, 0, 2]), Ok(sized(b"abc")));
    rig.with_passwords(0x122, &[OWNER, INDEX], &[b""], &[]).expect("undefine");
    assert_eq!(own(&mut rig, READ, &[0, 3, 0, 2]), Err(ResponseCode::HANDLE.handle(1)));
}

#[test]
fn public_areas_that_make_no_sense_are_refused() {
    let mut rig = Rig::started();
    let attributes = Err(ResponseCode::ATTRIBUTES.parameter(2));
    let not_the_platforms = Err(ResponseCode::ATTRIBUTES.handle(1));
    let size = Err(ResponseCode::SIZE.parameter(2));
    assert_eq!(define(&mut rig, NvAttributes::AUTHREAD, 8), attributes);
    assert_eq!(define(&mut rig, NvAttributes::AUTHWRITE, 8), attributes);
    assert_eq!(define(&mut rig, ORDINARY | NvAttributes::WRITTEN, 8), attributes);
    assert_eq!(define(&mut rig, ORDINARY | NvAttributes::PLATFORMCREATE, 8), not_the_platforms);
    assert_eq!(define(&mut rig, ORDINARY | NvAttributes::POLICY_DELETE, 8), attributes);
    assert_eq!(define(&mut rig, ORDINARY | typed(3), 8), attributes);
    assert_eq!(define(&mut rig, ORDINARY | typed(8), 8), attributes);
    assert_eq!(define(&mut rig, ORDINARY | typed(1) | NvAttributes::CLEAR_STCLEAR, 8), attributes);
    assert_eq!(define(&mut rig, ORDINARY | typed(1), 4), size);
    assert_eq!(define(&mut rig, ORDINARY | typed(4), 20), size);
    assert_eq!(define(&mut rig, ORDINARY, 2049), size);
    assert_eq!(
        define(&mut rig, NvAttributes::from_bits_retain(ORDINARY.bits() | 1 << 8), 8),
        Err(ResponseCode::RESERVED_BITS.parameter(2))
    );
    // Whose it is comes before whether it could be written.
    let all = ORDINARY | NvAttributes::WRITEALL;
    assert_eq!(define(&mut rig, all, 1025), size);
    assert_eq!(define(&mut rig, all | NvAttributes::PLATFORMCREATE, 1025), not_the_platforms);
    let by_platform = rig.with_passwords(DEFINE, &[PLATFORM], &[b""], &public(ORDINARY, 8));
    assert_eq!(by_platform, not_the_platforms);
}

#[test]
fn counters_never_go_back() {
    let mut rig = Rig::started();
    let counter = ORDINARY | typed(1);
    define(&mut rig, counter, 8).expect("define");
    own(&mut rig, 0x134, &[]).expect("increment");
    own(&mut rig, 0x134, &[]).expect("increment");
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), Ok(sized(&2_u64.to_be_bytes())));
    assert_eq!(
        own(&mut rig, WRITE, &[&sized(b"abc")[..], &[0, 0]].concat()),
        Err(ResponseCode::ATTRIBUTES)
    );
    rig.with_passwords(0x122, &[OWNER, INDEX], &[b""], &[]).expect("undefine");
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    define(&mut rig, counter, 8).expect("define");
    own(&mut rig, 0x134, &[]).expect("increment");
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), Ok(sized(&3_u64.to_be_bytes())));
}

#[test]
fn bits_are_set_and_digests_extended() {
    let mut rig = Rig::started();
    define(&mut rig, ORDINARY | typed(2), 8).expect("define");
    own(&mut rig, 0x135, &1_u64.to_be_bytes()).expect("set");
    own(&mut rig, 0x135, &4_u64.to_be_bytes()).expect("set");
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), Ok(sized(&5_u64.to_be_bytes())));
    rig.with_passwords(0x122, &[OWNER, INDEX], &[b""], &[]).expect("undefine");

    define(&mut rig, ORDINARY | typed(4), 32).expect("define");
    own(&mut rig, 0x136, &sized(b"abc")).expect("extend");
    let expected = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[&[0; 32], b"abc"]);
    assert_eq!(own(&mut rig, READ, &[0, 32, 0, 0]), Ok(sized(expected.as_bytes())));
}

#[test]
fn locks_hold_as_long_as_they_should() {
    let mut rig = Rig::started();
    let attributes = ORDINARY | NvAttributes::WRITE_STCLEAR | NvAttributes::READ_STCLEAR;
    define(&mut rig, attributes, 8).expect("define");
    let write = [&sized(b"abc")[..], &[0, 0]].concat();
    own(&mut rig, WRITE, &write).expect("write");
    own(&mut rig, 0x138, &[]).expect("lock");
    own(&mut rig, 0x138, &[]).expect("locking twice is no error");
    assert_eq!(own(&mut rig, WRITE, &write), Err(ResponseCode::NV_LOCKED));
    own(&mut rig, 0x14F, &[]).expect("lock");
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), Err(ResponseCode::NV_LOCKED));
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    own(&mut rig, WRITE, &write).expect("open again");
    own(&mut rig, READ, &[0, 8, 0, 0]).expect("open again");

    rig.with_passwords(0x122, &[OWNER, INDEX], &[b""], &[]).expect("undefine");
    define(&mut rig, ORDINARY | NvAttributes::GLOBALLOCK, 8).expect("define");
    assert_eq!(own(&mut rig, 0x138, &[]), Err(ResponseCode::ATTRIBUTES.handle(2)));
    assert_eq!(own(&mut rig, 0x14F, &[]), Err(ResponseCode::ATTRIBUTES.handle(2)));
    rig.with_passwords(0x132, &[OWNER], &[b""], &[]).expect("global lock");
    assert_eq!(own(&mut rig, WRITE, &write), Err(ResponseCode::NV_LOCKED));
}

#[test]
fn wrong_guesses_lock_and_time_heals() {
    let mut rig = Rig::started();
    define(&mut rig, ORDINARY, 8).expect("define");
    let three = [3_u32, 10, 100].map(u32::to_be_bytes).concat();
    rig.with_passwords(0x13A, &[0x4000_000A], &[b""], &three).expect("parameters");
    for _ in 0..3 {
        let wrong = rig.with_passwords(READ, &[INDEX, INDEX], &[b"no"], &[0, 8, 0, 0]);
        assert_eq!(wrong, Err(ResponseCode::AUTH_FAIL.session(1)));
    }
    let write = [&sized(b"abc")[..], &[0, 0]].concat();
    assert_eq!(own(&mut rig, WRITE, &write), Err(ResponseCode::LOCKOUT));
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    assert_eq!(own(&mut rig, WRITE, &write), Err(ResponseCode::LOCKOUT));
    rig.clock.0.set(10_000);
    own(&mut rig, WRITE, &write).expect("one failure is forgotten");
    let wrong = rig.with_passwords(READ, &[INDEX, INDEX], &[b"no"], &[0, 8, 0, 0]);
    assert_eq!(wrong, Err(ResponseCode::AUTH_FAIL.session(1)));
    assert_eq!(own(&mut rig, WRITE, &write), Err(ResponseCode::LOCKOUT));
    rig.with_passwords(0x139, &[0x4000_000A], &[b""], &[]).expect("reset");
    own(&mut rig, WRITE, &write).expect("write");
}

#[test]
fn pin_indices_count() {
    let mut rig = Rig::started();
    let pin_fail =
        typed(8) | NvAttributes::AUTHREAD | NvAttributes::OWNERWRITE | NvAttributes::NO_DA;
    define(&mut rig, pin_fail, 8).expect("define");
    let unavailable = Err(ResponseCode::AUTH_UNAVAILABLE.session(1));
    assert_eq!(own(&mut rig, READ, &[0, 8, 0, 0]), unavailable, "no limit was written");
    let limit = [&sized(&[0, 0, 0, 0, 0, 0, 0, 2])[..], &[0, 0]].concat();
    rig.with_passwords(WRITE, &[OWNER, INDEX], &[b""], &limit).expect("write");
    let read = [0, 8, 0, 0];
    let wrong = Err(ResponseCode::BAD_AUTH.session(1));
    rig.store.withheld = true;
    for guess in [&b"no"[..], b"pw"] {
        let answer = rig.with_passwords(READ, &[INDEX, INDEX], &[guess], &read);
        assert_eq!(answer, Err(ResponseCode::NV_UNAVAILABLE), "it could not be counted");
    }
    rig.store.withheld = false;
    assert_eq!(rig.with_passwords(READ, &[INDEX, INDEX], &[b"no"], &read), wrong);
    assert_eq!(own(&mut rig, READ, &read), Ok(sized(&[0, 0, 0, 0, 0, 0, 0, 2])));
    assert_eq!(rig.with_passwords(READ, &[INDEX, INDEX], &[b"no"], &read), wrong);
    assert_eq!(rig.with_passwords(READ, &[INDEX, INDEX], &[b"no"], &read), wrong);
    assert_eq!(own(&mut rig, READ, &read), unavailable);
}

#[test]
fn a_pin_can_be_used_as_often_as_it_says() {
    let mut rig = Rig::started();
    // Its value is for policies: AUTHREAD is not needed for that.
    let pin_pass = typed(9) | NvAttributes::OWNERREAD | NvAttributes::OWNERWRITE;
    define(&mut rig, pin_pass, 8).expect("define");
    let session = |kind: u8| {
        let null = 0x4000_0007_u32.to_be_bytes();
        [&null[..], &null, &sized(&[7; 16]), &sized(&[]), &[kind, 0, 0x10, 0, 0x0B]].concat()
    };
    let policy = rig.call(0x176, &session(1)).expect("session");
    let policy = u32::from_be_bytes(policy[..4].try_into().expect("a handle"));
    // With a ticket asked for, of which a PIN gives none.
    let ask = [&[0; 6][..], &(-60_i32).to_be_bytes()].concat();
    let secret = |rig: &mut Rig, password: &[u8]| {
        rig.with_passwords(0x151, &[INDEX, policy], &[password], &ask)
    };
    let unavailable = Err(ResponseCode::AUTH_UNAVAILABLE.session(1));
    assert_eq!(secret(&mut rig, b"pw"), unavailable);
    let limit = [&sized(&[0, 0, 0, 0, 0, 0, 0, 2])[..], &[0, 0]].concat();
    rig.with_passwords(WRITE, &[OWNER, INDEX], &[b""], &limit).expect("write");
    let no_ticket = [0, 0, 0x80, 0x23, 0x40, 0, 0, 7, 0, 0].to_vec();
    assert_eq!(secret(&mut rig, b"pw"), Ok(no_ticket.clone()));
    assert_eq!(secret(&mut rig, b"no"), Err(ResponseCode::AUTH_FAIL.session(1)));
    assert_eq!(secret(&mut rig, b"pw"), Ok(no_ticket));
    assert_eq!(secret(&mut rig, b"pw"), unavailable);
    // A session that is bound to it would be a guess that nobody counts.
    let mut bound = session(0);
    bound.splice(4..8, INDEX.to_be_bytes());
    assert_eq!(rig.call(0x176, &bound), Err(ResponseCode::HANDLE.handle(2)));
}

#[test]
fn the_name_covers_the_public_area() {
    let mut rig = Rig::started();
    define(&mut rig, ORDINARY, 8).expect("define");
    let answer = rig.call(0x169, &INDEX.to_be_bytes()).expect("public");
    let area = &answer[2..16];
    let digest = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[area]);
    assert_eq!(answer[16..], [&[0, 34, 0, 0x0B][..], digest.as_bytes()].concat());
}
