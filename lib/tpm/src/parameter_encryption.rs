//! Encryption of the first parameter of a command or response [Part 1 §21].

use tpm_crypto::cipher::{BLOCK_SIZE, Cipher, CipherMode};
use tpm_crypto::derivation::{kdfa, xor_obfuscation};
use tpm_crypto::secret::Secret;

use crate::response_code::ResponseCode;
use crate::state::session::Session;
use crate::wire::codec::{Reader, Wire};
use crate::wire::symmetric::SymmetricDefinition;

/// The initialisation vector that comes with the key, in bits.
const BLOCK_BITS: u32 = 128;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

/// Encrypts or decrypts the sized buffer at the front of `parameters`, in
/// place; its size stays as it is. `nonces` are the newer and the older one.
///
/// # Errors
///
/// [`ResponseCode::INSUFFICIENT`] if the area is shorter than the size says.
pub(crate) fn conceal(
    session: &Session,
    key: &Secret,
    nonces: [&[u8]; 2],
    parameters: &mut [u8],
    direction: Direction,
) -> Result<(), ResponseCode> {
    let size = usize::from(u16::read(&mut Reader::new(parameters))?);
    let data = parameters.get_mut(2..size + 2).ok_or(ResponseCode::INSUFFICIENT)?;
    let [newer, older] = nonces;
    match session.symmetric {
        SymmetricDefinition::Null => Err(ResponseCode::SYMMETRIC),
        // By the session's hash, whatever hash the mask was asked with
        // [Part 1 §21.2].
        SymmetricDefinition::Xor(_) => {
            xor_obfuscation(session.hash.algorithm(), key.as_bytes(), newer, older, data)
                .map_err(|_| ResponseCode::SIZE)
        }
        SymmetricDefinition::Block { cipher, key_bits, .. } => {
            let material = kdfa(
                session.hash.algorithm(),
                key.as_bytes(),
                b"CFB",
                newer,
                older,
                u32::from(key_bits) + BLOCK_BITS,
            );
            let (cipher_key, vector) =
                material.as_bytes().split_last_chunk::<BLOCK_SIZE>().ok_or(ResponseCode::SIZE)?;
            let cipher =
                Cipher::new(cipher.algorithm(), cipher_key).map_err(|_| ResponseCode::SYMMETRIC)?;
            let mut chain = *vector;
            match direction {
                Direction::Encrypt => cipher.encrypt(CipherMode::Cfb, &mut chain, data),
                Direction::Decrypt => cipher.decrypt(CipherMode::Cfb, &mut chain, data),
            }
            .map_err(|_| ResponseCode::SYMMETRIC)
        }
    }
}
