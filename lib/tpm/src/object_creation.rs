//! Making the secrets of objects [Part 1 §26, §27.6; Part 2 §12.3].

use tpm_crypto::ecc::{Point, Scalar};
use tpm_crypto::provider::Provider;
use tpm_crypto::random::RandomStream;
use tpm_crypto::rsa::{RsaError, RsaPrivateKey, RsaPublicKey, RsaSize, generate};

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::Buffer;
use crate::wire::public::{Details, Public};
use crate::wire::sensitive::{MAX_SEALED, Secret, Sensitive, SensitiveCreate};
use crate::wire::structure::Digest;

/// The exponent for which zero stands.
const DEFAULT_EXPONENT: u32 = 0x1_0001;

/// The exponent of an RSA key as a number.
pub(crate) const fn exponent_of(exponent: u32) -> u32 {
    if exponent == 0 { DEFAULT_EXPONENT } else { exponent }
}

/// Where the secret of a symmetric object comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The stream.
    Stream,
    /// Whoever asks for the object.
    Caller,
}

impl Origin {
    /// As the attributes say.
    pub(crate) fn of(public: &Public) -> Self {
        if public.attributes.contains(ObjectAttributes::SENSITIVE_DATA_ORIGIN) {
            Self::Stream
        } else {
            Self::Caller
        }
    }
}

/// Makes the secret of an object from `stream`, and completes its public area.
/// The same stream gives the same object.
///
/// # Errors
///
/// What in the template cannot be made.
pub(crate) fn create(
    provider: &dyn Provider,
    public: &mut Public,
    given: &SensitiveCreate,
    origin: Origin,
    stream: &mut dyn RandomStream,
) -> Result<Sensitive, ResponseCode> {
    let hash = public.name_hash.ok_or(ResponseCode::HASH)?;
    let kind = public.details.kind();
    let storage = public.is_storage_parent();
    let made_here = origin == Origin::Stream;
    let symmetric = matches!(public.details, Details::KeyedHash { .. } | Details::Cipher { .. });
    let secret = match &mut public.details {
        Details::Rsa { key_bits, exponent, modulus, .. } => {
            let size = RsaSize::from_bits(u32::from(*key_bits)).ok_or(ResponseCode::VALUE)?;
            if exponent_of(*exponent) != DEFAULT_EXPONENT {
                return Err(ResponseCode::RANGE);
            }
            let key = generate(size, DEFAULT_EXPONENT, stream).map_err(|error| match error {
                // Keys of 1024 bits come from outside only.
                RsaError::TooSmall(_) => ResponseCode::VALUE,
                _ => ResponseCode::NO_RESULT,
            })?;
            *modulus = Buffer::new(key.public().modulus());
            Secret::new(key.prime().as_bytes())
        }
        Details::Ecc { curve, x, y, .. } => {
            let scalar =
                Scalar::draw(curve.curve(), stream).map_err(|_| ResponseCode::NO_RESULT)?;
            let point = provider.public_key(&scalar).map_err(|_| ResponseCode::FAILURE)?;
            *x = Buffer::new(point.x());
            *y = Buffer::new(point.y());
            Secret::new(scalar.as_bytes())
        }
        Details::KeyedHash { scheme, .. } => {
            let hash = scheme.hash().unwrap_or(hash);
            let uses = ObjectAttributes::SIGN | ObjectAttributes::DECRYPT;
            if made_here {
                Secret::new(draw(hash.size(), stream)?)
            } else if public.attributes.intersects(uses)
                && given.data.len() > hash.algorithm().block_size()
            {
                // HMAC would hash it to something shorter.
                return Err(ResponseCode::SIZE);
            } else {
                Secret::new(&given.data[..])
            }
        }
        Details::Cipher { cipher, .. } => {
            let size = usize::from(cipher.key_bits / 8);
            if made_here {
                Secret::new(draw(size, stream)?)
            } else if given.data.len() == size {
                Secret::new(&given.data[..])
            } else {
                return Err(ResponseCode::KEY_SIZE);
            }
        }
    };
    let seed =
        if storage || symmetric { Digest::new(draw(hash.size(), stream)?) } else { Digest::EMPTY };
    let auth = given.auth.without_trailing_zeros();
    let sensitive = Sensitive { kind, auth, seed, secret };
    if let Details::KeyedHash { unique, .. } | Details::Cipher { unique, .. } = &mut public.details
    {
        *unique = symmetric_unique(hash, &sensitive);
    }
    Ok(sensitive)
}

fn draw(size: usize, stream: &mut dyn RandomStream) -> Result<alloc::vec::Vec<u8>, ResponseCode> {
    let mut bytes = alloc::vec![0; size];
    stream.fill(&mut bytes).map_err(|_| ResponseCode::FAILURE)?;
    Ok(bytes)
}

