//! Contexts that leave the device and come back.

use alloc::vec::Vec;

use super::objects::{OWNER, child, creation, primary, signing, storage};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const SAVE: u32 = 0x162;
const LOAD: u32 = 0x161;
const FLUSH: u32 = 0x165;
const NULL: u32 = 0x4000_0007;
/// An empty password.
const PASSWORD: [u8; 9] = [0x40, 0, 0, 9, 0, 0, 0, 0, 0];

fn save(rig: &mut Rig, handle: u32) -> Vec<u8> {
    rig.call(SAVE, &handle.to_be_bytes()).expect("saved")
}

fn load(rig: &mut Rig, context: &[u8]) -> Result<u32, ResponseCode> {
    let answer = rig.call(LOAD, context)?;
    Ok(u32::from_be_bytes(answer[..4].try_into().expect("a handle")))
}

fn flush(rig: &mut Rig, handle: u32) -> Result<Vec<u8>, ResponseCode> {
    rig.call(FLUSH, &handle.to_be_bytes())
}

/// A session of this kind.
fn session(rig: &mut Rig, kind: u8) -> u32 {
    let body = [
        &NULL.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&[7; 16]),
        &sized(b""),
        &[kind, 0, 0x10, 0, 0x0B],
    ]
    .concat();
    let answer = rig.call(0x176, &body).expect("session");
    u32::from_be_bytes(answer[..4].try_into().expect("a handle"))
}

fn digest(rig: &mut Rig, session: u32) -> Vec<u8> {
    rig.call(0x189, &session.to_be_bytes()).expect("digest")
}

fn restart(rig: &mut Rig, shutdown: Option<u8>, startup: u8) {
    if let Some(kind) = shutdown {
        rig.call(0x145, &[0, kind]).expect("shutdown");
    }
    rig.power_cycle();
    rig.call(0x144, &[0, startup]).expect("startup");
}

#[test]
fn an_object_comes_back_as_often_as_wanted() {
    let mut rig = Rig::started();
    let (handle, public) = primary(&mut rig, OWNER, &storage());
    let context = save(&mut rig, handle);
    assert_eq!(context[8..16], [0x80, 0, 0, 0, 0x40, 0, 0, 1]);
    flush(&mut rig, handle).expect("loaded");
    for _ in 0..2 {
        let handle = load(&mut rig, &context).expect("load");
        let read = rig.call(0x173, &handle.to_be_bytes()).expect("public");
        assert_eq!(read[..2 + public.len()], sized(&public));
    }
    load(&mut rig, &context).expect("a third");
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::OBJECT_MEMORY));
    flush(&mut rig, 0x8000_0000).expect("loaded");
    assert_eq!(rig.call(SAVE, &0x8000_0000_u32.to_be_bytes()), Err(ResponseCode::REFERENCE_H0));
    assert_eq!(
        rig.call(SAVE, &0x8000_0003_u32.to_be_bytes()),
        Err(ResponseCode::VALUE.handle(1)),
        "a handle that is never given out"
    );
    assert_eq!(rig.call(SAVE, &0x4000_0001_u32.to_be_bytes()), Err(ResponseCode::VALUE.handle(1)));
}

#[test]
fn no_changed_byte_is_taken() {
    let mut rig = Rig::started();
    let (handle, _) = primary(&mut rig, OWNER, &signing(0));
    let context = save(&mut rig, handle);
    for place in 0..context.len() {
        let mut changed = context.clone();
        changed[place] ^= 1;
        load(&mut rig, &changed).expect_err("refused");
    }
    // Another hierarchy, and one that is disabled.
    let mut other = context.clone();
    other[12..16].copy_from_slice(&NULL.to_be_bytes());
    assert_eq!(load(&mut rig, &other), Err(ResponseCode::INTEGRITY.parameter(1)));
    rig.with_passwords(0x121, &[OWNER], &[b""], &[&OWNER.to_be_bytes()[..], &[0]].concat())
        .expect("disable");
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::HIERARCHY.parameter(1)));
}

