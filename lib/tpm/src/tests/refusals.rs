//! Errors of commands whose success others test, and what else was left.

use alloc::vec::Vec;

use super::objects::{COMMON, DECRYPT, SIGN, child, creation, load, primary, sealed, signing};
use super::objects::{storage, template};
use super::rig::{Rig, sized};
use crate::ResponseCode;
use crate::wire::bits::NvAttributes;

const OWNER: u32 = 0x4000_0001;
const NULL: u32 = 0x4000_0007;
const LOCKOUT: u32 = 0x4000_000A;
const ENDORSEMENT: u32 = 0x4000_000B;
const PLATFORM: u32 = 0x4000_000C;
const INDEX: u32 = 0x0100_0001;
const NO_SCHEME: [u8; 2] = [0, 0x10];

/// An index of eight bytes that its password `pw` reads and writes.
fn define(rig: &mut Rig, policy: &[u8]) {
    let attributes = NvAttributes::AUTHREAD | NvAttributes::AUTHWRITE;
    let public = [
        &INDEX.to_be_bytes()[..],
        &[0, 0x0B],
        &attributes.bits().to_be_bytes(),
        &sized(policy),
        &[0, 8],
    ]
    .concat();
    let parameters = [sized(b"pw"), sized(&public)].concat();
    rig.with_passwords(0x12A, &[OWNER], &[b""], &parameters).expect("defined");
}

fn session(rig: &mut Rig, kind: u8) -> Vec<u8> {
    let null = NULL.to_be_bytes();
    let body = [&null[..], &null, &sized(&[9; 16]), &sized(&[]), &[kind, 0, 0x10, 0, 0x0B]];
    rig.call(0x176, &body.concat()).expect("session")[..4].to_vec()
}

#[test]
fn hierarchies_that_do_not_belong_there_authorize_nothing() {
    let mut rig = Rig::started();
    let wrong = Err(ResponseCode::VALUE.handle(1));
    for (code, by) in [(0x132, ENDORSEMENT), (0x133, OWNER), (0x13F, OWNER), (0x13A, PLATFORM)] {
        assert_eq!(rig.with_passwords(code, &[by], &[b""], &[]), wrong, "{code:x}");
    }
    let few = rig.with_passwords(0x13A, &[LOCKOUT], &[b""], &[0; 8]);
    assert_eq!(few, Err(ResponseCode::INSUFFICIENT.parameter(3)));
}

#[test]
fn a_set_of_algorithms_is_told() {
    let mut rig = Rig::started();
    let algorithms = |rig: &mut Rig| {
        rig.call(0x17A, &[0, 0, 0, 0, 0, 0, 0, 0x27, 0, 0, 0, 4]).expect("from SHA3-256 on")
    };
    let third = |list: &[u8]| list[9 + 2 * 6..][..2].to_vec();
    assert_eq!(third(&algorithms(&mut rig)), [0, 0x41], "set 0 leaves SHA-3 out");
    rig.with_passwords(0x13F, &[PLATFORM], &[b""], &[0, 0, 0, 7]).expect("set");
    assert_eq!(third(&algorithms(&mut rig)), [0, 0x29]);
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    assert_eq!(third(&algorithms(&mut rig)), [0, 0x29], "it lasts");
    let asked = [6_u32, 0x20C, 1].map(u32::to_be_bytes).concat();
    assert!(rig.call(0x17A, &asked).expect("told").ends_with(&[0, 0, 2, 0x0C, 0, 0, 0, 7]));
}

#[test]
fn an_index_is_of_one_type() {
    let mut rig = Rig::started();
    define(&mut rig, b"");
    let mut own = |code: u32, parameters: &[u8]| {
        rig.with_passwords(code, &[INDEX, INDEX], &[b"pw"], parameters)
    };
    let wrong = Err(ResponseCode::ATTRIBUTES.handle(2));
    assert_eq!(own(0x135, &[0; 8]), wrong);
    assert_eq!(own(0x136, &sized(b"data")), wrong);
}

