//! Signatures and statements, checked as someone else would.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::objects::{OWNER, SIGN, primary, signing};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const NULL: u32 = 0x4000_0007;
const ENDORSEMENT: u32 = 0x4000_000B;
const RESTRICTED: u32 = 1 << 16;
const NULL_TICKET: [u8; 8] = [0x80, 0x24, 0x40, 0, 0, 7, 0, 0];
const NO_SCHEME: [u8; 2] = [0, 0x10];

fn digest(data: &[u8]) -> Vec<u8> {
    HashAlgorithm::Sha256.digest(&[data]).as_bytes().to_vec()
}

/// Loads the public half alone, and checks a signature with it.
fn verify(
    rig: &mut Rig,
    public: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> Result<Vec<u8>, ResponseCode> {
    let parameters = [&sized(b"")[..], &sized(public), &NULL.to_be_bytes()].concat();
    let handle = rig.call(0x167, &parameters).expect("load")[..4].to_vec();
    let result = rig.call(0x177, &[&handle[..], &sized(digest), signature].concat());
    rig.call(0x165, &handle).expect("flush");
    result
}

#[test]
fn what_a_key_signs_its_public_half_confirms() {
    let mut rig = Rig::started();
    let rsa = [
        &[0, 1, 0, 0x0B][..],
        &(0x472 | SIGN).to_be_bytes(),
        &[0, 0, 0, 0x10, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    // On SM2's curve, with SM2 and SM3 as its scheme.
    let mut sm2 = signing(0);
    (sm2[13], sm2[15], sm2[17]) = (0x1B, 0x12, 0x20);
    let open = [&[0, 0x23, 0, 0x0B][..], &(0x472 | SIGN).to_be_bytes(), &[0; 2]].concat();
    let open = [&open[..], &[0, 0x10, 0, 0x10, 0, 0x20, 0, 0x10, 0, 0, 0, 0]].concat();
    let cases: [(Vec<u8>, &[u8]); 8] = [
        (sm2.clone(), &NO_SCHEME),
        (sm2, &[0, 0x1B, 0, 0x12]),
        (open, &[0, 0x18, 0, 0x0B]),
        (signing(0), &NO_SCHEME),
        (signing(0), &[0, 0x18, 0, 0x0B]),
        (rsa.clone(), &[0, 0x14, 0, 0x0B]),
        (rsa.clone(), &[0, 0x16, 0, 0x0B]),
        // The template's scheme made to be ECSCHNORR.
        (
            signing(0)
                .iter()
                .enumerate()
                .map(|(at, byte)| if at == 13 { 0x1C } else { *byte })
                .collect(),
            &NO_SCHEME,
        ),
    ];
    for (template, scheme) in cases {
        let (key, public) = primary(&mut rig, OWNER, &template);
        let parameters = [&sized(&digest(b"abc"))[..], scheme, &NULL_TICKET].concat();
        let signature = rig.with_passwords(0x15D, &[key], &[b""], &parameters).expect("sign");
        let ticket = verify(&mut rig, &public, &digest(b"abc"), &signature).expect("valid");
        assert_eq!(ticket, [0x80, 0x22, 0x40, 0, 0, 7, 0, 0]);
        assert_eq!(
            verify(&mut rig, &public, &digest(b"abd"), &signature),
            Err(ResponseCode::SIGNATURE.parameter(2))
        );
        rig.call(0x165, &key.to_be_bytes()).expect("flush");
    }
}

#[test]
fn schemes_and_digests_have_to_fit() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &signing(0));
    let mut sign = |digest: &[u8], scheme: &[u8]| {
        let parameters = [&sized(digest)[..], scheme, &NULL_TICKET].concat();
        rig.with_passwords(0x15D, &[key], &[b""], &parameters)
    };
    assert_eq!(sign(&[1; 20], &NO_SCHEME), Err(ResponseCode::SIZE.parameter(1)));
    assert_eq!(sign(&[1; 48], &[0, 0x18, 0, 0x0C]), Err(ResponseCode::SCHEME.parameter(2)));
    assert_eq!(sign(&[1; 32], &[0, 0x77]), Err(ResponseCode::SCHEME.parameter(2)));
}

#[test]
fn a_restricted_key_signs_only_what_the_device_hashed() {
    let mut rig = Rig::started();
    let (key, public) = primary(&mut rig, OWNER, &signing(RESTRICTED));
    let unknown = [&sized(&digest(b"abc"))[..], &NO_SCHEME, &NULL_TICKET].concat();
    assert_eq!(
        rig.with_passwords(0x15D, &[key], &[b""], &unknown),
        Err(ResponseCode::TICKET.parameter(3))
    );
    let hashed = rig
        .call(0x17D, &[&sized(b"abc")[..], &[0, 0x0B], &OWNER.to_be_bytes()].concat())
        .expect("hash");
    let known = [&hashed[..34], &NO_SCHEME, &hashed[34..]].concat();
    let signature = rig.with_passwords(0x15D, &[key], &[b""], &known).expect("sign");
    verify(&mut rig, &public, &digest(b"abc"), &signature).expect("valid");
}

#[test]
fn a_ticket_is_checked_wherever_there_is_one() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &signing(0));
    let hashed = rig
        .call(0x17D, &[&sized(b"abc")[..], &[0, 0x0B], &OWNER.to_be_bytes()].concat())
        .expect("hash");
    let mut sign = |digest: &[u8]| {
        let parameters = [&sized(digest)[..], &NO_SCHEME, &hashed[34..]].concat();
        rig.with_passwords(0x15D, &[key], &[b""], &parameters)
    };
    sign(&digest(b"abc")).expect("its digest");
    assert_eq!(sign(&digest(b"abd")), Err(ResponseCode::TICKET.parameter(3)));
}

