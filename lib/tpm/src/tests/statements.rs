//! What the device states about NV, sessions and commands; signed policies.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::objects::{OWNER, primary, signing};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const NULL: u32 = 0x4000_0007;
const ENDORSEMENT: u32 = 0x4000_000B;
const INDEX: u32 = 0x0100_0042;
const NO_SCHEME: [u8; 2] = [0, 0x10];
const EMPTY: &[u8] = b"";

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    HashAlgorithm::Sha256.digest(parts).as_bytes().to_vec()
}

/// An index of 32 bytes with content, which anyone may use.
fn index(rig: &mut Rig) {
    let public = [&INDEX.to_be_bytes()[..], &[0, 0x0B, 0, 6, 0, 6], &sized(b""), &[0, 32]].concat();
    rig.with_passwords(0x12A, &[OWNER], &[EMPTY], &[sized(b""), sized(&public)].concat())
        .expect("define");
    let write = [&sized(&[7; 32])[..], &[0, 0]].concat();
    rig.with_passwords(0x137, &[INDEX, INDEX], &[EMPTY], &write).expect("write");
}

#[test]
fn an_index_is_certified_in_part_or_by_its_digest() {
    let mut rig = Rig::started();
    index(&mut rig);
    let mut certify = |size: u16, offset: u16| {
        let parameters =
            [&sized(b"data")[..], &NO_SCHEME, &size.to_be_bytes(), &offset.to_be_bytes()].concat();
        rig.with_passwords(0x184, &[NULL, INDEX, INDEX], &[EMPTY, EMPTY], &parameters)
    };
    let part = certify(4, 2).expect("part");
    assert_eq!(part[2..8], [0xFF, b'T', b'C', b'G', 0x80, 0x14]);
    assert!(part.ends_with(&[&[0, 2][..], &sized(&[7; 4]), &NO_SCHEME].concat()));
    let whole = certify(0, 0).expect("digest");
    assert_eq!(whole[6..8], [0x80, 0x1C]);
    let content = HashAlgorithm::Sha512.digest(&[&[7; 32]]);
    assert!(whole.ends_with(&[&sized(content.as_bytes())[..], &NO_SCHEME].concat()));
    assert_eq!(certify(31, 2), Err(ResponseCode::NV_RANGE));
    assert_eq!(certify(0, 33), Err(ResponseCode::NV_RANGE));
}

#[test]
fn audited_commands_are_stated_and_then_forgotten() {
    let mut rig = Rig::started();
    let none = [0; 4];
    let set = [&[0, 0x10][..], &[0, 0, 0, 1, 0, 0, 1, 0x7B], &none].concat();
    rig.with_passwords(0x140, &[OWNER], &[EMPTY], &set).expect("set");
    rig.call(0x17B, &[0, 8]).expect("random");
    let (key, _) = primary(&mut rig, ENDORSEMENT, &signing(0));
    let mut state = |signer: u32| {
        let parameters = [&sized(b"")[..], &NO_SCHEME].concat();
        let answer =
            rig.with_passwords(0x133, &[ENDORSEMENT, signer], &[EMPTY, EMPTY], &parameters);
        let answer = answer.expect("statement");
        // Behind the signer's name and no data come 17 and 8 bytes, then counter,
        // hash, and the digest.
        let name = 10 + usize::from(u16::from_be_bytes([answer[8], answer[9]]));
        answer[name + 2 + 25..].to_vec()
    };
    let unsigned = state(NULL);
    assert_eq!(unsigned[8..12], [0, 0x0D, 0, 64]);
    let signed = state(key);
    assert_eq!(signed[..76], unsigned[..76]);
    assert_eq!(state(key)[10..12], [0, 0], "nothing was recorded since");
}

