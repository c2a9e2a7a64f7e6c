//! Whole devices: their certificates are where they belong and hold.

use std::sync::Arc;

use p384::ecdsa::signature::Verifier;
use tpm::{
    ENDORSEMENT_TEMPLATES, EndorsementKey, EndorsementTemplate, MemoryStore, PowerOnError, Store,
};
use tpm_crypto::ecc::Curve;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::{CHAIN_INDEX, ManufactureError, Origin, certified, manufacture};
use crate::manufacture::Authority;
use crate::message::{Command, Response, sized, take_sized};
use crate::{Appliance, Journal, Startup};

/// TPM_CC_*.
const CREATE_PRIMARY: u32 = 0x131;
const NV_READ: u32 = 0x14E;
const NV_READ_PUBLIC: u32 = 0x169;
const FLUSH_CONTEXT: u32 = 0x165;
/// TPM_RH_*.
const OWNER: u32 = 0x4000_0001;
const ENDORSEMENT: u32 = 0x4000_000B;

fn started(memory: MemoryStore) -> Appliance {
    let mut device = Appliance::new(Box::new(memory), Arc::new(Journal::silent()));
    device.power_on().unwrap();
    device.start_up(Startup::Clear);
    device
}

/// The answer to a command that succeeds.
fn run(device: &mut Appliance, command: &Command) -> Vec<u8> {
    let answer = device.execute(0, 0, &command.bytes()).unwrap();
    assert_eq!(Response::parse(&answer).unwrap().code, 0);
    answer
}

/// The key that a user makes from a template, as bytes behind their lengths.
fn primary(device: &mut Appliance, template: &EndorsementTemplate) -> Vec<u8> {
    let parameters = [sized(&[0; 4]), sized(&template.to_bytes()), sized(&[]), vec![0; 4]].concat();
    let command = Command::new(CREATE_PRIMARY).authorized(ENDORSEMENT, b"");
    let answer = run(device, &command.parameters(&parameters));
    let response = Response::parse(&answer).unwrap();
    let handle = response.handle().unwrap();
    run(device, &Command::new(FLUSH_CONTEXT).parameters(&handle.to_be_bytes()));
    let mut parameters = response.parameters_after_handle().unwrap();
    take_sized(&mut parameters).unwrap().to_vec()
}

fn read(device: &mut Appliance, index: u32) -> Vec<u8> {
    let answer = run(device, &Command::new(NV_READ_PUBLIC).handle(index));
    let mut body = Response::parse(&answer).unwrap().parameters().unwrap();
    let public = take_sized(&mut body).unwrap();
    let size = u16::from_be_bytes(public[public.len() - 2..].try_into().unwrap());
    let mut content = Vec::new();
    while content.len() < size.into() {
        let offset = content.len() as u16;
        let length = (size - offset).min(512);
        let command = Command::new(NV_READ).authorized(OWNER, b"").handle(index);
        let command = command.parameters(&[length.to_be_bytes(), offset.to_be_bytes()].concat());
        let answer = run(device, &command);
        let mut body = Response::parse(&answer).unwrap().parameters().unwrap();
        content.extend(take_sized(&mut body).unwrap());
    }
    content
}

/// Whether the authority's key signed the certificate.
fn is_signed(authority: &Certificate, certificate: &Certificate) -> bool {
    let key = authority.tbs_certificate().subject_public_key_info().to_der().unwrap();
    let key = SubjectPublicKeyInfoRef::from_der(&key).unwrap();
    let key = p384::ecdsa::VerifyingKey::try_from(key).unwrap();
    let signature =
        p384::ecdsa::DerSignature::try_from(certificate.signature().raw_bytes()).unwrap();
    key.verify(&certificate.tbs_certificate().to_der().unwrap(), &signature).is_ok()
}

