//! RSA keys of 1024 bits: made elsewhere, loaded here, and made here never.

use alloc::vec::Vec;

use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::portable::Portable;
use tpm_crypto::rsa::{RsaPublicKey, oaep};

use super::duplication::{Scene, buffers, duplicate, scene};
use super::objects::{
    COMMON, DECRYPT, NO_DA, OWNER, RESTRICTED, SIGN, child, creation, load, primary, signing,
    storage, template,
};
use super::rig::{Answer, Rig, sized};
use crate::ResponseCode;
use crate::certificate::encoding::{SEQUENCE, element, explicit, identifier, integer};

const NULL: u32 = 0x4000_0007;
const USER_WITH_AUTH: u32 = 0x40;
const NO_CIPHER: [u8; 2] = [0, 0x10];
const NO_SCHEME: [u8; 2] = [0, 0x10];
const NULL_TICKET: [u8; 8] = [0x80, 0x24, 0x40, 0, 0, 7, 0, 0];
const SHA256: u8 = 0x0B;
const SHA512: u8 = 0x0D;
const SEED: [u8; 32] = [6; 32];

/// Modulus and a prime of a key of 1024 bits [CAVP, SigVer15_186-3.rsp].
const MODULUS: &str = "\
    a8d68acd413c5e195d5ef04e1b4faaf242365cb450196755e92e1215ba59802a\
    afbadbf2564dd550956abb54f8b1c917844e5f36195d1088c600e07cada5c080\
    ede679f50b3de32cf4026e514542495c54b1903768791aae9e36f082cd38e941\
    ada89baecada61ab0dd37ad536bcb0a0946271594836e92ab5517301d45176b5";
const PRIME: &str = "\
    c107a2fe924b76e206cb9bc4af2ab7008547c00846bf6d0680b3eac3ebcbd0c7\
    fd7a54c2b9899b08f80cde1d3691eaaa2816b1eb11822d6be7beaf4e30977c49";

