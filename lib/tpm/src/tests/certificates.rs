//! Certificates that the device completes and signs.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::objects::{DECRYPT, OWNER, RESTRICTED, primary, signing, storage, template};
use super::rig::{Answer, Rig, sized};
use crate::ResponseCode;
use crate::certificate::encoding::{SEQUENCE, element, explicit, identifier};

const NULL: u32 = 0x4000_0007;
const NO_SCHEME: [u8; 2] = [0, 0x10];
const ECDSA_SHA256: [u8; 4] = [0, 0x18, 0, 0x0B];
const KEY_USAGE: [u8; 3] = [0x55, 0x1D, 0x0F];
const TPM_ATTRIBUTES: [u8; 7] = [0x67, 0x81, 0x05, 0x0A, 0x01, 0x01, 0x01];
const DIGITAL_SIGNATURE: [u8; 4] = [3, 2, 7, 0x80];

/// An extension that is critical.
fn extension(name: &[u8], value: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&identifier(name), &[1, 1, 0xFF], &element(4, &[value])])
}

fn extensions(list: &[&[u8]]) -> Vec<u8> {
    element(explicit(3), &[&element(SEQUENCE, list)])
}

/// Issuer, validity and subject, which nobody looks into.
fn front() -> Vec<u8> {
    [element(SEQUENCE, &[b"issuer"]), element(SEQUENCE, &[]), element(SEQUENCE, &[b"subject"])]
        .concat()
}

fn partial(extensions: &[u8]) -> Vec<u8> {
    element(SEQUENCE, &[&front(), extensions])
}

fn certify(rig: &mut Rig, key: u32, signer: u32, scheme: &[u8], partial: &[u8]) -> Answer {
    let parameters = [&sized(b"")[..], scheme, &sized(partial)].concat();
    rig.with_passwords(0x197, &[key, signer], &[b"", b""], &parameters)
}

/// A TPM2B at the front.
fn take<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let (size, rest) = bytes.split_at(2);
    let (content, rest) = rest.split_at(usize::from(u16::from_be_bytes([size[0], size[1]])));
    *bytes = rest;
    content
}

#[test]
fn the_signature_is_of_the_certificate_that_results() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &signing(0));
    let usage = extensions(&[&extension(&KEY_USAGE, &DIGITAL_SIGNATURE)]);
    let answer = certify(&mut rig, key, key, &NO_SCHEME, &partial(&usage)).expect("certified");
    let mut rest = &answer[..];
    let (added, digest) = (take(&mut rest), take(&mut rest));
    assert_eq!(added[0], SEQUENCE);
    // Version, serial number, algorithm, public key.
    let added = &added[2 + usize::from(added[1] & 0x7F) * usize::from(added[1] > 0x7F)..];
    let (version, added) = added.split_at(5);
    assert_eq!(version, [0xA0, 3, 2, 1, 2]);
    let (serial, added) = added.split_at(2 + usize::from(added[1]));
    assert_eq!(serial[0], 2);
    let (algorithm, public_key) = added.split_at(2 + usize::from(added[1]));
    let ecdsa_with_sha256 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
    assert_eq!(algorithm, element(SEQUENCE, &[&identifier(&ecdsa_with_sha256)]));
    let whole = element(SEQUENCE, &[version, serial, algorithm, &front(), public_key, &usage]);
    assert_eq!(digest, HashAlgorithm::Sha256.digest(&[&whole]).as_bytes());
    let check = [&key.to_be_bytes()[..], &sized(digest), rest].concat();
    rig.call(0x177, &check).expect("the signature is right");
}

#[test]
fn whoever_names_the_algorithm_finds_it_not_added() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &signing(0));
    let usage = extensions(&[&extension(&KEY_USAGE, &DIGITAL_SIGNATURE)]);
    let without = certify(&mut rig, key, key, &NO_SCHEME, &partial(&usage)).expect("certified");
    let algorithm = element(SEQUENCE, &[&identifier(&[0x2A])]);
    let named = element(SEQUENCE, &[&algorithm, &front(), &usage]);
    let with = certify(&mut rig, key, key, &NO_SCHEME, &named).expect("certified");
    let sizes = [without, with].map(|answer| take(&mut &answer[..]).len());
    // The algorithm takes 12 bytes; the serial numbers may differ by one.
    assert!(sizes[0].abs_diff(sizes[1] + 12) <= 1, "{sizes:?}");
}

