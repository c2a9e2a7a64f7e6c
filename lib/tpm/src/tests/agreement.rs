//! Key agreement on curves, promises, and what is made of them.

use alloc::vec::Vec;

use super::objects::{COMMON, DECRYPT, NO_DA, OWNER, SIGN, primary, signing, template};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const KEY_GEN: u32 = 0x163;
const Z_GEN: u32 = 0x154;
const PARAMETERS: u32 = 0x178;
const EPHEMERAL: u32 = 0x18E;
const TWO_PHASE: u32 = 0x18D;
const COMMIT: u32 = 0x18B;

/// A key for agreement on the curve with this number.
fn agreeing(curve: u8) -> Vec<u8> {
    template(0x23, COMMON | NO_DA | DECRYPT, &[0, 0x10, 0, 0x10, 0, curve, 0, 0x10, 0, 0, 0, 0])
}

/// The two points of an answer, each with its size.
fn points(answer: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let size = 2 + usize::from(u16::from_be_bytes([answer[0], answer[1]]));
    (answer[..size].to_vec(), answer[size..].to_vec())
}

#[test]
fn both_sides_find_the_same_point() {
    for curve in [3, 4, 5] {
        let mut rig = Rig::started();
        let (key, _) = primary(&mut rig, OWNER, &agreeing(curve));
        let answer = rig.call(KEY_GEN, &key.to_be_bytes()).expect("generate");
        let (shared, public) = points(&answer);
        assert_eq!(rig.with_passwords(Z_GEN, &[key], &[b""], &public), Ok(shared));
        let mut off = public.clone();
        *off.last_mut().expect("a coordinate") ^= 1;
        assert_eq!(
            rig.with_passwords(Z_GEN, &[key], &[b""], &off),
            Err(ResponseCode::ECC_POINT.parameter(1))
        );
    }
}

#[test]
fn keys_for_something_else_do_not_agree() {
    let mut rig = Rig::started();
    let (signer, _) = primary(&mut rig, OWNER, &signing(0));
    let (key, _) = primary(&mut rig, OWNER, &agreeing(3));
    let answer = rig.call(KEY_GEN, &key.to_be_bytes()).expect("generate");
    let (_, public) = points(&answer);
    assert_eq!(
        rig.with_passwords(Z_GEN, &[signer], &[b""], &public),
        Err(ResponseCode::ATTRIBUTES.handle(1))
    );
    let sealed = template(8, 0x52, &[0, 0x10, 0, 0]);
    let parameters = [&sized(&[sized(b""), sized(b"data")].concat())[..], &sized(&sealed)].concat();
    let made = rig.with_passwords(0x191, &[OWNER], &[b""], &parameters).expect("sealed data");
    assert_eq!(rig.call(KEY_GEN, &made[..4]), Err(ResponseCode::KEY.handle(1)));
}

#[test]
fn parameters_are_told_for_known_curves() {
    let mut rig = Rig::started();
    let answer = rig.call(PARAMETERS, &[0, 3]).expect("P-256");
    assert_eq!(answer[..12], [0, 3, 1, 0, 0, 0x20, 0, 0x0B, 0, 0x10, 0, 32]);
    assert_eq!(answer.len(), 10 + 6 * 34 + 3);
    let answer = rig.call(PARAMETERS, &[0, 0x20]).expect("SM2's");
    assert_eq!(answer[..12], [0, 0x20, 1, 0, 0, 0x20, 0, 0x12, 0, 0x10, 0, 32]);
    assert_eq!(rig.call(PARAMETERS, &[0, 0x21]), Err(ResponseCode::CURVE.parameter(1)));
}

#[test]
fn a_promised_scalar_is_used_once() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &agreeing(3));
    let promise = rig.call(EPHEMERAL, &[0, 3]).expect("promise");
    let (point, count) = points(&promise);
    assert_eq!(count, [0, 0]);
    let parameters = |scheme: u8, count: u8| [&point[..], &point, &[0, scheme, 0, count]].concat();
    assert_eq!(
        rig.with_passwords(TWO_PHASE, &[key], &[b""], &parameters(0x1D, 0)),
        Err(ResponseCode::SCHEME.parameter(3))
    );
    assert_eq!(
        rig.with_passwords(TWO_PHASE, &[key], &[b""], &parameters(0x19, 1)),
        Err(ResponseCode::VALUE.parameter(4))
    );
    let answer =
        rig.with_passwords(TWO_PHASE, &[key], &[b""], &parameters(0x19, 0)).expect("two points");
    let plain = rig.with_passwords(Z_GEN, &[key], &[b""], &point).expect("one point");
    assert_eq!(points(&answer).0, plain);
    assert_eq!(
        rig.with_passwords(TWO_PHASE, &[key], &[b""], &parameters(0x19, 0)),
        Err(ResponseCode::VALUE.parameter(4))
    );
}

/// A key for SM2's exchange alone, on its curve.
fn exchanging() -> Vec<u8> {
    template(
        0x23,
        COMMON | NO_DA | DECRYPT,
        &[0, 0x10, 0, 0x1B, 0, 0x12, 0, 0x20, 0, 0x10, 0, 0, 0, 0],
    )
}

/// The public point of a key, as a parameter.
fn point_of(public: &[u8]) -> Vec<u8> {
    sized(&public[public.len() - 68..])
}

