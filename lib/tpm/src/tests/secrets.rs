//! Secrets from outside that are not sound.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::objects::{
    GIVEN, NO_DA, OWNER, SIGN, child, creation, primary, signing, storage, template,
};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const NULL: u32 = 0x4000_0007;
const LOAD_EXTERNAL: u32 = 0x167;
const HMAC: [u8; 4] = [0, 5, 0, 0x0B];

/// userWithAuth, and one of the uses of a MAC key or none.
fn external(kind: u16, uses: u32, scheme: &[u8], unique: &[u8]) -> Vec<u8> {
    template(kind, 0x40 | uses, &[scheme, &sized(unique)].concat())
}

fn sensitive(kind: u16, auth: &[u8], seed: &[u8], secret: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &sized(auth), &sized(seed), &sized(secret)].concat()
}

fn load(rig: &mut Rig, sensitive: &[u8], public: &[u8]) -> Result<(), ResponseCode> {
    let parameters = [sized(sensitive), sized(public), NULL.to_be_bytes().to_vec()].concat();
    let handle = rig.call(LOAD_EXTERNAL, &parameters)?;
    rig.call(0x165, &handle[..4]).expect("flush");
    Ok(())
}

#[test]
fn sizes_in_a_sensitive_area_are_checked() {
    let mut rig = Rig::started();
    let mut check = |kind: u16, uses: u32, scheme: &[u8], sizes: [usize; 3], expected| {
        let [auth, seed, secret] = sizes.map(|size| alloc::vec![7; size]);
        let unique = HashAlgorithm::Sha256.digest(&[&seed, &secret]);
        let public = external(kind, uses, scheme, unique.as_bytes());
        let found = load(&mut rig, &sensitive(kind, &auth, &seed, &secret), &public);
        assert_eq!(found, expected, "{kind} {sizes:?}");
    };
    let key_size = Err(ResponseCode::KEY_SIZE.parameter(1));
    // A key for HMAC is at most a block long, data 128 bytes.
    check(8, SIGN, &HMAC, [32, 32, 64], Ok(()));
    check(8, SIGN, &HMAC, [33, 32, 64], Err(ResponseCode::SIZE.parameter(1)));
    check(8, SIGN, &HMAC, [0, 31, 64], key_size);
    check(8, SIGN, &HMAC, [0, 33, 64], key_size);
    check(8, SIGN, &HMAC, [0, 32, 65], key_size);
    check(8, SIGN, &[0, 5, 0, 0x0D], [0, 32, 65], Ok(()));
    check(8, 0, &[0, 0x10], [0, 32, 128], Ok(()));
    check(8, 0, &[0, 0x10], [0, 32, 129], Err(ResponseCode::SIZE.parameter(1)));
    let aes = [0, 6, 0, 128, 0, 0x43];
    check(0x25, SIGN, &aes, [0, 32, 16], Ok(()));
    check(0x25, SIGN, &aes, [0, 32, 15], key_size);
    check(0x25, SIGN, &aes, [0, 32, 32], key_size);
    check(0x25, SIGN, &aes, [0, 32, 33], Err(ResponseCode::SIZE.parameter(1)));
    check(0x25, SIGN, &aes, [0, 16, 16], key_size);
}

#[test]
fn a_prime_is_half_as_long_as_its_modulus() {
    let mut rig = Rig::started();
    let details = [&[0, 0x10, 0, 0x14, 0, 0x0B, 8, 0, 0, 0, 0, 0][..], &sized(&[0xC5; 256])];
    let public = template(1, 0x40 | SIGN, &details.concat());
    let short = [&[0x7F][..], &[1; 127]].concat();
    for prime in [&[0xFF; 127][..], &short] {
        assert_eq!(
            load(&mut rig, &sensitive(1, b"", b"", prime), &public),
            Err(ResponseCode::KEY_SIZE.parameter(1))
        );
    }
    let other = [&[0xFF; 127][..], &[1]].concat();
    assert_eq!(
        load(&mut rig, &sensitive(1, b"", b"", &other), &public),
        Err(ResponseCode::BINDING),
        "it does not divide the modulus"
    );
}

#[test]
fn a_public_area_alone_has_its_parts_in_full() {
    let mut rig = Rig::started();
    let key = Err(ResponseCode::KEY.parameter(2));
    let mut alone = |public: &[u8]| {
        let parameters = [&sized(b"")[..], &sized(public), &OWNER.to_be_bytes()].concat();
        rig.call(LOAD_EXTERNAL, &parameters).map(|_| ())
    };
    assert_eq!(alone(&external(8, SIGN, &HMAC, &[1; 32])), Ok(()));
    assert_eq!(alone(&external(8, SIGN, &HMAC, &[1; 31])), key);
    let (front, _) = signing(0).split_last_chunk::<4>().map(|(f, l)| (f.to_vec(), *l)).expect("it");
    let off = [&front[..], &sized(&[1; 32]), &sized(&[2; 32])].concat();
    assert_eq!(alone(&off), Err(ResponseCode::ECC_POINT.parameter(2)));
    let short = [&front[..], &sized(&[1; 31]), &sized(&[2; 32])].concat();
    assert_eq!(alone(&short), key);
}

#[test]
fn a_given_key_is_no_longer_than_what_is_used_of_it() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let mut make = |uses: u32, scheme: &[u8], size: usize| {
        let public = template(8, GIVEN | NO_DA | uses, &[scheme, &[0, 0]].concat());
        let parameters = creation(b"", &alloc::vec![7; size], &public);
        child(&mut rig, parent, &parameters).map(|_| ())
    };
    assert_eq!(make(SIGN, &HMAC, 64), Ok(()));
    assert_eq!(make(SIGN, &HMAC, 65), Err(ResponseCode::SIZE));
    assert_eq!(make(SIGN, &[0, 5, 0, 0x0D], 128), Ok(()));
    assert_eq!(make(0, &[0, 0x10], 128), Ok(()));
}

#[test]
fn a_template_is_looked_at_before_the_authorization_value() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let long = [7; 33];
    let wrong = signing(1 << 17 | 1 << 16);
    let template = Err(ResponseCode::ATTRIBUTES.parameter(2));
    assert_eq!(child(&mut rig, parent, &creation(&long, b"", &wrong)), template);
    assert_eq!(
        child(&mut rig, parent, &creation(&long, b"", &signing(0))),
        Err(ResponseCode::SIZE.parameter(1))
    );
}