fn bytes(text: &str) -> Vec<u8> {
    let digit = |character: u8| char::from(character).to_digit(16).expect("a digit") as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The details of a key with 1024 bits behind cipher and scheme.
fn details(cipher: &[u8], scheme: &[u8], modulus: &[u8]) -> Vec<u8> {
    [cipher, scheme, &[4, 0, 0, 0, 0, 0], &sized(modulus)].concat()
}

/// The key as one that encrypts and signs, in any scheme.
fn open_key() -> Vec<u8> {
    let uses = USER_WITH_AUTH | NO_DA | SIGN | DECRYPT;
    template(1, uses, &details(&NO_CIPHER, &NO_SCHEME, &bytes(MODULUS)))
}

/// The key as one that protects others, with this name hash.
fn storage_key(hash: u8) -> Vec<u8> {
    let uses = USER_WITH_AUTH | NO_DA | RESTRICTED | DECRYPT;
    let cipher = [0, 6, 0, 128, 0, 0x43];
    let mut area = template(1, uses, &details(&cipher, &NO_SCHEME, &bytes(MODULUS)));
    area[3] = hash;
    area
}

/// The key's sensitive area.
fn sensitive(seed: &[u8]) -> Vec<u8> {
    [&[0, 1, 0, 0][..], &sized(seed), &sized(&bytes(PRIME))].concat()
}

fn load_external(rig: &mut Rig, sensitive: &[u8], public: &[u8]) -> Result<u32, ResponseCode> {
    let body = [&sized(sensitive)[..], &sized(public), &NULL.to_be_bytes()].concat();
    let answer = rig.call(0x167, &body)?;
    Ok(u32::from_be_bytes(answer[..4].try_into().expect("a handle")))
}

/// Imports the storage key and loads it.
fn storage_below(rig: &mut Rig, parent: u32, hash: u8) -> u32 {
    let public = sized(&storage_key(hash));
    let private = sized(&sized(&sensitive(&SEED)));
    let import = [&[0, 0][..], &public, &private, &[0, 0], &NO_CIPHER].concat();
    let imported = rig.with_passwords(0x156, &[parent], &[b""], &import).expect("import");
    load(rig, parent, &imported, &public).expect("load")
}

fn sign(rig: &mut Rig, key: u32, digest: &[u8], scheme: &[u8]) -> Answer {
    let parameters = [&sized(digest)[..], scheme, &NULL_TICKET].concat();
    rig.with_passwords(0x15D, &[key], &[b""], &parameters)
}

fn encrypt(rig: &mut Rig, key: u32, message: &[u8], scheme: &[u8]) -> Answer {
    rig.call(0x174, &[&key.to_be_bytes()[..], &sized(message), scheme, &[0, 0]].concat())
}

fn decrypt(rig: &mut Rig, key: u32, sealed: &[u8], scheme: &[u8]) -> Answer {
    rig.with_passwords(0x159, &[key], &[b""], &[sealed, scheme, &[0, 0]].concat())
}

#[test]
fn none_is_made_here() {
    let mut rig = Rig::started();
    let area = template(1, COMMON | NO_DA | SIGN, &details(&NO_CIPHER, &NO_SCHEME, b""));
    let refused = Err(ResponseCode::VALUE);
    let parameters = creation(b"", b"", &area);
    assert_eq!(rig.with_passwords(0x131, &[OWNER], &[b""], &parameters), refused);
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    assert_eq!(child(&mut rig, parent, &parameters), Err(ResponseCode::VALUE));
    let loaded = [sized(&[0; 4]), sized(&area)].concat();
    for parent in [OWNER, parent] {
        assert_eq!(rig.with_passwords(0x191, &[parent], &[b""], &loaded), refused);
    }
    // It is known all the same.
    let parameters = [&[0, 1][..], &NO_CIPHER, &NO_SCHEME, &[4, 0, 0, 0, 0, 0]].concat();
    assert_eq!(rig.call(0x18A, &parameters), Ok(Vec::new()));
}

#[test]
fn one_from_outside_encrypts_and_decrypts() {
    let mut rig = Rig::started();
    let key = load_external(&mut rig, &sensitive(b""), &open_key()).expect("load");
    let schemes: [(&[u8], usize); 5] = [
        (&[0, 0x15], 117),
        (&[0, 0x17, 0, 4], 86),
        (&[0, 0x17, 0, SHA256], 62),
        (&[0, 0x17, 0, 0x0C], 30),
        (&[0, 0x17, 0, 0x28], 30),
    ];
    for (scheme, room) in schemes {
        let message = &[3; 128][..room];
        let sealed = encrypt(&mut rig, key, message, scheme).expect("encrypt");
        assert_eq!(sealed.len(), 130);
        assert_eq!(decrypt(&mut rig, key, &sealed, scheme), Ok(sized(message)));
        assert_eq!(
            encrypt(&mut rig, key, &[3; 128][..room + 1], scheme),
            Err(ResponseCode::VALUE.parameter(1))
        );
    }
    let sealed = encrypt(&mut rig, key, &[3; 128], &NO_SCHEME).expect("encrypt");
    assert_eq!(decrypt(&mut rig, key, &sealed, &NO_SCHEME), Ok(sized(&[3; 128])));
    // With digests of 512 bits nothing fits, not even an empty message.
    for hash in [SHA512, 0x29] {
        let scheme = [0, 0x17, 0, hash];
        let refused = Err(ResponseCode::VALUE.parameter(1));
        assert_eq!(encrypt(&mut rig, key, b"", &scheme), refused);
        assert_eq!(decrypt(&mut rig, key, &sealed, &scheme), refused);
    }
    assert_eq!(
        decrypt(&mut rig, key, &sized(&[1; 256]), &[0, 0x15]),
        Err(ResponseCode::SIZE),
        "as long as a larger key's"
    );
}

#[test]
fn one_from_outside_signs_with_every_hash() {
    let mut rig = Rig::started();
    let key = load_external(&mut rig, &sensitive(b""), &open_key()).expect("load");
    let public = load_external(&mut rig, b"", &open_key()).expect("load");
    for scheme in [0x14, 0x16] {
        for (hash, size) in
            [(4, 20), (SHA256, 32), (0x0C, 48), (SHA512, 64), (0x12, 32), (0x28, 48), (0x29, 64)]
        {
            let digest = &[8; 64][..size];
            let signature = sign(&mut rig, key, digest, &[0, scheme, 0, hash]).expect("sign");
            assert_eq!(signature.len(), 4 + 130);
            let check = [&public.to_be_bytes()[..], &sized(digest), &signature].concat();
            rig.call(0x177, &check).expect("valid");
            let check = [&public.to_be_bytes()[..], &sized(&[9; 64][..size]), &signature].concat();
            assert_eq!(rig.call(0x177, &check), Err(ResponseCode::SIGNATURE.parameter(2)));
        }
    }
}

#[test]
fn what_is_no_key_of_that_size_is_not_loaded() {
    let mut rig = Rig::started();
    let modulus = bytes(MODULUS);
    let mut even = modulus.clone();
    even[127] ^= 1;
    let mut short = modulus.clone();
    short[0] &= 0x7F;
    for wrong in [&even[..], &short, &modulus[..127], &modulus.repeat(2), &[]] {
        let area = template(1, USER_WITH_AUTH | SIGN, &details(&NO_CIPHER, &NO_SCHEME, wrong));
        let refused = load_external(&mut rig, b"", &area);
        assert_eq!(refused, Err(ResponseCode::KEY.parameter(2)));
    }
    let size = ResponseCode::KEY_SIZE.parameter(1);
    let prime = bytes(PRIME);
    let primes = [(&prime[1..], size), (&[], size), (&modulus, size)];
    for (prime, code) in primes.into_iter().chain([(&[0xFF; 64][..], ResponseCode::BINDING)]) {
        let wrong = [&[0, 1, 0, 0, 0, 0][..], &sized(prime)].concat();
        let refused = load_external(&mut rig, &wrong, &open_key());
        assert_eq!(refused, Err(code));
    }
}

/// RSASSA-PSS-params tell the length of the salt that is used.
#[test]
fn a_certificate_tells_the_salt_that_fits() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &signing(0));
    let signer = load_external(&mut rig, &sensitive(b""), &open_key()).expect("load");
    let usage = element(SEQUENCE, &[&identifier(&[0x55, 0x1D, 0x0F]), &[4, 4, 3, 2, 7, 0x80]]);
    let usage = element(explicit(3), &[&element(SEQUENCE, &[&usage])]);
    let empty = element(SEQUENCE, &[]);
    let partial = element(SEQUENCE, &[&empty, &empty, &empty, &usage]);
    for (hash, salt) in [(SHA256, 32), (SHA512, 62)] {
        let parameters = [&[0, 0, 0, 0x16, 0, hash][..], &sized(&partial)].concat();
        let answer =
            rig.with_passwords(0x197, &[key, signer], &[b"", b""], &parameters).expect("certified");
        let told = element(explicit(2), &[&integer(&[salt])]);
        let added = buffers(&answer[..2 + usize::from(u16::from_be_bytes([answer[0], answer[1]]))]);
        assert!(added[0].windows(told.len()).any(|window| window == told), "{salt}");
    }
}

