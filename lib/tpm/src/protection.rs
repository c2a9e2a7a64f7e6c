//! Sensitive areas outside the device [Part 1 §22–24].
//!
//! A storage parent encrypts its children's sensitive areas with its cipher and
//! authenticates them along with their names. Both keys come from the parent's
//! seed, the one for encryption from the child's name too. The form is that of
//! an outer wrap: a MAC, an initialisation vector, the ciphertext.

use alloc::vec::Vec;

use tpm_crypto::cipher::{BLOCK_SIZE, Cipher, CipherAlgorithm, CipherMode};
use tpm_crypto::derivation::kdfa;
use tpm_crypto::hmac::Hmac;
use tpm_crypto::secret::equal;

use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::{Buffer, Sized16};
use crate::wire::sensitive::{Private, Sensitive};
use crate::wire::structure::{Digest, Name};

/// Encrypts and authenticates `sensitive` for the parent.
///
/// # Errors
///
/// [`ResponseCode::TYPE`] if `parent` is none.
pub(crate) fn wrap(
    parent: &Object,
    name: &Name,
    sensitive: &Sensitive,
    vector: [u8; BLOCK_SIZE],
) -> Result<Private, ResponseCode> {
    let keys = Keys::of(parent, name)?;
    let mut data = Sized16(sensitive.clone()).to_bytes();
    let mut chain = vector;
    keys.cipher
        .encrypt(CipherMode::Cfb, &mut chain, &mut data)
        .map_err(|_| ResponseCode::FAILURE)?;
    let mut protected = Buffer::<BLOCK_SIZE>::new(vector).to_bytes();
    protected.extend_from_slice(&data);
    let mut whole = keys.integrity(&protected, name).to_bytes();
    whole.extend_from_slice(&protected);
    Ok(Private::new(whole))
}

/// Checks and decrypts what [`wrap`] gave.
///
/// # Errors
///
/// [`ResponseCode::INTEGRITY`] for what this parent did not make for this name.
pub(crate) fn unwrap(
    parent: &Object,
    name: &Name,
    private: &Private,
) -> Result<Sensitive, ResponseCode> {
    let keys = Keys::of(parent, name)?;
    let mut reader = Reader::new(private);
    let integrity = Digest::read(&mut reader)?;
    if !equal(&integrity, &keys.integrity(reader.rest(), name)) {
        return Err(ResponseCode::INTEGRITY);
    }
    let vector = Buffer::<BLOCK_SIZE>::read(&mut reader)?;
    let mut chain: [u8; BLOCK_SIZE] = vector[..].try_into().map_err(|_| ResponseCode::SIZE)?;
    let mut data: Vec<u8> = reader.rest().to_vec();
    keys.cipher
        .decrypt(CipherMode::Cfb, &mut chain, &mut data)
        .map_err(|_| ResponseCode::FAILURE)?;
    let sensitive = Sized16::<Sensitive>::from_bytes(&data).map_err(|_| ResponseCode::SENSITIVE);
    zeroize::Zeroize::zeroize(data.as_mut_slice());
    sensitive.map(|Sized16(sensitive)| sensitive)
}

struct Keys {
    hash: Hash,
    cipher: Cipher,
    mac_key: tpm_crypto::secret::Secret,
}

impl Keys {
    fn of(parent: &Object, name: &Name) -> Result<Self, ResponseCode> {
        let (Some(hash), Some(cipher), Some(sensitive)) =
            (parent.public.name_hash, parent.public.storage_cipher(), parent.sensitive.0.as_ref())
        else {
            return Err(ResponseCode::TYPE);
        };
        let bits = u32::try_from(hash.size() * 8).map_err(|_| ResponseCode::TYPE)?;
        let key = kdfa(
            hash.algorithm(),
            &sensitive.seed,
            b"STORAGE",
            name,
            &[],
            u32::from(cipher.key_bits),
        );
        Ok(Self {
            hash,
            cipher: Cipher::new(CipherAlgorithm::Aes, key.as_bytes())
                .map_err(|_| ResponseCode::TYPE)?,
            mac_key: kdfa(hash.algorithm(), &sensitive.seed, b"INTEGRITY", &[], &[], bits),
        })
    }

    fn integrity(&self, protected: &[u8], name: &Name) -> Digest {
        let mac = Hmac::mac(self.hash.algorithm(), self.mac_key.as_bytes(), &[protected, name]);
        Digest::new(mac.as_bytes())
    }
}