#[test]
fn an_index_s_value_changes_by_its_policy_alone() {
    let mut rig = Rig::started();
    let code = 0x13B_u32.to_be_bytes();
    let policy = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[
        &[0; 32],
        &0x16C_u32.to_be_bytes(),
        &code,
    ]);
    define(&mut rig, policy.as_bytes());
    let by_password = rig.with_passwords(0x13B, &[INDEX], &[b"pw"], &sized(b"new"));
    assert_eq!(by_password, Err(ResponseCode::AUTH_TYPE));
    let policy = session(&mut rig, 1);
    rig.call(0x16C, &[&policy[..], &code].concat()).expect("the command");
    let area = [&policy[..], &[0, 0, 1, 0, 0]].concat();
    let long = rig.with_area(0x13B, &[INDEX], &area, &sized(&[7; 33]));
    assert_eq!(long, Err(ResponseCode::SIZE.parameter(1)));
    rig.with_area(0x13B, &[INDEX], &area, &sized(b"new")).expect("changed");
    let write = [&sized(&[1; 8])[..], &[0, 0]].concat();
    let old = rig.with_passwords(0x137, &[INDEX, INDEX], &[b"pw"], &write);
    assert_eq!(old, Err(ResponseCode::AUTH_FAIL.session(1)));
    rig.with_passwords(0x137, &[INDEX, INDEX], &[b"new"], &write).expect("written");
}

#[test]
fn events_need_their_locality_and_their_sequence() {
    let mut rig = Rig::started();
    let event = rig.with_passwords(0x13C, &[17], &[b""], &sized(b"event"));
    assert_eq!(event, Err(ResponseCode::LOCALITY));
    let sequence = [&sized(b"")[..], &[0, 0x0B]].concat();
    let handle = rig.call(0x186, &sequence).expect("a hash sequence");
    let handle = u32::from_be_bytes(handle.try_into().expect("a handle"));
    assert_eq!(
        rig.with_passwords(0x185, &[16, handle], &[b"", b""], &sized(b"")),
        Err(ResponseCode::MODE.handle(2))
    );
}

#[test]
fn only_keys_that_sign_state_anything() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let by = |rig: &mut Rig, code: u32, handles: &[u32], rest: &[u8]| {
        let passwords: Vec<&[u8]> = handles.iter().map(|_| &b""[..]).collect();
        let parameters = [&sized(b"")[..], &NO_SCHEME, rest].concat();
        rig.with_passwords(code, handles, &passwords, &parameters)
    };
    let none = [0; 4];
    let second = Err(ResponseCode::KEY.handle(2));
    assert_eq!(by(&mut rig, 0x158, &[parent], &none), Err(ResponseCode::KEY.handle(1)));
    assert_eq!(by(&mut rig, 0x148, &[parent, parent], &[]), second);
    assert_eq!(by(&mut rig, 0x14C, &[ENDORSEMENT, parent], &[]), second);
    assert_eq!(by(&mut rig, 0x133, &[ENDORSEMENT, parent], &[]), second);
}

#[test]
fn an_object_s_value_changes_below_its_parent() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let (other, _) = primary(&mut rig, ENDORSEMENT, &storage());
    let parameters = creation(b"pw", b"secret", &sealed());
    let (private, public) = child(&mut rig, parent, &parameters).expect("child");
    let object = load(&mut rig, parent, &private, &public).expect("loaded");
    let change = |rig: &mut Rig, parent: u32, value: &[u8]| {
        rig.with_passwords(0x150, &[object, parent], &[b"pw"], &sized(value))
    };
    assert_eq!(change(&mut rig, other, b"new"), Err(ResponseCode::TYPE.handle(2)));
    assert_eq!(change(&mut rig, parent, &[7; 33]), Err(ResponseCode::SIZE.parameter(1)));
    change(&mut rig, parent, b"new").expect("changed");
}