#[test]
fn damage_is_told_before_the_hierarchy() {
    let mut rig = Rig::started();
    let (handle, _) = primary(&mut rig, OWNER, &storage());
    let context = save(&mut rig, handle);
    let disable = [&OWNER.to_be_bytes()[..], &[0]].concat();
    rig.with_passwords(0x121, &[OWNER], &[b""], &disable).expect("disabled");
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::HIERARCHY.parameter(1)));
    let mut damaged = context;
    *damaged.last_mut().expect("it is not empty") ^= 1;
    assert_eq!(load(&mut rig, &damaged), Err(ResponseCode::INTEGRITY.parameter(1)));
}

#[test]
fn contexts_end_with_a_reset_or_a_clear() {
    let mut rig = Rig::started();
    let (handle, _) = primary(&mut rig, OWNER, &signing(0));
    let (cleared, _) = primary(&mut rig, OWNER, &signing(4));
    let (context, cleared) = (save(&mut rig, handle), save(&mut rig, cleared));
    assert_eq!(cleared[8..12], [0x80, 0, 0, 2]);
    restart(&mut rig, Some(1), 1);
    load(&mut rig, &context).expect("after a resume");
    load(&mut rig, &cleared).expect("after a resume");
    restart(&mut rig, Some(1), 0);
    load(&mut rig, &context).expect("after a restart");
    assert_eq!(load(&mut rig, &cleared), Err(ResponseCode::INTEGRITY.parameter(1)));
    rig.with_passwords(0x126, &[0x4000_000A], &[b""], &[]).expect("clear");
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::INTEGRITY.parameter(1)));
    let (handle, _) = primary(&mut rig, OWNER, &signing(0));
    let context = save(&mut rig, handle);
    restart(&mut rig, Some(0), 0);
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::INTEGRITY.parameter(1)));
}

/// A child ends with its parent's restart, whatever it says of itself.
#[test]
fn contexts_of_what_lies_below_a_cleared_key_end_with_a_restart() {
    let mut rig = Rig::started();
    let mut cleared = storage();
    cleared[7] |= 4;
    let (parent, _) = primary(&mut rig, OWNER, &cleared);
    let (private, public) =
        child(&mut rig, parent, &creation(b"", b"", &signing(0))).expect("a child without stClear");
    let key = super::objects::load(&mut rig, parent, &private, &public).expect("loaded");
    let kept = rig.with_area(0x120, &[OWNER, key], &PASSWORD, &0x8100_0000_u32.to_be_bytes());
    assert_eq!(kept, Err(ResponseCode::ATTRIBUTES.handle(2)));
    let context = save(&mut rig, key);
    assert_eq!(context[8..12], [0x80, 0, 0, 2]);
    flush(&mut rig, key).expect("loaded");
    let again = load(&mut rig, &context).expect("as long as there is no restart");
    assert_eq!(save(&mut rig, again)[8..12], [0x80, 0, 0, 2]);
    restart(&mut rig, Some(1), 1);
    load(&mut rig, &context).expect("resumed");
    restart(&mut rig, Some(1), 0);
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::INTEGRITY.parameter(1)));
}