/// What a symmetric object shows of its secret: a digest with its seed.
fn symmetric_unique(hash: Hash, sensitive: &Sensitive) -> Digest {
    Digest::new(hash.algorithm().digest(&[&sensitive.seed, &sensitive.secret]).as_bytes())
}

/// Checks that a sensitive area is sound and belongs to a public area, which is
/// parameter 2 of all commands that bring one; the sensitive area is parameter
/// `secret` [Part 1 §27.6, Part 2 §12.3.2].
///
/// # Errors
///
/// [`ResponseCode::TYPE`], [`ResponseCode::SIZE`] or [`ResponseCode::KEY_SIZE`] of
/// the secret, [`ResponseCode::KEY`] of the public area; [`ResponseCode::BINDING`],
/// and `KEY_SIZE` of points' secrets, of neither, as in the reference
/// implementation.
pub(crate) fn check_binding(
    provider: &dyn Provider,
    public: &Public,
    sensitive: &Sensitive,
    secret: u32,
) -> Result<(), ResponseCode> {
    if sensitive.kind != public.details.kind() {
        return Err(ResponseCode::TYPE.parameter(secret));
    }
    let key_size = Err(ResponseCode::KEY_SIZE.parameter(secret));
    let digest = public.name_hash.map(Hash::size);
    if digest.is_some_and(|size| sensitive.auth.len() > size) {
        return Err(ResponseCode::SIZE.parameter(secret));
    }
    match &public.details {
        Details::Rsa { key_bits, .. } => {
            let key = rsa_public(public).map_err(|error| error.parameter(2))?;
            // A prime is half as long as the modulus, and has no zeros in front.
            let sound = sensitive.secret.len() * 2 == usize::from(key_bits / 8)
                && sensitive.secret.first().is_some_and(|byte| *byte >= 0x80);
            if !sound {
                return key_size;
            }
            RsaPrivateKey::from_prime(key, &sensitive.secret).map_err(|_| ResponseCode::BINDING)?;
        }
        Details::Ecc { curve, .. } => {
            let scalar = Scalar::new(curve.curve(), &sensitive.secret)
                .map_err(|_| ResponseCode::KEY_SIZE)?;
            let point = provider.public_key(&scalar).map_err(|_| ResponseCode::FAILURE)?;
            if !ecc_public(public).is_ok_and(|given| given == point) {
                return Err(ResponseCode::BINDING);
            }
        }
        Details::KeyedHash { unique, .. } | Details::Cipher { unique, .. } => {
            let fits = match &public.details {
                Details::Cipher { cipher, .. } => {
                    sensitive.secret.len() == usize::from(cipher.key_bits / 8)
                }
                Details::KeyedHash { scheme, .. } => {
                    let longest =
                        scheme.hash().map_or(MAX_SEALED, |hash| hash.algorithm().block_size());
                    sensitive.secret.len() <= longest
                }
                _ => true,
            };
            if !fits || digest.is_some_and(|size| sensitive.seed.len() != size) {
                return key_size;
            }
            if let Some(hash) = public.name_hash
                && symmetric_unique(hash, sensitive) != *unique
            {
                return Err(ResponseCode::BINDING);
            }
        }
    }
    // Whoever knows a parent's seed knows its children: it must not be short.
    let parent = public.is_storage_parent() || public.is_derivation_parent();
    let seed = sensitive.seed.len();
    if parent && digest.is_some_and(|size| seed < size / 2 || seed > size) {
        return Err(ResponseCode::SIZE.parameter(secret));
    }
    Ok(())
}

/// The RSA key of a public area.
///
/// # Errors
///
/// [`ResponseCode::KEY`] if it is none.
pub(crate) fn rsa_public(public: &Public) -> Result<RsaPublicKey, ResponseCode> {
    match &public.details {
        Details::Rsa { modulus, exponent, key_bits, .. }
            if modulus.len() == usize::from(key_bits / 8) =>
        {
            RsaPublicKey::new(modulus, exponent_of(*exponent)).map_err(|_| ResponseCode::KEY)
        }
        _ => Err(ResponseCode::KEY),
    }
}

/// The point of a public area.
///
/// # Errors
///
/// [`ResponseCode::ECC_POINT`] if it is none of its curve, [`ResponseCode::KEY`]
/// if it is no such area.
pub(crate) fn ecc_public(public: &Public) -> Result<Point, ResponseCode> {
    match &public.details {
        Details::Ecc { curve, x, y, .. } => {
            Point::new(curve.curve(), x, y).map_err(|_| ResponseCode::ECC_POINT)
        }
        _ => Err(ResponseCode::KEY),
    }
}

/// What an error of an RSA operation means to the caller. A key with factors
/// that are no primes gives no result; it is whoever loaded it who is to blame,
/// not the device.
pub(crate) const fn rsa_failure(error: RsaError) -> ResponseCode {
    match error {
        RsaError::Random(_) => ResponseCode::FAILURE,
        _ => ResponseCode::NO_RESULT,
    }
}
