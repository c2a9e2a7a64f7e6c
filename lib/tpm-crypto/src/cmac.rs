//! Message authentication with a block cipher: CMAC [SP 800-38B §6].

use core::fmt;

use zeroize::Zeroize;

use crate::{
    cipher::{BLOCK_SIZE, Cipher, CipherAlgorithm, CipherError, CipherMode},
    secret::Secret,
};

/// A CMAC under way.
#[derive(Clone)]
pub struct Cmac {
    algorithm: CipherAlgorithm,
    key: Secret,
    chain: [u8; BLOCK_SIZE],
    /// The last block so far, which the end of the message decides how to take.
    last: [u8; BLOCK_SIZE],
    /// How many bytes of `last` there are.
    filled: usize,
}

/// The constant by which subkeys are doubled, for blocks of 128 bits.
const DOUBLING: u8 = 0x87;

/// These bytes are no CMAC under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no CMAC under way: take those that export gave")]
pub struct ImportCmacError;

impl Cmac {
    /// Begins a CMAC with a key of 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// [`CipherError::KeySize`] when the key has another size.
    pub fn new(algorithm: CipherAlgorithm, key: &[u8]) -> Result<Self, CipherError> {
        Cipher::new(algorithm, key)?;
        Ok(Self {
            algorithm,
            key: Secret::from(key),
            chain: [0; BLOCK_SIZE],
            last: [0; BLOCK_SIZE],
            filled: 0,
        })
    }

    /// Takes in more data.
    pub fn update(&mut self, data: &[u8]) {
        let cipher = self.cipher();
        for byte in data {
            if self.filled == BLOCK_SIZE {
                self.absorb(&cipher);
            }
            // `filled` is below the block's size here.
            self.last[self.filled] = *byte;
            self.filled += 1;
        }
    }

    /// The CMAC of all that was taken in: a block.
    #[must_use]
    pub fn finish(mut self) -> [u8; BLOCK_SIZE] {
        let cipher = self.cipher();
        let mut subkey = [0; BLOCK_SIZE];
        encrypt(&cipher, &mut subkey);
        subkey = doubled(subkey);
        if self.filled < BLOCK_SIZE {
            subkey = doubled(subkey);
            self.last[self.filled] = 0x80;
            self.last[self.filled + 1..].fill(0);
        }
        for (byte, subkey) in self.last.iter_mut().zip(subkey) {
            *byte ^= subkey;
        }
        subkey.zeroize();
        self.absorb(&cipher);
        self.chain
    }

    /// The state, from which [`import`](Self::import) goes on. The key is part
    /// of it.
    #[must_use]
    pub fn export(&self) -> Secret {
        let key = self.key.as_bytes();
        let mut exported = Secret::zeroed(2 + 2 * BLOCK_SIZE + key.len());
        let algorithm = match self.algorithm {
            CipherAlgorithm::Aes => 0,
            CipherAlgorithm::Camellia => 1,
        };
        let bytes = exported.as_mut_bytes();
        bytes[0] = algorithm;
        bytes[1] = self.filled as u8;
        bytes[2..18].copy_from_slice(&self.chain);
        bytes[18..34].copy_from_slice(&self.last);
        bytes[34..].copy_from_slice(key);
        exported
    }

    /// Takes up the CMAC that [`export`](Self::export) gave.
    ///
    /// # Errors
    /// [`ImportCmacError`] when `state` is no such thing. Bytes that could be one
    /// are believed: whoever stores a state outside authenticates it.
    pub fn import(state: &[u8]) -> Result<Self, ImportCmacError> {
        let ([algorithm, filled], rest) = state.split_first_chunk().ok_or(ImportCmacError)?;
        let (chain, rest) = rest.split_first_chunk().ok_or(ImportCmacError)?;
        let (last, key) = rest.split_first_chunk().ok_or(ImportCmacError)?;
        let algorithm = match algorithm {
            0 => CipherAlgorithm::Aes,
            1 => CipherAlgorithm::Camellia,
            _ => return Err(ImportCmacError),
        };
        let filled = usize::from(*filled);
        if filled > BLOCK_SIZE {
            return Err(ImportCmacError);
        }
        let begun = Self::new(algorithm, key).map_err(|_| ImportCmacError)?;
        let key = begun.key.clone();
        Ok(Self { algorithm, key, chain: *chain, last: *last, filled })
    }

    fn cipher(&self) -> Cipher {
        Cipher::new(self.algorithm, self.key.as_bytes()).expect("checked when the CMAC began")
    }

    /// Works the whole last block into the chain.
    fn absorb(&mut self, cipher: &Cipher) {
        for (byte, last) in self.chain.iter_mut().zip(self.last) {
            *byte ^= last;
        }
        encrypt(cipher, &mut self.chain);
        self.filled = 0;
    }
}

fn encrypt(cipher: &Cipher, block: &mut [u8; BLOCK_SIZE]) {
    let mut unused = [0; BLOCK_SIZE];
    cipher.encrypt(CipherMode::Ecb, &mut unused, block).expect("a block is a whole block");
}

/// Twice a number of the field of 2¹²⁸ elements, in constant time.
fn doubled(block: [u8; BLOCK_SIZE]) -> [u8; BLOCK_SIZE] {
    let number = u128::from_be_bytes(block);
    let carry = (number >> 127) * u128::from(DOUBLING);
    ((number << 1) ^ carry).to_be_bytes()
}

impl Drop for Cmac {
    fn drop(&mut self) {
        self.chain.zeroize();
        self.last.zeroize();
    }
}

impl fmt::Debug for Cmac {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cmac({:?})", self.algorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_vectors::bytes;

    /// SP 800-38B appendix D.1 (as RFC 4493 §4 has them).
    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const MESSAGE: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                           30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    #[test]
    fn known_answers() {
        let message = bytes(MESSAGE);
        for (length, expected) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
            (64, "51f0bebf7e3b9d92fc49741779363cfe"),
        ] {
            let mut cmac = Cmac::new(CipherAlgorithm::Aes, &bytes(KEY)).unwrap();
            cmac.update(&message[..length]);
            assert_eq!(cmac.finish().to_vec(), bytes(expected), "{length}");
        }
    }

    #[test]
    fn an_exported_cmac_goes_on() {
        let message = bytes(MESSAGE);
        for cut in 0..message.len() {
            let mut cmac = Cmac::new(CipherAlgorithm::Camellia, &[7; 32]).unwrap();
            cmac.update(&message);
            let mut begun = Cmac::new(CipherAlgorithm::Camellia, &[7; 32]).unwrap();
            begun.update(&message[..cut]);
            let mut resumed = Cmac::import(begun.export().as_bytes()).unwrap();
            resumed.update(&message[cut..]);
            assert_eq!(resumed.finish(), cmac.finish());
        }
    }

    #[test]
    fn what_export_did_not_give_is_refused() {
        assert!(Cmac::new(CipherAlgorithm::Aes, &[0; 17]).is_err());
        let exported = Cmac::new(CipherAlgorithm::Aes, &[7; 16]).unwrap().export();
        for length in 0..exported.as_bytes().len() {
            assert!(Cmac::import(&exported.as_bytes()[..length]).is_err());
        }
        for (place, value) in [(0, 2), (1, 17)] {
            let mut wrong = exported.as_bytes().to_vec();
            wrong[place] = value;
            assert!(Cmac::import(&wrong).is_err());
        }
    }
}