#[test]
fn a_quote_tells_the_pcrs_and_who_says_so() {
    let mut rig = Rig::started();
    let selection = [0, 0, 0, 1, 0, 0x0B, 3, 1, 0, 0];
    for hierarchy in [OWNER, ENDORSEMENT] {
        let (key, public) = primary(&mut rig, hierarchy, &signing(RESTRICTED));
        let parameters = [&sized(b"nonce")[..], &NO_SCHEME, &selection].concat();
        let answer = rig.with_passwords(0x158, &[key], &[b""], &parameters).expect("quote");
        let length = usize::from(u16::from_be_bytes([answer[0], answer[1]]));
        let (attested, signature) = answer[2..].split_at(length);
        assert_eq!(attested[..6], [0xFF, b'T', b'C', b'G', 0x80, 0x18]);
        assert_eq!(attested[42..49], sized(b"nonce"));
        assert_eq!(attested[74..84], selection);
        assert_eq!(attested[84..], sized(&digest(&[0; 32])));
        // Only the endorsement hierarchy's keys tell the counters as they are.
        assert_eq!(attested[57..61] == [0, 0, 0, 1], hierarchy == ENDORSEMENT);
        verify(&mut rig, &public, &digest(attested), signature).expect("valid");
        rig.call(0x165, &key.to_be_bytes()).expect("flush");
    }
    let unsigned = [&sized(b"")[..], &NO_SCHEME, &selection].concat();
    assert_eq!(
        rig.with_passwords(0x158, &[NULL], &[b""], &unsigned),
        Err(ResponseCode::SCHEME.parameter(2)),
        "no hash for the PCRs"
    );
}

#[test]
fn keys_their_creation_and_the_time_are_certified() {
    let mut rig = Rig::started();
    let (signer, public) = primary(&mut rig, OWNER, &signing(RESTRICTED));
    let sensitive = sized(&[0; 4]);
    let creation = [&sensitive[..], &sized(&signing(0)), &sized(b""), &[0; 4]].concat();
    let made = rig.with_passwords(0x131, &[OWNER], &[b""], &creation).expect("primary");
    let key = u32::from_be_bytes(made[..4].try_into().expect("a handle"));
    // Behind the public area and the creation data: digest, ticket, name.
    let tail = &made[made.len() - 36 - 72 - 34..];
    let (hash, rest) = tail.split_at(34);
    let (ticket, name) = rest.split_at(72);

    let check = |rig: &mut Rig, answer: &[u8], kind: u8, told: &[u8]| {
        let length = usize::from(u16::from_be_bytes([answer[0], answer[1]]));
        let (attested, signature) = answer[2..].split_at(length);
        assert_eq!(attested[4..6], [0x80, kind]);
        assert!(attested.windows(told.len()).any(|window| window == told));
        verify(rig, &public, &digest(attested), signature).expect("valid");
    };
    let plain = [&sized(b"")[..], &NO_SCHEME].concat();
    let answer = rig.with_passwords(0x148, &[key, signer], &[b"", b""], &plain).expect("certify");
    check(&mut rig, &answer, 0x17, name);
    let with = |hash: &[u8], ticket: &[u8]| [&sized(b"")[..], hash, &NO_SCHEME, ticket].concat();
    let answer = rig
        .with_passwords(0x14A, &[signer, key], &[b""], &with(hash, ticket))
        .expect("certify creation");
    check(&mut rig, &answer, 0x1A, &name[2..]);
    assert_eq!(
        rig.with_passwords(0x14A, &[signer, key], &[b""], &with(&sized(&[1; 32]), ticket)),
        Err(ResponseCode::TICKET.parameter(4))
    );
    let sequence = rig.call(0x186, &[0, 0, 0, 0x0B]).expect("a sequence");
    let sequence = u32::from_be_bytes(sequence[..4].try_into().expect("a handle"));
    assert_eq!(
        rig.with_passwords(0x14A, &[signer, sequence], &[b""], &with(hash, ticket)),
        Err(ResponseCode::TICKET.parameter(4)),
        "nobody created it"
    );
    rig.call(0x165, &sequence.to_be_bytes()).expect("flush");
    rig.clock.0.set(77);
    let answer =
        rig.with_passwords(0x14C, &[ENDORSEMENT, signer], &[b"", b""], &plain).expect("time");
    check(&mut rig, &answer, 0x19, &77_u64.to_be_bytes());
}