/// A storage key from outside takes salts, credentials and duplicates, as far as
/// its name hash leaves room for them.
#[test]
fn one_from_outside_takes_secrets() {
    let Scene { mut rig, parent, public: moved, object, session } = scene(0);
    let key = storage_below(&mut rig, parent, SHA256);

    let open = RsaPublicKey::new(&bytes(MODULUS), 65537).expect("a key");
    let mut stream = HmacDrbg::new(HashAlgorithm::Sha256, &[b"client"]);
    let hash = HashAlgorithm::Sha256;
    let salt = oaep::encrypt(&Portable, &open, hash, b"SECRET\0", &[4; 32], &mut stream);
    let mut start = |salt: &[u8]| {
        let ends = [&key.to_be_bytes()[..], &NULL.to_be_bytes(), &sized(&[9; 16])].concat();
        rig.call(0x176, &[&ends[..], &sized(salt), &[0, 0, 0x10, 0, SHA256]].concat())
    };
    assert!(start(&salt.expect("it fits")).is_ok());
    for wrong in [&[1; 128][..], &[0xFF; 128], &[1; 127], &[1; 256]] {
        assert_eq!(start(wrong), Err(ResponseCode::VALUE.parameter(2)));
    }

    let name = buffers(&rig.call(0x173, &object.to_be_bytes()).expect("public"))[1].clone();
    let make = [&key.to_be_bytes()[..], &sized(b"a credential"), &name].concat();
    let made = rig.call(0x168, &make).expect("made");
    // The object's own role of administrator takes its password.
    let opened = rig.with_passwords(0x147, &[object, key], &[b"pw", b""], &made);
    assert_eq!(opened, Ok(sized(b"a credential")));

    let parameters = [&sized(b"")[..], &NO_CIPHER].concat();
    let answer = duplicate(&mut rig, object, key, session, &parameters).expect("duplicate");
    let parts = buffers(&answer);
    assert_eq!(parts[2].len(), 130, "the seed");
    rig.call(0x165, &object.to_be_bytes()).expect("flush");
    let import = [&parts[0][..], &moved, &parts[1], &parts[2], &NO_CIPHER].concat();
    let imported = rig.with_passwords(0x156, &[key], &[b""], &import).expect("import");
    load(&mut rig, key, &imported, &moved).expect("load");
    let import = [&parts[0][..], &moved, &parts[1], &sized(&[1; 128]), &NO_CIPHER].concat();
    let refused = rig.with_passwords(0x156, &[key], &[b""], &import);
    assert_eq!(refused, Err(ResponseCode::VALUE.parameter(4)));
}