#[test]
fn a_session_comes_back_once() {
    let mut rig = Rig::started();
    let handle = session(&mut rig, 1);
    rig.call(0x16B, &handle.to_be_bytes()).expect("policy");
    let before = digest(&mut rig, handle);
    let first = save(&mut rig, handle);
    assert_eq!(first[8..16], [3, 0, 0, 0, 0x40, 0, 0, 7]);
    assert_eq!(rig.call(0x189, &handle.to_be_bytes()), Err(ResponseCode::REFERENCE_H0));
    let saved = rig.call(0x17A, &[0, 0, 0, 1, 3, 0, 0, 0, 0, 0, 0, 9]).expect("saved sessions");
    assert_eq!(saved[5..], [0, 0, 0, 1, 2, 0, 0, 0]);
    assert_eq!(load(&mut rig, &first), Ok(handle));
    assert_eq!(digest(&mut rig, handle), before);
    assert_eq!(load(&mut rig, &first), Err(ResponseCode::HANDLE.parameter(1)));
    let second = save(&mut rig, handle);
    assert_eq!(load(&mut rig, &first), Err(ResponseCode::HANDLE.parameter(1)), "an old context");
    let other = session(&mut rig, 0);
    assert_eq!(other, 0x0200_0001, "the number of a saved session is taken");
    flush(&mut rig, handle).expect("a saved session can be flushed");
    assert_eq!(flush(&mut rig, handle), Err(ResponseCode::HANDLE.parameter(1)));
    assert_eq!(load(&mut rig, &second), Err(ResponseCode::HANDLE.parameter(1)));
}

#[test]
fn saved_sessions_outlast_an_orderly_end_of_power() {
    let mut rig = Rig::started();
    let handle = session(&mut rig, 1);
    rig.call(0x16B, &handle.to_be_bytes()).expect("policy");
    let before = digest(&mut rig, handle);
    let context = save(&mut rig, handle);
    restart(&mut rig, Some(1), 0);
    assert_eq!(load(&mut rig, &context), Ok(handle));
    assert_eq!(digest(&mut rig, handle), before);
    let context = save(&mut rig, handle);
    restart(&mut rig, None, 0);
    assert_eq!(load(&mut rig, &context), Err(ResponseCode::INTEGRITY.parameter(1)));
}

#[test]
fn a_time_limit_does_not_outlast_the_start_it_was_counted_from() {
    let mut rig = Rig::started();
    let handle = session(&mut rig, 1);
    // Good for an hour from the start of the device.
    let limits = [&sized(b"")[..], &sized(b""), &sized(b""), &3600_i32.to_be_bytes()].concat();
    rig.with_passwords(0x151, &[OWNER, handle], &[b""], &limits).expect("policy");
    let policy = digest(&mut rig, handle);
    rig.with_passwords(0x12E, &[OWNER], &[b""], &[&policy[..], &[0, 0x0B]].concat())
        .expect("policy of the hierarchy");
    let area = |handle: u32| [&handle.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    let clock = 0_u64.to_be_bytes();
    let late = 1_u64 << 40;
    rig.with_area(0x128, &[OWNER], &area(handle), &late.to_be_bytes()).expect("within the hour");
    rig.with_passwords(0x151, &[OWNER, handle], &[b""], &limits).expect("policy");
    let context = save(&mut rig, handle);
    restart(&mut rig, Some(1), 0);
    load(&mut rig, &context).expect("the session is back");
    assert_eq!(
        rig.with_area(0x128, &[OWNER], &area(handle), &clock),
        Err(ResponseCode::EXPIRED.session(1))
    );
}

#[test]
fn a_sequence_goes_on_where_it_was_saved() {
    let mut rig = Rig::started();
    let start = rig.call(0x186, &[&sized(b"pw")[..], &[0, 0x0B]].concat()).expect("start");
    let handle = u32::from_be_bytes(start[..4].try_into().expect("a handle"));
    rig.with_passwords(0x15C, &[handle], &[b"pw"], &sized(b"first ")).expect("update");
    let context = save(&mut rig, handle);
    assert_eq!(context[8..12], [0x80, 0, 0, 1]);
    flush(&mut rig, handle).expect("loaded");
    let handle = load(&mut rig, &context).expect("load");
    let rest = [&sized(b"second")[..], &NULL.to_be_bytes()].concat();
    let answer = rig.with_passwords(0x13E, &[handle], &[b"pw"], &rest).expect("complete");
    let digest = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[b"first second"]);
    assert_eq!(answer[..34], sized(digest.as_bytes()));
    assert_eq!(flush(&mut rig, handle), Err(ResponseCode::HANDLE.parameter(1)), "it ended");
}