#[test]
fn secrets_from_outside_belong_to_no_hierarchy() {
    let mut rig = Rig::started();
    let seed = [4; 32];
    let key = [5; 32];
    let sensitive = [&[0, 8][..], &sized(b""), &sized(&seed), &sized(&key)].concat();
    let unique = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[&seed, &key]);
    let details = [&[0, 5, 0, 0x0B][..], &sized(unique.as_bytes())].concat();
    let public = template(8, 0x40 | SIGN, &details);
    let into = |rig: &mut Rig, hierarchy: u32| {
        let both = [sized(&sensitive), sized(&public)].concat();
        rig.call(0x167, &[&both[..], &hierarchy.to_be_bytes()].concat())
    };
    assert_eq!(into(&mut rig, OWNER), Err(ResponseCode::HIERARCHY.parameter(3)));
    into(&mut rig, NULL).expect("loaded");
}

#[test]
fn policies_are_said_to_policy_sessions() {
    let mut rig = Rig::started();
    let hmac = session(&mut rig, 0);
    for code in [0x16B, 0x18C, 0x187] {
        assert_eq!(rig.call(code, &hmac), Err(ResponseCode::VALUE.handle(1)), "{code:x}");
    }
}

#[test]
fn a_template_can_be_asked_for_once() {
    let mut rig = Rig::started();
    let policy = session(&mut rig, 1);
    let mut say = |digest: &[u8]| rig.call(0x190, &[&policy[..], &sized(digest)].concat());
    assert_eq!(say(&[7; 20]), Err(ResponseCode::SIZE.parameter(1)));
    say(&[7; 32]).expect("said");
    assert_eq!(say(&[8; 32]), Err(ResponseCode::VALUE.parameter(1)));
}

#[test]
fn algorithms_are_known_or_not() {
    let mut rig = Rig::started();
    let unknown = [0, 0, 0, 1, 0x7F, 0xFF];
    assert_eq!(rig.call(0x142, &unknown), Err(ResponseCode::VALUE.parameter(1)));
    let rsa = |bits: u16| [&[0, 1, 0, 0x10, 0, 0x10][..], &bits.to_be_bytes(), &[0; 4]].concat();
    rig.call(0x18A, &rsa(2048)).expect("known");
    assert_eq!(rig.call(0x18A, &rsa(512)), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(rig.call(0x18E, &[0, 0x7F]), Err(ResponseCode::CURVE.parameter(1)));
}

#[test]
fn nothing_may_follow_the_last_parameter() {
    let mut rig = Rig::started();
    for code in [0x17C, 0x181] {
        assert_eq!(rig.call(code, &[0]), Err(ResponseCode::SIZE), "{code:x}");
    }
    assert_eq!(rig.call(0x145, &[0, 2]), Err(ResponseCode::VALUE.parameter(1)));
}

#[test]
fn a_cipher_keeps_its_mode() {
    let mut rig = Rig::started();
    let cipher = template(0x25, COMMON | DECRYPT | SIGN, &[0, 6, 0, 128, 0, 0x42, 0, 0]);
    let (key, _) = primary(&mut rig, OWNER, &cipher);
    let ask = |rig: &mut Rig, key: u32, mode: u8| {
        let parameters = [&sized(&[0; 16])[..], &[0, 0, mode], &sized(&[0; 16])].concat();
        rig.with_passwords(0x193, &[key], &[b""], &parameters)
    };
    ask(&mut rig, key, 0x42).expect("encrypted");
    assert_eq!(ask(&mut rig, key, 0x43), Err(ResponseCode::MODE.parameter(3)));
    let (signer, _) = primary(&mut rig, OWNER, &signing(0));
    assert_eq!(ask(&mut rig, signer, 0x42), Err(ResponseCode::KEY.handle(1)));
}