/// With digests of 384 bits and more no secret fits into the block, whatever the
/// command.
#[test]
fn secrets_that_do_not_fit_are_refused() {
    for hash in [0x0C, SHA512] {
        refuses_secrets(hash);
    }
}

fn refuses_secrets(hash: u8) {
    let Scene { mut rig, parent, public: moved, object, session } = scene(0);
    let key = storage_below(&mut rig, parent, hash);
    let start = [
        &key.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&[9; 16]),
        &sized(&[1; 128]),
        &[0, 0, 0x10, 0, SHA256],
    ];
    assert_eq!(rig.call(0x176, &start.concat()), Err(ResponseCode::VALUE.parameter(2)));
    let make = [&key.to_be_bytes()[..], &sized(b"a credential"), &sized(&[0; 34])].concat();
    assert_eq!(rig.call(0x168, &make), Err(ResponseCode::KEY.handle(1)));
    let blob = [sized(&sized(&[0; 64])), sized(&[1; 128])].concat();
    assert_eq!(
        rig.with_passwords(0x147, &[object, key], &[b"pw", b""], &blob),
        Err(ResponseCode::VALUE.parameter(2))
    );
    let parameters = [&sized(b"")[..], &NO_CIPHER].concat();
    let refused = duplicate(&mut rig, object, key, session, &parameters);
    assert_eq!(refused, Err(ResponseCode::KEY.handle(2)));
    let import = [&[0, 0][..], &moved, &sized(&[0; 66]), &sized(&[1; 128]), &NO_CIPHER].concat();
    let refused = rig.with_passwords(0x156, &[key], &[b""], &import);
    assert_eq!(refused, Err(ResponseCode::VALUE.parameter(4)));
    // Children are protected by the seed, and need no room in the modulus.
    rig.call(0x165, &object.to_be_bytes()).expect("flush");
    let moving = template(
        0x23,
        USER_WITH_AUTH | 0x20 | NO_DA | SIGN,
        &[0, 0x10, 0, 0x18, 0, SHA256, 0, 3, 0, 0x10, 0, 0, 0, 0],
    );
    let (private, public) = child(&mut rig, key, &creation(b"", b"", &moving)).expect("a child");
    load(&mut rig, key, &private, &public).expect("load");
}
