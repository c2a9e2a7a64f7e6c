//! Schemes: how a key signs, encrypts or derives.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::{Hash, NULL};
use crate::wire::codec::{Reader, Wire};

/// TPM_ALG_HMAC.
pub(crate) const HMAC: u16 = 0x0005;
/// TPM_ALG_XOR.
const XOR: u16 = 0x000A;
/// TPM_ALG_RSASSA.
pub(crate) const RSASSA: u16 = 0x0014;
/// TPM_ALG_RSAES.
pub(crate) const RSAES: u16 = 0x0015;
/// TPM_ALG_RSAPSS.
pub(crate) const RSAPSS: u16 = 0x0016;
/// TPM_ALG_OAEP.
pub(crate) const OAEP: u16 = 0x0017;
/// TPM_ALG_ECDSA.
pub(crate) const ECDSA: u16 = 0x0018;
/// TPM_ALG_ECDH.
pub(crate) const ECDH: u16 = 0x0019;
/// TPM_ALG_ECDAA.
pub(crate) const ECDAA: u16 = 0x001A;
/// TPM_ALG_SM2.
pub(crate) const SM2: u16 = 0x001B;
/// TPM_ALG_ECSCHNORR.
pub(crate) const ECSCHNORR: u16 = 0x001C;

/// A scheme by its algorithm, with its hash where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    pub(crate) algorithm: u16,
    /// None for RSAES only.
    pub(crate) hash: Option<Hash>,
    /// Which commitment an ECDAA signature uses; of other schemes zero.
    pub(crate) count: u16,
}

impl Scheme {
    /// A scheme with this hash.
    pub(crate) const fn with_hash(algorithm: u16, hash: Hash) -> Self {
        Self { algorithm, hash: Some(hash), count: 0 }
    }
}

fn write(scheme: &Option<Scheme>, out: &mut Vec<u8>) {
    match scheme {
        None => NULL.write(out),
        Some(scheme) => {
            scheme.algorithm.write(out);
            if let Some(hash) = scheme.hash {
                hash.write(out);
            }
            if scheme.algorithm == ECDAA {
                scheme.count.write(out);
            }
        }
    }
}

fn read(
    from: &mut Reader<'_>,
    allowed: &[u16],
    error: ResponseCode,
) -> Result<Option<Scheme>, ResponseCode> {
    let algorithm = u16::read(from)?;
    if algorithm == NULL {
        return Ok(None);
    }
    if !allowed.contains(&algorithm) {
        return Err(error);
    }
    let hash = if algorithm == RSAES { None } else { Some(Hash::read(from)?) };
    let count = if algorithm == ECDAA { u16::read(from)? } else { 0 };
    Ok(Some(Scheme { algorithm, hash, count }))
}

macro_rules! schemes {
    ($($(#[$meta:meta])* $name:ident else $error:ident [$($algorithm:ident)*];)*) => {
        $($(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) Option<Scheme>);

        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                write(&self.0, out);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
                read(from, &[$($algorithm),*], ResponseCode::$error).map(Self)
            }
        })*
    };
}

schemes! {
    /// TPMT_RSA_SCHEME+ [Part 2 §11.2.4.2].
    RsaScheme else VALUE [RSASSA RSAPSS RSAES OAEP];
    /// TPMT_RSA_DECRYPT+ [Part 2 §11.2.4.4].
    RsaDecryptScheme else VALUE [RSAES OAEP];
    /// TPMT_ECC_SCHEME+ [Part 2 §11.2.5.6].
    EccScheme else SCHEME [ECDSA ECDAA SM2 ECSCHNORR ECDH];
    /// TPMT_SIG_SCHEME+ [Part 2 §11.2.1.5].
    SignatureScheme else SCHEME [RSASSA RSAPSS ECDSA ECDAA SM2 ECSCHNORR HMAC];
}

/// TPMT_KEYEDHASH_SCHEME+ [Part 2 §11.1.23].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyedHashScheme {
    Null,
    Hmac(Hash),
    /// With the hash and the key derivation function.
    Xor(Hash, u16),
}

impl KeyedHashScheme {
    /// Its hash, if it has one.
    pub(crate) const fn hash(&self) -> Option<Hash> {
        match self {
            Self::Null => None,
            Self::Hmac(hash) | Self::Xor(hash, _) => Some(*hash),
        }
    }
}

/// TPM_ALG_KDF1_SP800_108: KDFa.
pub(crate) const KDFA: u16 = 0x0022;

impl Wire for KeyedHashScheme {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => NULL.write(out),
            Self::Hmac(hash) => {
                HMAC.write(out);
                hash.write(out);
            }
            Self::Xor(hash, derivation) => {
                XOR.write(out);
                hash.write(out);
                derivation.write(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        match u16::read(from)? {
            NULL => Ok(Self::Null),
            HMAC => Hash::read(from).map(Self::Hmac),
            XOR => {
                let hash = Hash::read(from)?;
                match u16::read(from)? {
                    derivation @ (KDFA | NULL) => Ok(Self::Xor(hash, derivation)),
                    _ => Err(ResponseCode::KDF),
                }
            }
            _ => Err(ResponseCode::VALUE),
        }
    }
}
