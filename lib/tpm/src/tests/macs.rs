//! MACs in one go and in sequences.

use tpm_crypto::cipher::CipherAlgorithm;
use tpm_crypto::cmac::Cmac;
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::hmac::Hmac;

use super::objects::{
    DECRYPT, GIVEN, NO_DA, OWNER, RESTRICTED, SIGN, creation, primary, signing, template,
};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const MAC: u32 = 0x155;
const START: u32 = 0x15B;
const KEY: [u8; 16] = [5; 16];

/// A key with these bytes, loaded.
fn key(rig: &mut Rig, kind: u16, attributes: u32, details: &[u8]) -> u32 {
    let public = template(kind, attributes, details);
    let answer =
        rig.with_passwords(0x131, &[OWNER], &[b""], &creation(b"", &KEY, &public)).expect("a key");
    u32::from_be_bytes(answer[..4].try_into().expect("a handle"))
}

/// An HMAC key that leaves the hash open.
fn open_key(rig: &mut Rig) -> u32 {
    key(rig, 8, GIVEN | NO_DA | SIGN | DECRYPT, &[0, 0x10, 0, 0])
}

#[test]
fn an_hmac_is_the_standards() {
    let mut rig = Rig::started();
    let handle = open_key(&mut rig);
    let ask = [&sized(b"some data")[..], &[0, 0x0C]].concat();
    let expected = Hmac::mac(HashAlgorithm::Sha384, &KEY, &[b"some data"]);
    assert_eq!(rig.with_passwords(MAC, &[handle], &[b""], &ask), Ok(sized(expected.as_bytes())));
    // In pieces, with a value of its own.
    let start = [&sized(b"pw")[..], &[0, 0x0C]].concat();
    let sequence = rig.with_passwords(START, &[handle], &[b""], &start).expect("start");
    let sequence = u32::from_be_bytes(sequence[..4].try_into().expect("a handle"));
    rig.with_passwords(0x15C, &[sequence], &[b"pw"], &sized(b"some ")).expect("update");
    let rest = [&sized(b"data")[..], &[0x40, 0, 0, 7]].concat();
    assert_eq!(
        rig.with_passwords(0x13E, &[sequence], &[b""], &rest),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    let answer = rig.with_passwords(0x13E, &[sequence], &[b"pw"], &rest).expect("complete");
    assert_eq!(
        answer,
        [&sized(expected.as_bytes())[..], &[0x80, 0x24, 0x40, 0, 0, 7, 0, 0]].concat()
    );
}

#[test]
fn a_cipher_makes_macs_too() {
    let mut rig = Rig::started();
    let handle = key(&mut rig, 0x25, GIVEN | NO_DA | SIGN, &[0, 6, 0, 128, 0, 0x3F, 0, 0]);
    let mut cmac = Cmac::new(CipherAlgorithm::Aes, &KEY).expect("16 bytes");
    cmac.update(b"some data");
    let expected = sized(&cmac.finish());
    let ask = [&sized(b"some data")[..], &[0, 0x10]].concat();
    assert_eq!(rig.with_passwords(MAC, &[handle], &[b""], &ask), Ok(expected.clone()));
    let start = [&sized(b"")[..], &[0, 0x3F]].concat();
    let sequence = rig.with_passwords(START, &[handle], &[b""], &start).expect("start");
    let sequence = u32::from_be_bytes(sequence[..4].try_into().expect("a handle"));
    let rest = [&sized(b"some data")[..], &[0x40, 0, 0, 7]].concat();
    let answer = rig.with_passwords(0x13E, &[sequence], &[b""], &rest).expect("complete");
    assert_eq!(answer[..18], expected);
    let hash = [&sized(b"some data")[..], &[0, 0x0B]].concat();
    assert_eq!(
        rig.with_passwords(MAC, &[handle], &[b""], &hash),
        Err(ResponseCode::VALUE.parameter(2))
    );
    // It makes MACs; it does not encrypt.
    let encrypt = [&[0, 0, 0x10][..], &sized(&[0; 16]), &sized(b"")].concat();
    assert_eq!(
        rig.with_passwords(0x164, &[handle], &[b""], &encrypt),
        Err(ResponseCode::MODE.parameter(2))
    );
}

#[test]
fn keys_that_make_no_macs_are_refused() {
    let mut rig = Rig::started();
    let ask = [&sized(b"data")[..], &[0, 0x0B]].concat();
    let (ecc, _) = primary(&mut rig, OWNER, &signing(0));
    assert_eq!(rig.with_passwords(MAC, &[ecc], &[b""], &ask), Err(ResponseCode::TYPE.handle(1)));
    let own = key(&mut rig, 8, GIVEN | NO_DA | SIGN, &[0, 5, 0, 0x0C, 0, 0]);
    assert_eq!(
        rig.with_passwords(MAC, &[own], &[b""], &ask),
        Err(ResponseCode::VALUE.parameter(2)),
        "the key has another hash"
    );
    let open = open_key(&mut rig);
    let unsaid = [&sized(b"data")[..], &[0, 0x10]].concat();
    assert_eq!(
        rig.with_passwords(MAC, &[open], &[b""], &unsaid),
        Err(ResponseCode::VALUE.parameter(2))
    );
    let cipher = [&sized(b"data")[..], &[0, 0x3F]].concat();
    assert_eq!(
        rig.with_passwords(MAC, &[open], &[b""], &cipher),
        Err(ResponseCode::SCHEME.parameter(2))
    );
    assert_eq!(rig.with_passwords(START, &[open], &[b""], &ask), Err(ResponseCode::OBJECT_MEMORY));
    rig.call(0x165, &open.to_be_bytes()).expect("flush");
    let public = template(8, 0x72 | NO_DA | SIGN | RESTRICTED, &[0, 5, 0, 0x0B, 0, 0]);
    let (restricted, _) = primary(&mut rig, OWNER, &public);
    assert_eq!(
        rig.with_passwords(MAC, &[restricted], &[b""], &ask),
        Err(ResponseCode::ATTRIBUTES.handle(1))
    );
    assert_eq!(
        rig.with_passwords(MAC, &[restricted], &[b""], &cipher),
        Err(ResponseCode::VALUE.parameter(2)),
        "the scheme is looked at first"
    );
}

/// A longer key would be hashed first.
#[test]
fn a_key_is_as_long_as_a_block_at_most() {
    let mut rig = Rig::started();
    for (hash, block) in [(0x0B, 64), (0x0C, 128), (0x28, 104)] {
        let public = template(8, GIVEN | NO_DA | SIGN, &[0, 5, 0, hash, 0, 0]);
        let mut create = |size: usize| {
            let parameters = creation(b"", &alloc::vec![5; size], &public);
            rig.with_passwords(0x131, &[OWNER], &[b""], &parameters)
        };
        let made = create(block).expect("a key");
        // Of more than 128 bytes the sensitive area itself is too long.
        let code = ResponseCode::SIZE;
        let code = if block < 128 { code } else { code.parameter(1) };
        assert_eq!(create(block + 1), Err(code));
        rig.call(0x165, &made[..4]).expect("flush");
    }
    // One from outside, whose name tells that the secret belongs to it.
    let seed = [3; 32];
    for (size, code) in [(64, None), (65, Some(ResponseCode::KEY_SIZE.parameter(1)))] {
        let secret = alloc::vec![5; size];
        let unique = HashAlgorithm::Sha256.digest(&[&seed, &secret]);
        let details = [&[0, 5, 0, 0x0B][..], &sized(unique.as_bytes())].concat();
        let public = template(8, 0x40 | SIGN, &details);
        let sensitive = [&[0, 8, 0, 0][..], &sized(&seed), &sized(&secret)].concat();
        let body = [&sized(&sensitive)[..], &sized(&public), &[0x40, 0, 0, 7]].concat();
        assert_eq!(rig.call(0x167, &body).err(), code);
    }
}