#[test]
fn both_parties_of_an_exchange_find_the_same_point() {
    let mut rig = Rig::started();
    // One key says how, the other leaves it open.
    let (one, one_public) = primary(&mut rig, OWNER, &exchanging());
    let (other, other_public) = primary(&mut rig, OWNER, &agreeing(0x20));
    let [one_public, other_public] = [one_public, other_public].map(|public| point_of(&public));
    let (one_promise, one_count) = points(&rig.call(EPHEMERAL, &[0, 0x20]).expect("promise"));
    let (other_promise, other_count) = points(&rig.call(EPHEMERAL, &[0, 0x20]).expect("promise"));
    let mut find = |key: u32, fixed: &[u8], passing: &[u8], scheme: u8, count: &[u8]| {
        let parameters = [fixed, passing, &[0, scheme], count].concat();
        rig.with_passwords(TWO_PHASE, &[key], &[b""], &parameters)
    };
    assert_eq!(
        find(one, &other_public, &other_promise, 0x19, &one_count),
        Err(ResponseCode::SCHEME.parameter(3)),
        "the key is for SM2"
    );
    let found = find(one, &other_public, &other_promise, 0x1B, &one_count).expect("a point");
    let (first, second) = points(&found);
    assert_eq!(first.len(), 70);
    assert_eq!(second, [0, 4, 0, 0, 0, 0], "there is no second one");
    let again = find(other, &one_public, &one_promise, 0x1B, &other_count);
    assert_eq!(again, Ok(found));
    assert_eq!(
        find(one, &other_public, &other_promise, 0x1B, &one_count),
        Err(ResponseCode::VALUE.parameter(4)),
        "a promise is used once"
    );
    assert_eq!(
        rig.with_passwords(Z_GEN, &[one], &[b""], &other_public),
        Err(ResponseCode::SCHEME.handle(1))
    );
}

#[test]
fn promises_are_forgotten_after_sixty_four_others() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &agreeing(3));
    let first = rig.call(EPHEMERAL, &[0, 3]).expect("promise");
    let (point, _) = points(&first);
    for _ in 0..64 {
        rig.call(EPHEMERAL, &[0, 3]).expect("promise");
    }
    let use_of = |count: u8| [&point[..], &point, &[0, 0x19, 0, count]].concat();
    assert_eq!(
        rig.with_passwords(TWO_PHASE, &[key], &[b""], &use_of(0)),
        Err(ResponseCode::VALUE.parameter(4))
    );
    rig.with_passwords(TWO_PHASE, &[key], &[b""], &use_of(1)).expect("still open");
}

/// A key that signs anonymously.
fn anonymous() -> Vec<u8> {
    template(
        0x23,
        COMMON | NO_DA | SIGN,
        &[0, 0x10, 0, 0x1A, 0, 0x0B, 0, 0, 0, 3, 0, 0x10, 0, 0, 0, 0],
    )
}

#[test]
fn an_anonymous_signature_uses_its_commitment_up() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &anonymous());
    // No point, no seed: a multiple of the generator alone.
    let committed = rig.with_passwords(COMMIT, &[key], &[b""], &[0; 6]).expect("commit");
    assert_eq!(committed[..12], [0, 4, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    assert_eq!(committed[12..14], [0, 68]);
    assert_eq!(committed[committed.len() - 2..], [0, 0]);
    let sign =
        |scheme: &[u8]| [&sized(&[1; 32])[..], scheme, &[0x80, 0x24, 0x40, 0, 0, 7, 0, 0]].concat();
    assert_eq!(
        rig.with_passwords(0x15D, &[key], &[b""], &sign(&[0, 0x10])),
        Err(ResponseCode::SCHEME.parameter(2)),
        "the commitment has to be named"
    );
    let with = sign(&[0, 0x1A, 0, 0x0B, 0, 0]);
    let signature = rig.with_passwords(0x15D, &[key], &[b""], &with).expect("sign");
    assert_eq!(signature[..4], [0, 0x1A, 0, 0x0B]);
    assert_eq!(rig.with_passwords(0x15D, &[key], &[b""], &with), Err(ResponseCode::VALUE));
}

#[test]
fn commitments_check_their_points() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &anonymous());
    let (plain, _) = primary(&mut rig, OWNER, &signing(0));
    assert_eq!(
        rig.with_passwords(COMMIT, &[plain], &[b""], &[0; 6]),
        Err(ResponseCode::SCHEME.handle(1))
    );
    let half = [&[0, 0][..], &sized(b"seed"), &[0, 0]].concat();
    assert_eq!(
        rig.with_passwords(COMMIT, &[key], &[b""], &half),
        Err(ResponseCode::SIZE.parameter(3))
    );
    let off = [&[0, 0][..], &sized(b"seed"), &sized(&[1; 32])].concat();
    assert_eq!(
        rig.with_passwords(COMMIT, &[key], &[b""], &off),
        Err(ResponseCode::ECC_POINT.parameter(2))
    );
    let point = sized(&[sized(&[1; 32]), sized(&[1; 32])].concat());
    assert_eq!(
        rig.with_passwords(COMMIT, &[key], &[b""], &[&point[..], &[0; 4]].concat()),
        Err(ResponseCode::ECC_POINT.parameter(1))
    );
}