#[test]
fn certificates_are_in_place_and_are_for_the_keys() {
    let authority = Authority::test().unwrap();
    let mut memory = MemoryStore::default();
    manufacture(&mut memory, Origin::Random, &authority).unwrap();
    let mut device = started(memory);
    let chain = read(&mut device, CHAIN_INDEX);
    assert_eq!(chain, authority.certificate_der().unwrap());
    let chain = Certificate::from_der(&chain).unwrap();
    assert!(is_signed(&chain, &chain));
    for template in &ENDORSEMENT_TEMPLATES {
        let certificate = read(&mut device, template.certificate_index);
        let certificate = Certificate::from_der(&certificate).unwrap();
        assert!(is_signed(&chain, &certificate), "{}", template.name);
        let content = certificate.tbs_certificate();
        // The last coordinate, or the modulus, is in the certificate.
        let area = primary(&mut device, template);
        let key = content.subject_public_key_info().subject_public_key.raw_bytes();
        let number = &area[area.len() - 32..];
        assert!(key.windows(32).any(|part| part == number), "{}", template.name);
        assert_eq!(content.issuer(), chain.tbs_certificate().subject());
        assert!(content.subject().is_empty());
        let extensions = content.extensions().unwrap();
        let find = |oid| {
            let oid = ObjectIdentifier::new_unwrap(oid);
            extensions.iter().find(|extension| extension.extn_id == oid).unwrap()
        };
        // Alternative name, key usage, basic constraints; extended key usage.
        assert!(["2.5.29.17", "2.5.29.15", "2.5.29.19"].map(find).iter().all(|one| one.critical));
        let usage = find("2.5.29.37").extn_value.as_bytes();
        assert_eq!(usage, [0x30, 7, 6, 5, 0x67, 0x81, 5, 8, 1]);
        let name = find("2.5.29.17").extn_value.as_bytes();
        assert!(name.windows(11).any(|part| part == b"id:5356534D"), "{}", template.name);
    }
}

#[test]
fn the_same_seed_makes_the_same_keys() {
    let authority = Authority::test().unwrap();
    let mut keys = Vec::new();
    for seed in [&b"one"[..], b"one", b"two"] {
        let mut memory = MemoryStore::default();
        manufacture(&mut memory, Origin::Seed(seed), &authority).unwrap();
        let mut device = started(memory);
        keys.push(ENDORSEMENT_TEMPLATES.map(|template| primary(&mut device, &template)));
    }
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].iter().zip(&keys[2]).all(|(one, two)| one != two));
}

#[test]
fn a_store_that_holds_something_is_left_alone() {
    let authority = Authority::test().unwrap();
    let mut memory = MemoryStore::default();
    memory.commit(&[tpm::Change { key: 9, content: Some(vec![1]) }]).unwrap();
    let error = manufacture(&mut memory, Origin::Random, &authority).unwrap_err();
    assert!(matches!(error, ManufactureError::Device(PowerOnError::Occupied)));
    assert_eq!(memory.load().unwrap(), [(9, vec![1])]);
}

#[test]
fn an_authority_is_read_from_pem() {
    let authority = Authority::test().unwrap();
    let (certificate, key) =
        (authority.certificate_pem().unwrap(), authority.key_pem().unwrap().unwrap());
    let read = Authority::from_pem(&certificate, &key).unwrap();
    assert_eq!(read.certificate_der().unwrap(), authority.certificate_der().unwrap());
    let other = Authority::test().unwrap().key_pem().unwrap().unwrap();
    let refusal = |certificate: &str, key: &str| {
        Authority::from_pem(certificate, key).err().map(|error| error.to_string()).unwrap()
    };
    assert!(refusal(&certificate, &other).contains("not the one"));
    assert!(refusal(&certificate, &certificate).contains("PRIVATE KEY"));
    assert!(refusal(&key, &key).contains("certificate"));
}

#[test]
fn keys_that_no_template_makes_are_not_certified() {
    let zero = vec![0; 32];
    let point = |curve| EndorsementKey::Ecc { curve, x: zero.clone(), y: zero.clone() };
    assert!(certified(&point(Curve::P521)).is_err());
    assert!(certified(&point(Curve::P256)).is_err());
    assert!(certified(&EndorsementKey::Rsa { modulus: vec![], exponent: 3 }).is_err());
}
