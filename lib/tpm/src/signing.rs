//! Signatures by and for loaded keys [Part 2 §11.3].

use alloc::vec::Vec;

use tpm_crypto::ecc::{
    EccSignature, Scalar, sign_ecdaa, sign_schnorr, sign_sm2, verify_schnorr, verify_sm2,
};
use tpm_crypto::hmac::Hmac;
use tpm_crypto::rsa::{RsaError, RsaPrivateKey, pkcs1, pss};
use tpm_crypto::secret::equal;

use crate::machine::Machine;
use crate::object_creation::{ecc_public, rsa_failure, rsa_public};
use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::wire::algorithm::Hash;
use crate::wire::bits::ObjectAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::public::{Coordinate, Details};
use crate::wire::scheme::{
    ECDAA, ECDSA, ECSCHNORR, EccScheme, HMAC, KeyedHashScheme, RSAPSS, RSASSA, RsaScheme, SM2,
    Scheme, SignatureScheme,
};

/// TPMT_SIGNATURE [Part 2 §11.3.4].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) scheme: Scheme,
    pub(crate) hash: Hash,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Rsa(Buffer<512>),
    Ecc(Coordinate, Coordinate),
    Hmac(Vec<u8>),
}

impl Wire for Signature {
    fn write(&self, out: &mut Vec<u8>) {
        self.scheme.algorithm.write(out);
        self.hash.write(out);
        match &self.value {
            Value::Rsa(signature) => signature.write(out),
            Value::Ecc(r, s) => {
                r.write(out);
                s.write(out);
            }
            Value::Hmac(mac) => out.extend_from_slice(mac),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let algorithm = u16::read(from)?;
        if !matches!(algorithm, RSASSA | RSAPSS | ECDSA | ECDAA | SM2 | ECSCHNORR | HMAC) {
            return Err(ResponseCode::SCHEME);
        }
        let hash = Hash::read(from)?;
        let scheme = Scheme::with_hash(algorithm, hash);
        let value = match algorithm {
            RSASSA | RSAPSS => Value::Rsa(Wire::read(from)?),
            HMAC => Value::Hmac(from.bytes(hash.size())?.to_vec()),
            _ => Value::Ecc(Wire::read(from)?, Wire::read(from)?),
        };
        Ok(Self { scheme, hash, value })
    }
}

/// The scheme that a key signs with: its own, or the one asked for if it leaves
/// that open [Part 2 §11.2.1.5].
///
/// # Errors
///
/// [`ResponseCode::SCHEME`] if none results or both differ.
pub(crate) fn select_scheme(
    object: &Object,
    asked: SignatureScheme,
) -> Result<Scheme, ResponseCode> {
    let own = match &object.public.details {
        Details::Rsa { scheme: RsaScheme(scheme), .. }
        | Details::Ecc { scheme: EccScheme(scheme), .. } => *scheme,
        Details::KeyedHash { scheme: KeyedHashScheme::Hmac(hash), .. } => {
            Some(Scheme::with_hash(HMAC, *hash))
        }
        Details::KeyedHash { .. } => None,
        Details::Cipher { .. } => return Err(ResponseCode::SCHEME),
    };
    let SignatureScheme(asked) = asked;
    let scheme = match (own, asked) {
        (Some(own), Some(asked)) if own == asked => own,
        // Each signature names its own commitment.
        (Some(Scheme { algorithm: ECDAA, hash, .. }), Some(asked))
            if asked.algorithm == ECDAA && asked.hash == hash =>
        {
            asked
        }
        (Some(Scheme { algorithm: ECDAA, .. }), None) | (Some(_), Some(_)) | (None, None) => {
            return Err(ResponseCode::SCHEME);
        }
        (Some(scheme), None) | (None, Some(scheme)) => scheme,
    };
    let fits = match object.public.details {
        Details::Rsa { .. } => matches!(scheme.algorithm, RSASSA | RSAPSS),
        Details::Ecc { .. } => matches!(scheme.algorithm, ECDSA | ECDAA | SM2 | ECSCHNORR),
        _ => scheme.algorithm == HMAC,
    };
    if fits { Ok(scheme) } else { Err(ResponseCode::SCHEME) }
}

/// Checks that the object with handle `number` is a key that signs.
///
/// # Errors
///
/// [`ResponseCode::KEY`] if not.
pub(crate) fn check_signs(object: &Object, number: u32) -> Result<(), ResponseCode> {
    let cipher = matches!(object.public.details, Details::Cipher { .. });
    let signs = object.public.attributes.contains(ObjectAttributes::SIGN) && !cipher;
    if signs && object.sensitive.0.is_some() {
        Ok(())
    } else {
        Err(ResponseCode::KEY.handle(number))
    }
}

/// Signs `digest` with the key behind `handle`.
///
/// # Errors
///
/// [`ResponseCode::KEY`] if it cannot, [`ResponseCode::FAILURE`] if the
/// computation went wrong.
pub(crate) fn sign(
    machine: &mut Machine<'_, '_>,
    handle: u32,
    scheme: Scheme,
    digest: &[u8],
) -> Result<Signature, ResponseCode> {
    let hash = scheme.hash.ok_or(ResponseCode::SCHEME)?;
    let provider = machine.platform.provider;
    let object = machine.state.objects.get(handle).ok_or(ResponseCode::KEY)?;
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::KEY)?;
    let random = &mut machine.state.random;
    let failed = |_| ResponseCode::FAILURE;
    let value = match &object.public.details {
        Details::Rsa { .. } => {
            let key = RsaPrivateKey::from_prime(rsa_public(&object.public)?, &sensitive.secret)
                .map_err(|_| ResponseCode::KEY)?;
            let signature = if scheme.algorithm == RSAPSS {
                pss::sign(provider, &key, hash.algorithm(), digest, random)
            } else {
                pkcs1::sign(provider, &key, hash.algorithm(), digest, random)
            };
            Value::Rsa(Buffer::new(signature.map_err(|error| match error {
                // The key is too small for this hash and padding.
                RsaError::DigestSize => ResponseCode::SCHEME,
                other => rsa_failure(other),
            })?))
        }
        Details::Ecc { curve, .. } => {
            let key =
                Scalar::new(curve.curve(), &sensitive.secret).map_err(|_| ResponseCode::KEY)?;
            let signature = match scheme.algorithm {
                ECDAA => {
                    let commitments = &mut machine.state.commitments;
                    let name = object.name();
                    let committed = commitments.open(scheme.count, curve.curve(), &name)?;
                    let signature = sign_ecdaa(&key, &committed, hash.algorithm(), digest, random);
                    commitments.close(scheme.count);
                    signature
                }
                ECSCHNORR => sign_schnorr(provider, &key, hash.algorithm(), digest, random),
                SM2 => sign_sm2(provider, &key, digest, random),
                _ => provider.sign_ecdsa(&key, hash.algorithm(), digest),
            }
            .map_err(failed)?;
            Value::Ecc(
                Coordinate::new(signature.r.as_bytes()),
                Coordinate::new(signature.s.as_bytes()),
            )
        }
        Details::KeyedHash { .. } => {
            let mac = Hmac::mac(hash.algorithm(), &sensitive.secret, &[digest]);
            Value::Hmac(mac.as_bytes().to_vec())
        }
        Details::Cipher { .. } => return Err(ResponseCode::KEY),
    };
    Ok(Signature { scheme, hash, value })
}

