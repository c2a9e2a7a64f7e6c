//! Block ciphers in the modes of TPMs: AES and Camellia in CFB, CTR, OFB, CBC
//! and ECB [SP 800-38A; FIPS 197; RFC 3713].
//!
//! Data is changed in place. The chaining value goes in as the initialisation
//! vector and comes out so that the next piece of data can follow, which is what
//! TPM2_EncryptDecrypt2 promises. Pieces but the last have to be whole blocks;
//! after a last piece that is none, the chaining value is that of the TPM
//! reference: in CFB the ciphertext filled up with zeros, in CTR and OFB what
//! follows a whole block.
//!
//! The modes are written here, not taken from the crates that have them,
//! because those do not give out a chaining value after part of a block.

mod modes;

use core::fmt;

use aes::cipher::KeyInit;
use thiserror::Error;

/// The size of a block, and of an initialisation vector, in bytes.
pub const BLOCK_SIZE: usize = 16;

/// A block cipher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CipherAlgorithm {
    /// AES.
    Aes,
    /// Camellia.
    Camellia,
}

/// How blocks are chained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CipherMode {
    /// Counter; all 128 bits count, the last byte fastest.
    Ctr,
    /// Output feedback.
    Ofb,
    /// Cipher block chaining, whole blocks only.
    Cbc,
    /// Cipher feedback with segments of a block.
    Cfb,
    /// Electronic codebook: every block for itself, whole blocks only. The
    /// initialisation vector is neither used nor changed.
    Ecb,
}

impl CipherMode {
    /// Whether data has to be whole blocks.
    #[must_use]
    pub const fn needs_whole_blocks(self) -> bool {
        matches!(self, Self::Cbc | Self::Ecb)
    }
}

/// Why nothing was encrypted or decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CipherError {
    /// The key has no size of the cipher's.
    #[error("{algorithm:?} has keys of 16, 24 or 32 bytes, not {found}")]
    KeySize {
        /// The cipher.
        algorithm: CipherAlgorithm,
        /// What was given, in bytes.
        found: usize,
    },
    /// The data is not whole blocks.
    #[error("{mode:?} takes whole blocks of 16 bytes, and {found} bytes are none: pad them")]
    PartialBlock {
        /// The mode.
        mode: CipherMode,
        /// What was given, in bytes.
        found: usize,
    },
}

/// A cipher with its key, which is wiped on drop.
pub struct Cipher(Keyed);

/// The cipher by algorithm and size of key. The schedules are large, and all of
/// similar size.
#[allow(clippy::large_enum_variant, reason = "a cipher lives on the stack for one command")]
enum Keyed {
    Aes128(aes::Aes128),
    Aes192(aes::Aes192),
    Aes256(aes::Aes256),
    Camellia128(camellia::Camellia128),
    Camellia192(camellia::Camellia192),
    Camellia256(camellia::Camellia256),
}

/// Does the same with whichever cipher is inside.
macro_rules! with_cipher {
    ($keyed:expr, $cipher:ident => $action:expr) => {
        match $keyed {
            Keyed::Aes128($cipher) => $action,
            Keyed::Aes192($cipher) => $action,
            Keyed::Aes256($cipher) => $action,
            Keyed::Camellia128($cipher) => $action,
            Keyed::Camellia192($cipher) => $action,
            Keyed::Camellia256($cipher) => $action,
        }
    };
}

impl Cipher {
    /// The cipher with a key of 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// [`CipherError::KeySize`] when the key has another size.
    pub fn new(algorithm: CipherAlgorithm, key: &[u8]) -> Result<Self, CipherError> {
        let keyed = match (algorithm, key.len()) {
            (CipherAlgorithm::Aes, 16) => aes::Aes128::new_from_slice(key).map(Keyed::Aes128),
            (CipherAlgorithm::Aes, 24) => aes::Aes192::new_from_slice(key).map(Keyed::Aes192),
            (CipherAlgorithm::Aes, _) => aes::Aes256::new_from_slice(key).map(Keyed::Aes256),
            (CipherAlgorithm::Camellia, 16) => {
                camellia::Camellia128::new_from_slice(key).map(Keyed::Camellia128)
            }
            (CipherAlgorithm::Camellia, 24) => {
                camellia::Camellia192::new_from_slice(key).map(Keyed::Camellia192)
            }
            (CipherAlgorithm::Camellia, _) => {
                camellia::Camellia256::new_from_slice(key).map(Keyed::Camellia256)
            }
        };
        keyed.map(Self).map_err(|_| CipherError::KeySize { algorithm, found: key.len() })
    }

    /// Encrypts `data` in place; `chain` is the initialisation vector, and the
    /// chaining value afterwards.
    ///
    /// # Errors
    /// [`CipherError::PartialBlock`] when the mode needs whole blocks.
    pub fn encrypt(
        &self,
        mode: CipherMode,
        chain: &mut [u8; BLOCK_SIZE],
        data: &mut [u8],
    ) -> Result<(), CipherError> {
        check_size(mode, data)?;
        with_cipher!(&self.0, cipher => match mode {
            CipherMode::Ctr => modes::ctr(cipher, chain, data),
            CipherMode::Ofb => modes::ofb(cipher, chain, data),
            CipherMode::Cbc => modes::cbc_encrypt(cipher, chain, data),
            CipherMode::Cfb => modes::cfb_encrypt(cipher, chain, data),
            CipherMode::Ecb => modes::ecb_encrypt(cipher, data),
        });
        Ok(())
    }

    /// Decrypts `data` in place; `chain` is the initialisation vector, and the
    /// chaining value afterwards.
    ///
    /// # Errors
    /// [`CipherError::PartialBlock`] when the mode needs whole blocks.
    pub fn decrypt(
        &self,
        mode: CipherMode,
        chain: &mut [u8; BLOCK_SIZE],
        data: &mut [u8],
    ) -> Result<(), CipherError> {
        check_size(mode, data)?;
        with_cipher!(&self.0, cipher => match mode {
            CipherMode::Ctr => modes::ctr(cipher, chain, data),
            CipherMode::Ofb => modes::ofb(cipher, chain, data),
            CipherMode::Cbc => modes::cbc_decrypt(cipher, chain, data),
            CipherMode::Cfb => modes::cfb_decrypt(cipher, chain, data),
            CipherMode::Ecb => modes::ecb_decrypt(cipher, data),
        });
        Ok(())
    }
}

fn check_size(mode: CipherMode, data: &[u8]) -> Result<(), CipherError> {
    if mode.needs_whole_blocks() && !data.len().is_multiple_of(BLOCK_SIZE) {
        return Err(CipherError::PartialBlock { mode, found: data.len() });
    }
    Ok(())
}

impl fmt::Debug for Cipher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Keyed::Aes128(_) => "Cipher(AES-128)",
            Keyed::Aes192(_) => "Cipher(AES-192)",
            Keyed::Aes256(_) => "Cipher(AES-256)",
            Keyed::Camellia128(_) => "Cipher(Camellia-128)",
            Keyed::Camellia192(_) => "Cipher(Camellia-192)",
            Keyed::Camellia256(_) => "Cipher(Camellia-256)",
        })
    }
}

#[cfg(test)]
mod tests;
