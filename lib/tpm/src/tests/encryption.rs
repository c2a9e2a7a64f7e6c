//! Encryption with keys of RSA and of ciphers.

use alloc::vec::Vec;

use super::objects::{COMMON, DECRYPT, NO_DA, OWNER, SIGN, primary, signing, template};
use super::rig::{Answer, Rig, sized};
use crate::ResponseCode;

const RSA_ENCRYPT: u32 = 0x174;
const RSA_DECRYPT: u32 = 0x159;

fn rsa(more: u32, scheme: &[u8]) -> Vec<u8> {
    template(
        1,
        COMMON | NO_DA | more,
        &[&[0, 0x10][..], scheme, &[8, 0, 0, 0, 0, 0, 0, 0]].concat(),
    )
}

fn encrypt(rig: &mut Rig, key: u32, message: &[u8], scheme: &[u8], label: &[u8]) -> Answer {
    let body = [&key.to_be_bytes()[..], &sized(message), scheme, &sized(label)].concat();
    rig.call(RSA_ENCRYPT, &body)
}

fn decrypt(rig: &mut Rig, key: u32, ciphertext: &[u8], scheme: &[u8], label: &[u8]) -> Answer {
    rig.with_passwords(RSA_DECRYPT, &[key], &[b""], &[ciphertext, scheme, &sized(label)].concat())
}

const NO_SCHEME: [u8; 2] = [0, 0x10];
const RSAES: [u8; 2] = [0, 0x15];
const OAEP: [u8; 4] = [0, 0x17, 0, 0x0B];

#[test]
fn what_is_encrypted_is_decrypted() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &rsa(DECRYPT, &NO_SCHEME));
    for (scheme, label) in [(&RSAES[..], &b""[..]), (&OAEP, b""), (&OAEP, b"label\0")] {
        let sealed = encrypt(&mut rig, key, b"message", scheme, label).expect("encrypt");
        assert_eq!(sealed.len(), 258);
        assert_eq!(decrypt(&mut rig, key, &sealed, scheme, label), Ok(sized(b"message")));
    }
    let sealed = encrypt(&mut rig, key, b"message", &OAEP, b"one\0").expect("encrypt");
    assert_eq!(
        decrypt(&mut rig, key, &sealed, &OAEP, b"other\0"),
        Err(ResponseCode::VALUE.parameter(1))
    );
    // The bare operation gives a whole block.
    let sealed = encrypt(&mut rig, key, b"message", &NO_SCHEME, b"").expect("encrypt");
    let block = decrypt(&mut rig, key, &sealed, &NO_SCHEME, b"").expect("decrypt");
    assert_eq!(block.len(), 258);
    assert!(block.ends_with(b"\0message"));
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &rsa(DECRYPT, &OAEP));
    assert_eq!(encrypt(&mut rig, key, b"m", &RSAES, b""), Err(ResponseCode::SCHEME.parameter(2)));
    assert_eq!(
        encrypt(&mut rig, key, b"m", &NO_SCHEME, b"no zero"),
        Err(ResponseCode::VALUE.parameter(3))
    );
    assert_eq!(
        encrypt(&mut rig, key, &[1; 191], &NO_SCHEME, b""),
        Err(ResponseCode::VALUE.parameter(1))
    );
    assert_eq!(decrypt(&mut rig, key, &sized(&[1; 255]), &NO_SCHEME, b""), Err(ResponseCode::SIZE));
    assert_eq!(
        decrypt(&mut rig, key, &sized(&[0xFF; 256]), &NO_SCHEME, b""),
        Err(ResponseCode::VALUE.parameter(1))
    );
    let (signer, _) = primary(&mut rig, OWNER, &rsa(SIGN, &NO_SCHEME));
    assert_eq!(
        encrypt(&mut rig, signer, b"m", &RSAES, b""),
        Err(ResponseCode::ATTRIBUTES.handle(1))
    );
    let (ecc, _) = primary(&mut rig, OWNER, &signing(0));
    assert_eq!(encrypt(&mut rig, ecc, b"m", &RSAES, b""), Err(ResponseCode::KEY.handle(1)));
    assert_eq!(
        decrypt(&mut rig, ecc, &sized(&[1; 256]), &RSAES, b""),
        Err(ResponseCode::KEY.handle(1))
    );
}

/// A cipher's key that encrypts and decrypts, in this mode.
fn cipher(algorithm: u8, mode: u8) -> Vec<u8> {
    template(0x25, COMMON | NO_DA | DECRYPT | SIGN, &[0, algorithm, 0, 128, 0, mode, 0, 0])
}

#[test]
fn ciphers_work_in_every_mode_and_in_both_orders_of_parameters() {
    let vector = sized(&[3; 16]);
    for algorithm in [0x06, 0x26] {
        for mode in [0x40, 0x41, 0x42, 0x43, 0x44] {
            let mut rig = Rig::started();
            let (key, _) = primary(&mut rig, OWNER, &cipher(algorithm, 0x10));
            let vector = if mode == 0x44 { sized(b"") } else { vector.clone() };
            let data = sized(&[7; 48]);
            let first = [&[0, 0, mode][..], &vector, &data].concat();
            let sealed = rig.with_passwords(0x164, &[key], &[b""], &first).expect("encrypt");
            assert_ne!(sealed[..50], data);
            let second = [&sealed[..50], &[1, 0, mode], &vector].concat();
            let opened = rig.with_passwords(0x193, &[key], &[b""], &second).expect("decrypt");
            assert_eq!(opened[..50], data);
            assert_eq!(opened[50..], sealed[50..], "the chain goes on alike");
        }
    }
}

#[test]
fn ciphers_refuse_what_does_not_fit() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &cipher(6, 0x42));
    let mut ask = |decrypt: u8, mode: u8, vector: usize, data: usize| {
        let vector = sized(&alloc::vec![0; vector]);
        let data = sized(&alloc::vec![0; data]);
        let parameters = [&[decrypt, 0, mode][..], &vector, &data].concat();
        rig.with_passwords(0x164, &[key], &[b""], &parameters)
    };
    assert!(ask(0, 0x10, 16, 32).is_ok());
    assert_eq!(ask(2, 0x10, 16, 32), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(ask(0, 0x43, 16, 32), Err(ResponseCode::MODE.parameter(2)));
    assert_eq!(ask(0, 0x10, 15, 32), Err(ResponseCode::SIZE.parameter(3)));
    assert_eq!(ask(0, 0x10, 16, 31), Err(ResponseCode::SIZE.parameter(4)));
    let (open, _) = primary(&mut rig, OWNER, &cipher(6, 0x10));
    let parameters = [&[0, 0, 0x10][..], &sized(&[0; 16]), &sized(b"")].concat();
    assert_eq!(
        rig.with_passwords(0x164, &[open], &[b""], &parameters),
        Err(ResponseCode::MODE.parameter(2)),
        "neither says how"
    );
    let (ecc, _) = primary(&mut rig, OWNER, &signing(0));
    assert_eq!(
        rig.with_passwords(0x164, &[ecc], &[b""], &parameters),
        Err(ResponseCode::KEY.handle(1))
    );
}
