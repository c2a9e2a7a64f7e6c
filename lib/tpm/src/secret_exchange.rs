//! Secrets sent to whoever has a private key: seeds and salts
//! [Part 1 §24.2, §B.10.3, §C.6.1].
//!
//! With RSA the secret is random and encrypted by OAEP. With a curve it is
//! derived from the shared point of an ephemeral key. A label says what for.

use tpm_crypto::derivation::kdfe;
use tpm_crypto::ecc::{Point, Scalar};
use tpm_crypto::rsa::{RsaError, RsaPrivateKey, oaep};
use tpm_crypto::secret::Secret;

use crate::machine::Machine;
use crate::object_creation::{ecc_public, rsa_failure, rsa_public};
use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::codec::Wire;
use crate::wire::containers::Buffer;
use crate::wire::public::{Details, Public};
use crate::wire::scheme::{OAEP, RsaScheme, Scheme};
use crate::wire::structure::{EccPoint, EncryptedSecret};

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The salt of a session.
    Session,
    /// The seed of a duplicate's outer wrap.
    Duplication,
    /// The seed of a credential's wrap.
    Credential,
}

impl Purpose {
    /// The label, with its zero at the end.
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Session => b"SECRET\0",
            Self::Duplication => b"DUPLICATE\0",
            Self::Credential => b"IDENTITY\0",
        }
    }

    /// The label as key derivation takes it, which adds the zero.
    fn usage(self) -> &'static [u8] {
        let label = self.label();
        label.strip_suffix(b"\0").unwrap_or(label)
    }
}

/// A new secret for the owner of `key`, and how to tell it.
///
/// # Errors
///
/// [`ResponseCode::TYPE`] if the key is no asymmetric one with a name,
/// [`ResponseCode::KEY`] or [`ResponseCode::ECC_POINT`] if it is malformed.
pub(crate) fn share(
    machine: &mut Machine<'_, '_>,
    key: &Public,
    purpose: Purpose,
) -> Result<(Secret, EncryptedSecret), ResponseCode> {
    let hash = key.name_hash.ok_or(ResponseCode::TYPE)?;
    let provider = machine.platform.provider;
    match &key.details {
        Details::Rsa { scheme, .. } => {
            let hash = padding_hash(scheme, hash)?;
            let secret = Secret::new(machine.random(hash.size())?);
            let encrypted = oaep::encrypt(
                provider,
                &rsa_public(key)?,
                hash.algorithm(),
                purpose.label(),
                secret.as_bytes(),
                &mut machine.state.random,
            )
            .map_err(|_| ResponseCode::KEY)?;
            Ok((secret, Buffer::new(encrypted)))
        }
        Details::Ecc { curve, x, .. } => {
            let peer = ecc_public(key)?;
            let ephemeral = Scalar::draw(curve.curve(), &mut machine.state.random)
                .map_err(|_| ResponseCode::NO_RESULT)?;
            let point = provider.public_key(&ephemeral).map_err(|_| ResponseCode::FAILURE)?;
            let shared =
                provider.multiply(&ephemeral, &peer).map_err(|_| ResponseCode::NO_RESULT)?;
            let bits = u32::try_from(hash.size() * 8).expect("digests are short");
            let secret = kdfe(hash.algorithm(), shared.x(), purpose.usage(), point.x(), x, bits);
            let told = EccPoint { x: Buffer::new(point.x()), y: Buffer::new(point.y()) };
            Ok((secret, Buffer::new(told.to_bytes())))
        }
        _ => Err(ResponseCode::TYPE),
    }
}

/// The hash of OAEP: that of the key's scheme, or of its name if it has none.
///
/// # Errors
///
/// [`ResponseCode::SCHEME`] if the key pads in another way.
fn padding_hash(scheme: &RsaScheme, name_hash: Hash) -> Result<Hash, ResponseCode> {
    match scheme.0 {
        None => Ok(name_hash),
        Some(Scheme { algorithm: OAEP, hash: Some(hash), .. }) => Ok(hash),
        Some(_) => Err(ResponseCode::SCHEME),
    }
}

/// The secret that was told to the loaded key with this handle.
///
/// # Errors
///
/// [`ResponseCode::TYPE`] if it is no asymmetric key with a private half;
/// [`ResponseCode::SIZE`], [`ResponseCode::VALUE`] or
/// [`ResponseCode::ECC_POINT`] for what tells no secret to it.
pub(crate) fn recover(
    machine: &mut Machine<'_, '_>,
    handle: u32,
    purpose: Purpose,
    encrypted: &EncryptedSecret,
) -> Result<Secret, ResponseCode> {
    let provider = machine.platform.provider;
    let object = machine.state.objects.get(handle).ok_or(ResponseCode::TYPE)?;
    let hash = object.public.name_hash.ok_or(ResponseCode::TYPE)?;
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::TYPE)?;
    match &object.public.details {
        Details::Rsa { modulus, scheme, .. } => {
            let hash = padding_hash(scheme, hash)?;
            if encrypted.len() != modulus.len() {
                return Err(ResponseCode::SIZE);
            }
            let key = RsaPrivateKey::from_prime(rsa_public(&object.public)?, &sensitive.secret)
                .map_err(|_| ResponseCode::KEY)?;
            let secret = oaep::decrypt(
                provider,
                &key,
                hash.algorithm(),
                purpose.label(),
                encrypted,
                &mut machine.state.random,
            )
            .map_err(|error| match error {
                RsaError::BadCiphertext | RsaError::MessageTooLarge => ResponseCode::VALUE,
                other => rsa_failure(other),
            })?;
            if secret.as_bytes().len() > hash.size() {
                return Err(ResponseCode::VALUE);
            }
            Ok(secret)
        }
        Details::Ecc { curve, x, .. } => {
            let told = EccPoint::from_bytes(encrypted)?;
            let point =
                Point::new(curve.curve(), &told.x, &told.y).map_err(|_| ResponseCode::ECC_POINT)?;
            let key =
                Scalar::new(curve.curve(), &sensitive.secret).map_err(|_| ResponseCode::KEY)?;
            let shared = provider.multiply(&key, &point).map_err(|_| ResponseCode::NO_RESULT)?;
            let bits = u32::try_from(hash.size() * 8).expect("digests are short");
            // Both coordinates as they stand in the secret and in the public area, as in
            // the reference implementation: who leaves out zeros there, does here.
            Ok(kdfe(hash.algorithm(), shared.x(), purpose.usage(), &told.x, x, bits))
        }
        _ => Err(ResponseCode::TYPE),
    }
}
