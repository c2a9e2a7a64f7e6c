//! Public areas of objects (TPMT_PUBLIC) [Part 2 §12.2.4].

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::{CurveId, Hash, NULL};
use crate::wire::bits::ObjectAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::scheme::{EccScheme, KeyedHashScheme, RsaScheme};
use crate::wire::structure::{Digest, Name};
use crate::wire::symmetric::ObjectCipher;

/// TPM_ALG_RSA.
pub(crate) const RSA: u16 = 0x0001;
/// TPM_ALG_KEYEDHASH.
pub(crate) const KEYED_HASH: u16 = 0x0008;
/// TPM_ALG_ECC.
pub(crate) const ECC: u16 = 0x0023;
/// TPM_ALG_SYMCIPHER.
pub(crate) const CIPHER: u16 = 0x0025;

/// A coordinate of the largest curve.
pub(crate) type Coordinate = Buffer<66>;

/// The public area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Public {
    /// None: the object cannot be named.
    pub(crate) name_hash: Option<Hash>,
    pub(crate) attributes: ObjectAttributes,
    pub(crate) policy: Digest,
    pub(crate) details: Details,
}

/// What depends on the type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Details {
    Rsa {
        symmetric: Option<ObjectCipher>,
        scheme: RsaScheme,
        key_bits: u16,
        /// Zero stands for 2^16 + 1.
        exponent: u32,
        modulus: Buffer<512>,
    },
    Ecc {
        symmetric: Option<ObjectCipher>,
        scheme: EccScheme,
        curve: CurveId,
        x: Coordinate,
        y: Coordinate,
    },
    KeyedHash {
        scheme: KeyedHashScheme,
        unique: Digest,
    },
    Cipher {
        cipher: ObjectCipher,
        unique: Digest,
    },
}

impl Details {
    /// TPMI_ALG_PUBLIC.
    pub(crate) const fn kind(&self) -> u16 {
        match self {
            Self::Rsa { .. } => RSA,
            Self::Ecc { .. } => ECC,
            Self::KeyedHash { .. } => KEYED_HASH,
            Self::Cipher { .. } => CIPHER,
        }
    }
}

impl Public {
    /// The name: algorithm and digest of this area; empty without a name hash
    /// [Part 1 §16].
    pub(crate) fn name(&self) -> Name {
        let Some(hash) = self.name_hash else { return Name::EMPTY };
        named(hash, &[&self.to_bytes()])
    }

    /// Whether other objects can be protected by this one [Part 1 §23.2].
    pub(crate) fn is_storage_parent(&self) -> bool {
        let needed = ObjectAttributes::RESTRICTED | ObjectAttributes::DECRYPT;
        let cipher = !matches!(self.details, Details::KeyedHash { .. });
        self.attributes.contains(needed)
            && !self.attributes.contains(ObjectAttributes::SIGN)
            && cipher
    }

    /// The cipher with which it protects its children.
    pub(crate) const fn storage_cipher(&self) -> Option<ObjectCipher> {
        match &self.details {
            Details::Rsa { symmetric, .. } | Details::Ecc { symmetric, .. } => *symmetric,
            Details::Cipher { cipher, .. } => Some(*cipher),
            Details::KeyedHash { .. } => None,
        }
    }
}

/// A hash's identifier and the digest of `parts`.
pub(crate) fn named(hash: Hash, parts: &[&[u8]]) -> Name {
    let mut name = hash.to_bytes();
    name.extend_from_slice(hash.algorithm().digest(parts).as_bytes());
    Name::new(name)
}

impl Wire for Public {
    fn write(&self, out: &mut Vec<u8>) {
        self.details.kind().write(out);
        self.name_hash.write(out);
        self.attributes.write(out);
        self.policy.write(out);
        match &self.details {
            Details::Rsa { symmetric, scheme, key_bits, exponent, modulus } => {
                symmetric.write(out);
                scheme.write(out);
                key_bits.write(out);
                exponent.write(out);
                modulus.write(out);
            }
            Details::Ecc { symmetric, scheme, curve, x, y } => {
                symmetric.write(out);
                scheme.write(out);
                curve.write(out);
                NULL.write(out);
                x.write(out);
                y.write(out);
            }
            Details::KeyedHash { scheme, unique } => {
                scheme.write(out);
                unique.write(out);
            }
            Details::Cipher { cipher, unique } => {
                Some(*cipher).write(out);
                unique.write(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let kind = u16::read(from)?;
        if !matches!(kind, RSA | KEYED_HASH | ECC | CIPHER) {
            return Err(ResponseCode::TYPE);
        }
        let (name_hash, attributes, policy) =
            (Wire::read(from)?, Wire::read(from)?, Wire::read(from)?);
        let details = match kind {
            RSA => Details::Rsa {
                symmetric: Wire::read(from)?,
                scheme: Wire::read(from)?,
                key_bits: match u16::read(from)? {
                    bits @ (2048 | 3072 | 4096) => bits,
                    _ => return Err(ResponseCode::VALUE),
                },
                exponent: Wire::read(from)?,
                modulus: Wire::read(from)?,
            },
            ECC => {
                let (symmetric, scheme, curve) =
                    (Wire::read(from)?, Wire::read(from)?, Wire::read(from)?);
                // No key derivation is used with keys: TPM_ALG_NULL it has to be.
                if u16::read(from)? != NULL {
                    return Err(ResponseCode::KDF);
                }
                Details::Ecc {
                    symmetric,
                    scheme,
                    curve,
                    x: Wire::read(from)?,
                    y: Wire::read(from)?,
                }
            }
            KEYED_HASH => {
                Details::KeyedHash { scheme: Wire::read(from)?, unique: Wire::read(from)? }
            }
            _ => Details::Cipher {
                cipher: Option::<ObjectCipher>::read(from)?.ok_or(ResponseCode::SYMMETRIC)?,
                unique: Wire::read(from)?,
            },
        };
        Ok(Self { name_hash, attributes, policy, details })
    }
}
