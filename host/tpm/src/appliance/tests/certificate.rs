//! A certificate that the device completes and signs, read and verified by
//! software for certificates.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use x509_cert::Certificate;
use x509_cert::der::asn1::BitString;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};

use super::super::{Appliance, Startup};
use super::appliance;
use crate::message::{Command, Response, sized, take_sized};

const OWNER: u32 = 0x4000_0001;
/// A key on P-256 that signs with ECDSA and SHA-256 (TPMT_PUBLIC).
const SIGNING: [u8; 24] =
    [0, 0x23, 0, 0x0B, 0, 4, 0, 0x72, 0, 0, 0, 0x10, 0, 0x18, 0, 0x0B, 0, 3, 0, 0x10, 0, 0, 0, 0];

/// A sequence (or what else the tag says) around parts that take few bytes.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length: &[u8] = if content.len() < 0x80 {
        &length[1..]
    } else if content.len() < 0x100 {
        &[0x81, length[1]]
    } else {
        &[0x82, length[0], length[1]]
    };
    [&[tag], length, &content].concat()
}

fn execute(device: &mut Appliance, command: &Command) -> Vec<u8> {
    let response = device.execute(0, 0, &command.bytes()).unwrap();
    assert_eq!(Response::parse(&response).unwrap().code, 0);
    response
}

#[test]
fn the_completed_certificate_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = appliance(folder.path());
    device.manufacture().unwrap();
    device.power_on().unwrap();
    device.start_up(Startup::Clear);
    let creation = [sized(&[0; 4]), sized(&SIGNING), sized(b""), vec![0; 4]].concat();
    let create = Command::new(0x131).authorized(OWNER, b"").parameters(&creation);
    let key = Response::parse(&execute(&mut device, &create)).unwrap().handle().unwrap();

    // CN=TPM, both times, the same name, and digitalSignature.
    let name = element(
        0x30,
        &[&element(0x31, &[&element(0x30, &[&[6, 3, 0x55, 4, 3], &element(0x0C, &[b"TPM"])])])],
    );
    let time = |text: &[u8]| element(0x17, &[text]);
    let validity = element(0x30, &[&time(b"260101000000Z"), &time(b"460101000000Z")]);
    let usage = [&[6, 3, 0x55, 0x1D, 0x0F][..], &[1, 1, 0xFF], &[4, 4, 3, 2, 7, 0x80]].concat();
    let extensions = element(0xA3, &[&element(0x30, &[&element(0x30, &[&usage])])]);
    let partial = element(0x30, &[&name, &validity, &name, &extensions]);

    let certify = Command::new(0x197).authorized(key, b"").authorized(key, b"");
    let parameters = [sized(b""), vec![0, 0x10], sized(&partial)].concat();
    let response = execute(&mut device, &certify.parameters(&parameters));
    let mut rest = Response::parse(&response).unwrap().parameters().unwrap();
    let (added, _digest) = (take_sized(&mut rest).unwrap(), take_sized(&mut rest).unwrap());
    assert_eq!(rest[..4], [0, 0x18, 0, 0x0B], "ECDSA with SHA-256");
    let mut rest = &rest[4..];
    let (r, s) = (take_sized(&mut rest).unwrap(), take_sized(&mut rest).unwrap());
    let halves = [r, s].map(|half| <[u8; 32]>::try_from(half).unwrap());
    let signature = Signature::from_scalars(halves[0], halves[1]).unwrap();

    // Version, serial number, algorithm and key, which go around the rest.
    let mut added = SliceReader::new(added).unwrap();
    let parts: Vec<Vec<u8>> = added
        .sequence(|inside| {
            (0..4).map(|_| inside.tlv_bytes().map(<[u8]>::to_vec)).collect::<Result<_, _>>()
        })
        .unwrap();
    let [version, serial, algorithm, public_key] = parts.try_into().unwrap();
    let signed = element(
        0x30,
        &[&version, &serial, &algorithm, &name, &validity, &name, &public_key, &extensions],
    );
    let bits = BitString::from_bytes(signature.to_der().as_bytes()).unwrap();
    let whole = element(0x30, &[&signed, &algorithm, &bits.to_der().unwrap()]);
    let certificate = Certificate::from_der(&whole).unwrap();
    assert_eq!(certificate.tbs_certificate().subject().to_string(), "CN=TPM");
    let key = certificate.tbs_certificate().subject_public_key_info().to_der().unwrap();
    let key = VerifyingKey::from_public_key_der(&key).unwrap();
    key.verify(&certificate.tbs_certificate().to_der().unwrap(), &signature).unwrap();
}
