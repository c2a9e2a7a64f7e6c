//! RSA encryption and decryption [Part 3 §14.2, §14.3].

use tpm_crypto::rsa::{RsaError, RsaPrivateKey, oaep, pkcs1};
use tpm_crypto::secret::Secret;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::object_creation::{rsa_failure, rsa_public};
use crate::response_code::ResponseCode;
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::Buffer;
use crate::wire::public::{Details, Public};
use crate::wire::scheme::{OAEP, RSAES, RsaDecryptScheme, RsaScheme, Scheme};
use crate::wire::structure::Data;

/// TPM2B_PUBLIC_KEY_RSA: a number as long as the largest modulus.
type RsaBlock = Buffer<512>;

/// TPM2_RSA_Encrypt [Part 3 §14.2].
pub(crate) fn encrypt(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (message, scheme, label): (RsaBlock, RsaDecryptScheme, Data) = call.parameters()?;
    let object = machine.object(call.handle(0), 1).map_err(|_| ResponseCode::KEY.handle(1))?;
    if !matches!(object.public.details, Details::Rsa { .. }) {
        return Err(ResponseCode::KEY.handle(1));
    }
    if !object.public.attributes.contains(ObjectAttributes::DECRYPT) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    check_label(&label)?;
    let scheme = select(&object.public, scheme).map_err(|error| error.parameter(2))?;
    let key = rsa_public(&object.public)?;
    let provider = machine.platform.provider;
    let random = &mut machine.state.random;
    let encrypted = match scheme {
        Some(Scheme { algorithm: OAEP, hash: Some(hash), .. }) => {
            oaep::encrypt(provider, &key, hash.algorithm(), &label, &message, random)
        }
        Some(_) => pkcs1::encrypt(provider, &key, &message, random),
        None => provider.public_operation(&key, &message),
    };
    let encrypted = encrypted.map_err(|error| match error {
        RsaError::MessageTooLarge | RsaError::MessageTooLong { .. } | RsaError::DigestSize => {
            ResponseCode::VALUE.parameter(1)
        }
        other => rsa_failure(other),
    })?;
    Ok(Reply::EMPTY.with(&RsaBlock::new(encrypted)))
}

/// TPM2_RSA_Decrypt [Part 3 §14.3].
pub(crate) fn decrypt(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (ciphertext, scheme, label): (RsaBlock, RsaDecryptScheme, Data) = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    if !matches!(object.public.details, Details::Rsa { .. }) {
        return Err(ResponseCode::KEY.handle(1));
    }
    let attributes = object.public.attributes;
    if attributes.contains(ObjectAttributes::RESTRICTED)
        || !attributes.contains(ObjectAttributes::DECRYPT)
    {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    check_label(&label)?;
    let scheme = select(&object.public, scheme).map_err(|error| error.parameter(2))?;
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::KEY.handle(1))?;
    let public = rsa_public(&object.public)?;
    if ciphertext.len() != public.modulus().len() {
        // Of no parameter, as in the reference implementation.
        return Err(ResponseCode::SIZE);
    }
    let key = RsaPrivateKey::from_prime(public, &sensitive.secret)
        .map_err(|_| ResponseCode::KEY.handle(1))?;
    let provider = machine.platform.provider;
    let random = &mut machine.state.random;
    let message: Result<Secret, RsaError> = match scheme {
        Some(Scheme { algorithm: OAEP, hash: Some(hash), .. }) => {
            oaep::decrypt(provider, &key, hash.algorithm(), &label, &ciphertext, random)
        }
        Some(_) => pkcs1::decrypt(provider, &key, &ciphertext, random),
        None => provider.private_operation(&key, &ciphertext, random),
    };
    let message = message.map_err(|error| match error {
        RsaError::MessageTooLarge | RsaError::BadCiphertext | RsaError::DigestSize => {
            ResponseCode::VALUE.parameter(1)
        }
        other => rsa_failure(other),
    })?;
    Ok(Reply::EMPTY.with(&RsaBlock::new(message.as_bytes())))
}

/// A label ends in a zero byte, if there is one.
fn check_label(label: &Data) -> Result<(), ResponseCode> {
    match label.last() {
        Some(0) | None => Ok(()),
        Some(_) => Err(ResponseCode::VALUE.parameter(3)),
    }
}

/// The key's scheme, or the one asked for if the key leaves that open; none is
/// the bare operation [Part 2 §11.2.4.4].
fn select(public: &Public, asked: RsaDecryptScheme) -> Result<Option<Scheme>, ResponseCode> {
    let Details::Rsa { scheme: RsaScheme(own), .. } = &public.details else {
        return Err(ResponseCode::SCHEME);
    };
    let scheme = match (*own, asked.0) {
        (Some(own), Some(asked)) if own != asked => return Err(ResponseCode::SCHEME),
        (own, asked) => own.or(asked),
    };
    match scheme {
        None | Some(Scheme { algorithm: OAEP | RSAES, .. }) => Ok(scheme),
        Some(_) => Err(ResponseCode::SCHEME),
    }
}