#[test]
fn only_what_is_so_is_certified() {
    let mut rig = Rig::started();
    let (signer, public) = primary(&mut rig, OWNER, &signing(0));
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let attributes = [public[4], public[5], public[6], public[7]];
    let stated = |bits: [u8; 4]| {
        let value = [&[3, 5, 0][..], &bits].concat();
        extension(&TPM_ATTRIBUTES, &value)
    };
    let usage = |bits: &[u8]| extension(&KEY_USAGE, bits);
    let value = Err(ResponseCode::VALUE.parameter(3));
    let signs = usage(&DIGITAL_SIGNATURE);
    let mut with = |key: u32, list: &[&[u8]]| {
        certify(&mut rig, key, signer, &ECDSA_SHA256, &partial(&extensions(list))).map(|_| ())
    };
    assert_eq!(with(signer, &[&signs]), Ok(()));
    assert_eq!(with(signer, &[&stated(attributes), &signs]), Ok(()));
    assert_eq!(with(signer, &[&stated([0; 4]), &signs]), Err(ResponseCode::ATTRIBUTES.handle(1)));
    assert_eq!(with(signer, &[]), value, "a use has to be there");
    assert_eq!(with(signer, &[&stated(attributes)]), value);
    // keyAgreement, nonRepudiation, keyEncipherment, and a bit that is none.
    assert_eq!(with(signer, &[&usage(&[3, 2, 3, 0x08])]), value);
    assert_eq!(with(parent, &[&usage(&[3, 2, 3, 0x08])]), Ok(()));
    assert_eq!(with(parent, &[&usage(&[3, 2, 5, 0x20])]), Ok(()));
    assert_eq!(with(parent, &[&signs]), value);
    assert_eq!(with(signer, &[&usage(&[3, 2, 6, 0x40])]), Ok(()));
    assert_eq!(
        with(signer, &[&usage(&[3, 3, 6, 0x80, 0x40])]),
        Err(ResponseCode::RESERVED_BITS.parameter(3))
    );
    assert_eq!(with(signer, &[&usage(&[3, 6, 0, 0x80, 0, 0, 0, 0])]), value, "too many bits");
    assert_eq!(with(signer, &[&usage(&[4, 1, 0x80])]), value, "no bits at all");
}

#[test]
fn what_is_no_partial_certificate_is_refused() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &signing(0));
    let usage = extensions(&[&extension(&KEY_USAGE, &DIGITAL_SIGNATURE)]);
    let good = partial(&usage);
    let mut with = |bytes: &[u8]| certify(&mut rig, key, key, &NO_SCHEME, bytes).map(|_| ());
    assert_eq!(with(&good), Ok(()));
    let size = Err(ResponseCode::SIZE.parameter(3));
    let value = Err(ResponseCode::VALUE.parameter(3));
    assert_eq!(with(b""), value);
    assert_eq!(with(&good[..good.len() - 1]), size);
    assert_eq!(with(&[&good[..], &[0]].concat()), size);
    assert_eq!(with(&element(0x31, &[&front(), &usage])), size);
    assert_eq!(with(&partial(b"")), value);
    assert_eq!(with(&element(SEQUENCE, &[&usage])), value);
    assert_eq!(with(&element(SEQUENCE, &[&front(), &front(), &usage])), value);
    assert_eq!(with(&element(SEQUENCE, &[&front(), &usage, &usage])), value);
    assert_eq!(with(&element(SEQUENCE, &[&usage, &front()])), value, "the order is fixed");
    assert_eq!(with(&element(SEQUENCE, &[&front(), &usage[..usage.len() - 1]])), value);
    for length in 1..good.len() {
        assert!(with(&good[..length]).is_err());
    }
}

#[test]
fn keys_that_do_not_sign_or_cannot_be_certified_are_refused() {
    let mut rig = Rig::started();
    let (signer, _) = primary(&mut rig, OWNER, &signing(0));
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let usage = extensions(&[&extension(&KEY_USAGE, &DIGITAL_SIGNATURE)]);
    let good = partial(&usage);
    let key = Err(ResponseCode::KEY.handle(2));
    assert_eq!(certify(&mut rig, signer, parent, &NO_SCHEME, &good), key);
    assert_eq!(certify(&mut rig, signer, NULL, &NO_SCHEME, &good), key);
    let rsassa = [0, 0x14, 0, 0x0B];
    let scheme = Err(ResponseCode::SCHEME.parameter(2));
    assert_eq!(certify(&mut rig, signer, signer, &rsassa, &good), scheme);
    let parameters = [&sized(b"x")[..], &NO_SCHEME, &sized(&good)].concat();
    assert_eq!(
        rig.with_passwords(0x197, &[signer, signer], &[b"", b""], &parameters),
        Err(ResponseCode::SIZE.parameter(1))
    );
    rig.call(0x165, &parent.to_be_bytes()).expect("flushed");
    let uses = 0x72 | RESTRICTED | DECRYPT;
    let cipher = template(0x25, uses, &[0, 6, 0, 128, 0, 0x43, 0, 0]);
    let (cipher, _) = primary(&mut rig, OWNER, &cipher);
    assert_eq!(
        certify(&mut rig, cipher, signer, &NO_SCHEME, &good),
        Err(ResponseCode::ASYMMETRIC.handle(1))
    );
    rig.call(0x165, &cipher.to_be_bytes()).expect("flushed");
    // A signature that certificates do not know, unless the caller names it.
    let schnorr = [0, 0x1C, 0, 0x0B];
    let details = [&[0, 0x10][..], &schnorr, &[0, 3, 0, 0x10, 0, 0, 0, 0]].concat();
    let (other, _) = primary(&mut rig, OWNER, &template(0x23, 0x4_0072, &details));
    assert_eq!(
        certify(&mut rig, signer, other, &schnorr, &good),
        Err(ResponseCode::SCHEME.handle(2))
    );
    let algorithm = element(SEQUENCE, &[]);
    let named = element(SEQUENCE, &[&algorithm, &front(), &usage]);
    certify(&mut rig, signer, other, &schnorr, &named).expect("certified");
}
