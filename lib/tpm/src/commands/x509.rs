//! Certificates [Part 3 §18.8].

use alloc::vec::Vec;

use crate::call::{Call, Reply};
use crate::certificate::algorithms::{public_key, signature_algorithm};
use crate::certificate::encoding::{SEQUENCE, element, explicit, integer};
use crate::certificate::partial::PartialCertificate;
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::signing::{check_signs, select_scheme, sign};
use crate::wire::handle::NULL;
use crate::wire::scheme::SignatureScheme;
use crate::wire::structure::{Data, Digest, MaxBuffer};

/// The longest serial number, in bytes.
const SERIAL_NUMBER: usize = 20;
/// X.509 version 3, which counts from zero.
const VERSION_3: [u8; 1] = [2];

/// TPM2_CertifyX509 [Part 3 §18.8]: completes a certificate for a key with its
/// version, serial number and public key, and signs it. The serial number is a
/// digest of all the rest and both keys' names, as in the reference
/// implementation.
pub(crate) fn certify(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (reserved, scheme, given): (Data, SignatureScheme, MaxBuffer) = call.parameters()?;
    let (key, signer) = (call.handle(0), call.handle(1));
    if !reserved.is_empty() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    if signer == NULL {
        return Err(ResponseCode::KEY.handle(2));
    }
    let object = machine.object(signer, 2)?;
    check_signs(object, 2)?;
    let scheme = select_scheme(object, scheme).map_err(|error| error.parameter(2))?;
    let hash = scheme.hash.ok_or(ResponseCode::SCHEME.parameter(2))?;
    let own_algorithm = signature_algorithm(scheme, &object.public);
    let (signer_name, name_hash) = (object.name(), object.public.name_hash.unwrap_or(hash));
    let object = machine.object(key, 1)?;
    let public_key = public_key(&object.public).ok_or(ResponseCode::ASYMMETRIC.handle(1))?;
    let partial = PartialCertificate::read(&given).map_err(|error| error.parameter(3))?;
    // Said by the caller, or added here.
    let (algorithm, added_algorithm): (Vec<u8>, Vec<u8>) = match partial.algorithm {
        Some(algorithm) => (algorithm.to_vec(), Vec::new()),
        None => {
            let algorithm = own_algorithm.ok_or(ResponseCode::SCHEME.handle(2))?;
            (algorithm.clone(), algorithm)
        }
    };
    partial.check_statements(&object.public).map_err(|error| match error {
        ResponseCode::ATTRIBUTES => error.handle(1),
        _ => error.parameter(3),
    })?;
    let front = [partial.issuer, partial.validity, partial.subject].concat();
    let rest: [&[u8]; 4] = [&algorithm, &front, &public_key, partial.extensions];
    let [one, two, three, four] = rest;
    let serial =
        name_hash.algorithm().digest(&[one, two, three, four, &signer_name, &object.name()]);
    let serial: Vec<u8> = serial.as_bytes().iter().take(SERIAL_NUMBER).copied().collect();
    let version = element(explicit(0), &[&integer(&VERSION_3)]);
    let serial = integer(&serial);
    let certificate = element(SEQUENCE, &[&version, &serial, one, two, three, four]);
    let added = element(SEQUENCE, &[&version, &serial, &added_algorithm, &public_key]);
    let digest = hash.algorithm().digest(&[&certificate]);
    let signature = sign(machine, signer, scheme, digest.as_bytes())?;
    Ok(Reply::EMPTY
        .with(&MaxBuffer::new(added))
        .with(&Digest::new(digest.as_bytes()))
        .with(&signature))
}
