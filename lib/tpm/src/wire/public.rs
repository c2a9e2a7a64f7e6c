//! Public areas of objects (TPMT_PUBLIC) [Part 2 §12.2.4].

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::{CurveId, Hash, NULL};
use crate::wire::bits::ObjectAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::macros::{enumerations, structures};
use crate::wire::scheme::{EccScheme, KeyedHashScheme, RsaScheme};
use crate::wire::structure::{Digest, Name};
use crate::wire::symmetric::ObjectCipher;

enumerations! {
    /// TPMI_ALG_PUBLIC [Part 2 §12.2.2].
    Kind(u16) else TYPE, none 0x0010 {
        Rsa = 0x0001,
        KeyedHash = 0x0008,
        Ecc = 0x0023,
        Cipher = 0x0025,
    }
}

/// TPM2B_LABEL [Part 2 §11.1.10].
pub(crate) type Label = Buffer<32>;

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
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Rsa { .. } => Kind::Rsa,
            Self::Ecc { .. } => Kind::Ecc,
            Self::KeyedHash { .. } => Kind::KeyedHash,
            Self::Cipher { .. } => Kind::Cipher,
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

    /// Whether other objects can be derived from this one [Part 1 §28].
    pub(crate) fn is_derivation_parent(&self) -> bool {
        let needed = ObjectAttributes::RESTRICTED | ObjectAttributes::DECRYPT;
        matches!(self.details, Details::KeyedHash { .. })
            && self.attributes.contains(needed)
            && !self.attributes.contains(ObjectAttributes::SIGN)
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

impl Details {
    /// TPMU_PUBLIC_PARMS of `kind`, with nothing in `unique`
    /// [Part 2 §12.2.3.7].
    ///
    /// # Errors
    ///
    /// What is wrong inside.
    pub(crate) fn read_parameters(kind: Kind, from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        Ok(match kind {
            Kind::Rsa => Self::Rsa {
                symmetric: Wire::read(from)?,
                scheme: Wire::read(from)?,
                key_bits: match u16::read(from)? {
                    bits @ (1024 | 2048 | 3072 | 4096) => bits,
                    _ => return Err(ResponseCode::VALUE),
                },
                exponent: Wire::read(from)?,
                modulus: Buffer::EMPTY,
            },
            Kind::Ecc => {
                let (symmetric, scheme, curve) =
                    (Wire::read(from)?, Wire::read(from)?, Wire::read(from)?);
                // No key derivation is used with keys: TPM_ALG_NULL it has to be.
                if u16::read(from)? != NULL {
                    return Err(ResponseCode::KDF);
                }
                Self::Ecc { symmetric, scheme, curve, x: Buffer::EMPTY, y: Buffer::EMPTY }
            }
            Kind::KeyedHash => Self::KeyedHash { scheme: Wire::read(from)?, unique: Digest::EMPTY },
            Kind::Cipher => Self::Cipher {
                cipher: Option::<ObjectCipher>::read(from)?.ok_or(ResponseCode::SYMMETRIC)?,
                unique: Digest::EMPTY,
            },
        })
    }

    /// Reads TPMU_PUBLIC_ID [Part 2 §12.2.3.2] into `unique`.
    fn read_unique(&mut self, from: &mut Reader<'_>) -> Result<(), ResponseCode> {
        match self {
            Self::Rsa { modulus, .. } => *modulus = Wire::read(from)?,
            Self::Ecc { x, y, .. } => (*x, *y) = (Wire::read(from)?, Wire::read(from)?),
            Self::KeyedHash { unique, .. } | Self::Cipher { unique, .. } => {
                *unique = Wire::read(from)?;
            }
        }
        Ok(())
    }

    fn write_parameters(&self, out: &mut Vec<u8>) {
        match self {
            Self::Rsa { symmetric, scheme, key_bits, exponent, .. } => {
                symmetric.write(out);
                scheme.write(out);
                key_bits.write(out);
                exponent.write(out);
            }
            Self::Ecc { symmetric, scheme, curve, .. } => {
                symmetric.write(out);
                scheme.write(out);
                curve.write(out);
                NULL.write(out);
            }
            Self::KeyedHash { scheme, .. } => scheme.write(out),
            Self::Cipher { cipher, .. } => Some(*cipher).write(out),
        }
    }

    fn write_unique(&self, out: &mut Vec<u8>) {
        match self {
            Self::Rsa { modulus, .. } => modulus.write(out),
            Self::Ecc { x, y, .. } => {
                x.write(out);
                y.write(out);
            }
            Self::KeyedHash { unique, .. } | Self::Cipher { unique, .. } => unique.write(out),
        }
    }
}

impl Public {
    /// A public area up to its unique part.
    ///
    /// # Errors
    ///
    /// As [`Wire::read`].
    fn read_front(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let kind = Kind::read(from)?;
        let (name_hash, attributes, policy) =
            (Wire::read(from)?, Wire::read(from)?, Wire::read(from)?);
        let details = Details::read_parameters(kind, from)?;
        Ok(Self { name_hash, attributes, policy, details })
    }

    /// A template for `TPM2_CreateLoaded` under a derivation parent: where
    /// others have `unique`, it has a label and a context [Part 2 §12.2.5].
    ///
    /// # Errors
    ///
    /// As [`Wire::read`], and [`ResponseCode::SIZE`] for bytes that are left.
    pub(crate) fn read_derivation(bytes: &[u8]) -> Result<(Self, Derive), ResponseCode> {
        let mut reader = Reader::new(bytes);
        let public = Self::read_front(&mut reader)?;
        let derive = Derive::read(&mut reader)?;
        reader.end()?;
        Ok((public, derive))
    }
}

/// TPMT_PUBLIC_PARMS [Part 2 §12.2.3.8].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicParameters(pub(crate) Details);

impl Wire for PublicParameters {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.kind().write(out);
        self.0.write_parameters(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let kind = Kind::read(from)?;
        Details::read_parameters(kind, from).map(Self)
    }
}

structures! {
    /// TPMS_DERIVE [Part 2 §11.1.11].
    Derive {
        label: Label,
        context: Label,
    }
}

impl Wire for Public {
    fn write(&self, out: &mut Vec<u8>) {
        self.details.kind().write(out);
        self.name_hash.write(out);
        self.attributes.write(out);
        self.policy.write(out);
        self.details.write_parameters(out);
        self.details.write_unique(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let mut public = Self::read_front(from)?;
        public.details.read_unique(from)?;
        Ok(public)
    }
}