#[test]
fn a_sessions_audit_is_stated() {
    let mut rig = Rig::started();
    let start = [
        &NULL.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&[7; 16]),
        &[0, 0, 0, 0, 0x10, 0, 0x0B],
    ]
    .concat();
    let session = rig.call(0x176, &start).expect("session")[..4].to_vec();
    let handle = u32::from_be_bytes(session.clone().try_into().expect("a handle"));
    let parameters = [&sized(b"")[..], &NO_SCHEME].concat();
    let handles = [ENDORSEMENT, NULL, handle];
    let passwords: [&[u8]; 2] = [b"", b""];
    assert_eq!(
        rig.with_passwords(0x14D, &handles, &passwords, &parameters),
        Err(ResponseCode::TYPE.handle(3)),
        "nothing was audited"
    );
    // An unbound session without a salt proves nothing, so its HMAC is empty.
    let area = [&session[..], &[0, 0, 0x81, 0, 0]].concat();
    let (random, _) = rig.with_area(0x17B, &[], &area, &[0, 8]).expect("random");
    let command = digest(&[&0x17B_u32.to_be_bytes(), &[0, 8]]);
    let response = digest(&[&[0; 4], &0x17B_u32.to_be_bytes(), &random]);
    let audit = digest(&[&[0; 32], &command, &response]);
    let stated = rig.with_passwords(0x14D, &handles, &passwords, &parameters).expect("statement");
    assert_eq!(stated[6..8], [0x80, 0x16]);
    assert!(stated.ends_with(&[&[1][..], &sized(&audit), &NO_SCHEME].concat()));
}

#[test]
fn a_signature_satisfies_a_policy() {
    let mut rig = Rig::started();
    let (key, public) = primary(&mut rig, OWNER, &signing(0));
    let start = [
        &NULL.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&[7; 16]),
        &[0, 0, 1, 0, 0x10, 0, 0x0B],
    ]
    .concat();
    let answer = rig.call(0x176, &start).expect("session");
    let (session, nonce) = (answer[..4].to_vec(), answer[6..].to_vec());
    let sign = |rig: &mut Rig, message: &[u8]| {
        let parameters =
            [&sized(&digest(&[message]))[..], &NO_SCHEME, &[0x80, 0x24, 0x40, 0, 0, 7, 0, 0]]
                .concat();
        rig.with_passwords(0x15D, &[key], &[EMPTY], &parameters).expect("sign")
    };
    let policy = |rig: &mut Rig, nonce: &[u8], expiration: i32, signature: &[u8]| {
        let body = [
            &key.to_be_bytes()[..],
            &session,
            &sized(nonce),
            &sized(b""),
            &sized(b"reference"),
            &expiration.to_be_bytes(),
            signature,
        ]
        .concat();
        rig.call(0x160, &body)
    };
    let aside = sign(&mut rig, b"something else");
    assert_eq!(policy(&mut rig, &nonce, 0, &aside), Err(ResponseCode::SIGNATURE.parameter(5)));
    assert_eq!(policy(&mut rig, &[1; 16], 0, &aside), Err(ResponseCode::NONCE.parameter(1)));
    let message = [&nonce[..], &(-60_i32).to_be_bytes(), b"reference"].concat();
    let signature = sign(&mut rig, &message);
    let answer = policy(&mut rig, &nonce, -60, &signature).expect("policy");
    let name = [&[0, 0x0B][..], &digest(&[&public])].concat();
    let named = digest(&[&[0; 32], &0x160_u32.to_be_bytes(), &name]);
    let expected = digest(&[&named, b"reference"]);
    assert_eq!(rig.call(0x189, &session), Ok(sized(&expected)));
    // A ticket was asked for; it does the same without the key.
    rig.call(0x180, &session).expect("restart");
    let (timeout, ticket) = answer.split_at(10);
    let body = |timeout: &[u8]| {
        [&session, timeout, &sized(b""), &sized(b"reference"), &sized(&name), ticket].concat()
    };
    let mut later = timeout.to_vec();
    later[2] ^= 1;
    assert_eq!(rig.call(0x172, &body(&later)), Err(ResponseCode::TICKET.parameter(5)));
    rig.call(0x172, &body(timeout)).expect("ticket");
    assert_eq!(rig.call(0x189, &session), Ok(sized(&expected)));
    rig.clock.0.set(100_000);
    assert_eq!(rig.call(0x172, &body(timeout)), Err(ResponseCode::EXPIRED.parameter(1)));
}