/// Checks a signature of `digest` with the key of `object`.
///
/// # Errors
///
/// [`ResponseCode::SIGNATURE`] if it is not valid, [`ResponseCode::SCHEME`] if
/// it does not fit the key.
pub(crate) fn verify(
    machine: &Machine<'_, '_>,
    object: &Object,
    digest: &[u8],
    signature: &Signature,
) -> Result<(), ResponseCode> {
    let provider = machine.platform.provider;
    let hash = signature.hash.algorithm();
    let valid = match (&object.public.details, &signature.value) {
        (Details::Rsa { .. }, Value::Rsa(value)) => {
            let key = rsa_public(&object.public)?;
            if signature.scheme.algorithm == RSAPSS {
                pss::verify(provider, &key, hash, digest, value).is_ok()
            } else {
                pkcs1::verify(provider, &key, hash, digest, value).is_ok()
            }
        }
        (Details::Ecc { .. }, Value::Ecc(..)) if signature.scheme.algorithm == ECDAA => {
            // Whoever verifies ECDAA has more to compute than a TPM does.
            return Err(ResponseCode::SCHEME);
        }
        (Details::Ecc { curve, .. }, Value::Ecc(r, s)) => {
            let key = ecc_public(&object.public)?;
            EccSignature::new(curve.curve(), r, s).is_ok_and(|value| {
                match signature.scheme.algorithm {
                    ECSCHNORR => verify_schnorr(provider, &key, hash, digest, &value),
                    SM2 => verify_sm2(provider, &key, digest, &value),
                    _ => provider.verify_ecdsa(&key, digest, &value),
                }
                .is_ok()
            })
        }
        (Details::KeyedHash { .. }, Value::Hmac(mac)) => {
            let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::HANDLE)?;
            equal(mac, Hmac::mac(hash, &sensitive.secret, &[digest]).as_bytes())
        }
        _ => return Err(ResponseCode::SCHEME),
    };
    if valid { Ok(()) } else { Err(ResponseCode::SIGNATURE) }
}
