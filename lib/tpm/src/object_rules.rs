//! Which attributes and schemes go together [Part 1 §25, §27; Part 2 §8.3].

use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::wire::bits::ObjectAttributes as Attributes;
use crate::wire::public::{Details, Public};
use crate::wire::scheme::{ECDH, KDFA, KeyedHashScheme, OAEP, RSAES, SM2, Scheme};

/// Checks a public area that a parent (none for a primary object or one from
/// outside) shall have as a child.
///
/// # Errors
///
/// What does not go together.
pub(crate) fn check_public(public: &Public, parent: Option<&Object>) -> Result<(), ResponseCode> {
    let attributes = public.attributes;
    let Some(hash) = public.name_hash else { return Err(ResponseCode::HASH) };
    if !public.policy.is_empty() && public.policy.len() != hash.size() {
        return Err(ResponseCode::SIZE);
    }
    let has = |attribute| attributes.contains(attribute);
    let parent_attributes = parent.map(|parent| parent.public.attributes);
    let parent_fixed = parent_attributes.is_none_or(|found| found.contains(Attributes::FIXED_TPM));
    // What cannot leave its parent leaves the device when the parent can.
    if has(Attributes::FIXED_TPM) != (has(Attributes::FIXED_PARENT) && parent_fixed) {
        return Err(ResponseCode::ATTRIBUTES);
    }
    let encrypted = has(Attributes::ENCRYPTED_DUPLICATION);
    if has(Attributes::FIXED_TPM) && encrypted {
        return Err(ResponseCode::ATTRIBUTES);
    }
    if let Some(found) = parent_attributes.filter(|_| !parent_fixed)
        && found.contains(Attributes::ENCRYPTED_DUPLICATION) != encrypted
    {
        return Err(ResponseCode::ATTRIBUTES);
    }
    check_use(public)
}

/// Checks attributes of use, and schemes against them.
///
/// # Errors
///
/// As [`check_public`].
pub(crate) fn check_use(public: &Public) -> Result<(), ResponseCode> {
    let attributes = public.attributes;
    let sign = attributes.contains(Attributes::SIGN);
    let decrypt = attributes.contains(Attributes::DECRYPT);
    let data = matches!(public.details, Details::KeyedHash { .. }) && !sign;
    let restricted = attributes.contains(Attributes::RESTRICTED);
    if sign == decrypt && (restricted || (!sign && !data)) {
        return Err(ResponseCode::ATTRIBUTES);
    }
    check_schemes(public)
}

/// Checks schemes against attributes of use: of a public area alone, which is used
/// for nothing that its attributes could restrict, no more is checked, as in the
/// reference implementation.
///
/// # Errors
///
/// [`ResponseCode::SCHEME`], [`ResponseCode::SYMMETRIC`].
pub(crate) fn check_schemes(public: &Public) -> Result<(), ResponseCode> {
    let attributes = public.attributes;
    let sign = attributes.contains(Attributes::SIGN);
    let decrypt = attributes.contains(Attributes::DECRYPT);
    let restricted = attributes.contains(Attributes::RESTRICTED);
    let storage = public.is_storage_parent();
    match &public.details {
        Details::Rsa { symmetric, scheme: crate::wire::scheme::RsaScheme(scheme), .. }
        | Details::Ecc { symmetric, scheme: crate::wire::scheme::EccScheme(scheme), .. } => {
            // A parent protects with CFB, whatever mode it names.
            if storage != symmetric.is_some() {
                return Err(ResponseCode::SYMMETRIC);
            }
            check_scheme(*scheme, sign, decrypt, restricted)
        }
        Details::KeyedHash { scheme, .. } => match (sign, decrypt, scheme) {
            // Of a key that does both, each use says how.
            (true, true, KeyedHashScheme::Null) | (false, false, KeyedHashScheme::Null) => Ok(()),
            (true, false, KeyedHashScheme::Hmac(_)) => Ok(()),
            (false, true, KeyedHashScheme::Xor(_, derivation))
                if !restricted || *derivation == KDFA =>
            {
                Ok(())
            }
            _ => Err(ResponseCode::SCHEME),
        },
        Details::Cipher { .. } => Ok(()),
    }
}

fn check_scheme(
    scheme: Option<Scheme>,
    sign: bool,
    decrypt: bool,
    restricted: bool,
) -> Result<(), ResponseCode> {
    let Some(scheme) = scheme else {
        // A restricted key must not be asked to sign in another way.
        return if restricted && sign { Err(ResponseCode::SCHEME) } else { Ok(()) };
    };
    let for_decryption = matches!(scheme.algorithm, RSAES | OAEP | ECDH);
    let fits = match (sign, decrypt) {
        (true, false) => !for_decryption,
        // SM2 signs and agrees on keys.
        (false, true) => (for_decryption || scheme.algorithm == SM2) && !restricted,
        _ => false,
    };
    if fits { Ok(()) } else { Err(ResponseCode::SCHEME) }
}

/// Checks what a new object says of where its secret comes from.
///
/// # Errors
///
/// [`ResponseCode::ATTRIBUTES`].
pub(crate) fn check_origin(
    public: &Public,
    parent: Option<&Object>,
    data: usize,
) -> Result<(), ResponseCode> {
    let attributes = public.attributes;
    let made_here = attributes.contains(Attributes::SENSITIVE_DATA_ORIGIN);
    let uses = Attributes::SIGN | Attributes::DECRYPT;
    let fixed = Attributes::FIXED_TPM | Attributes::FIXED_PARENT;
    let fits = match &public.details {
        Details::Rsa { .. } | Details::Ecc { .. } => made_here,
        // Random data that nobody could use is not sealed.
        Details::KeyedHash { .. } if !attributes.intersects(uses) => !made_here,
        _ if attributes.contains(Attributes::RESTRICTED) && !made_here => {
            !attributes.intersects(fixed)
        }
        _ => true,
    };
    // A primary object is derived from the data as well, so it may have some.
    let data_fits = if made_here { data == 0 || parent.is_none() } else { data != 0 };
    if fits && data_fits { Ok(()) } else { Err(ResponseCode::ATTRIBUTES) }
}
