//! Symmetric definitions: cipher, key size and mode in one value.

use alloc::vec::Vec;

use tpm_crypto::cipher::CipherAlgorithm;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::{Hash, NULL, SymmetricMode};
use crate::wire::codec::{Reader, Wire};
use crate::wire::macros::enumerations;

const XOR: u16 = 0x000A;

enumerations! {
    /// TPMI_ALG_SYM_OBJECT [Part 2 §9.30]: block ciphers with keys of 128, 192
    /// and 256 bits and blocks of 128.
    BlockCipher(u16) else SYMMETRIC, none 0x0010 {
        Aes = 0x0006,
        Camellia = 0x0026,
    }
}

impl BlockCipher {
    /// The algorithm behind the identifier.
    pub(crate) const fn algorithm(self) -> CipherAlgorithm {
        match self {
            Self::Aes => CipherAlgorithm::Aes,
            Self::Camellia => CipherAlgorithm::Camellia,
        }
    }
}

/// TPMT_SYM_DEF_OBJECT [Part 2 §11.1.7]: the cipher of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectCipher {
    pub(crate) cipher: BlockCipher,
    /// 128, 192 or 256.
    pub(crate) key_bits: u16,
    /// The mode; TPM_ALG_NULL leaves it to each use.
    pub(crate) mode: Option<SymmetricMode>,
}

impl Wire for Option<ObjectCipher> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            None => NULL.write(out),
            Some(ObjectCipher { cipher, key_bits, mode }) => {
                SymmetricDefinition::Block { cipher: *cipher, key_bits: *key_bits, mode: *mode }
                    .write(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        match SymmetricDefinition::read(from)? {
            SymmetricDefinition::Null => Ok(None),
            SymmetricDefinition::Block { cipher, key_bits, mode } => {
                Ok(Some(ObjectCipher { cipher, key_bits, mode }))
            }
            SymmetricDefinition::Xor(_) => Err(ResponseCode::SYMMETRIC),
        }
    }
}

/// TPMT_SYM_DEF [Part 2 §11.1.6]: how a session encrypts parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymmetricDefinition {
    /// Not at all.
    Null,
    /// With a block cipher.
    Block {
        /// Which.
        cipher: BlockCipher,
        /// 128, 192 or 256.
        key_bits: u16,
        /// The mode of operation; TPM_ALG_NULL where the place leaves it open.
        mode: Option<SymmetricMode>,
    },
    /// With a mask from KDFa.
    Xor(Hash),
}

impl Wire for SymmetricDefinition {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => NULL.write(out),
            Self::Block { cipher, key_bits, mode } => {
                cipher.write(out);
                key_bits.write(out);
                mode.write(out);
            }
            Self::Xor(hash) => {
                XOR.write(out);
                hash.write(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        match u16::read(from)? {
            NULL => Ok(Self::Null),
            XOR => Hash::read(from).map(Self::Xor),
            number => {
                let cipher = BlockCipher::from_number(number).ok_or(ResponseCode::SYMMETRIC)?;
                let key_bits = u16::read(from)?;
                if !matches!(key_bits, 128 | 192 | 256) {
                    return Err(ResponseCode::VALUE);
                }
                Ok(Self::Block { cipher, key_bits, mode: Option::read(from)? })
            }
        }
    }
}
