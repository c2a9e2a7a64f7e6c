//! The outer wrap: encryption and authentication with keys from a seed
//! [Part 1 §22.4, §23.3, §24.4].
//!
//! It protects sensitive areas under their parents, duplicates on their way to
//! a new parent, and credentials. Both keys come from the seed, the one for
//! encryption from the protected object's name too. What results is a MAC,
//! behind it (under a parent only) an initialisation vector, then the
//! ciphertext.

use alloc::vec::Vec;

use tpm_crypto::cipher::{BLOCK_SIZE, Cipher, CipherMode};
use tpm_crypto::derivation::kdfa;
use tpm_crypto::hmac::Hmac;
use tpm_crypto::secret::{Secret, equal};

use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::public::Public;
use crate::wire::structure::{Digest, Name};

/// Where the initialisation vector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vector {
    /// Nowhere: it is zero, because the seed is used once.
    Zero,
    /// Before the ciphertext.
    Inside,
}

/// The keys of a wrap, and the name that it protects.
pub(crate) struct OuterWrap<'a> {
    hash: Hash,
    cipher: Cipher,
    mac_key: Secret,
    name: &'a Name,
    vector: Vector,
}

impl<'a> OuterWrap<'a> {
    /// The wrap of a parent's child.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::TYPE`] if `parent` is none.
    pub(crate) fn of_parent(parent: &Object, name: &'a Name) -> Result<Self, ResponseCode> {
        let sensitive = parent.sensitive.0.as_ref().ok_or(ResponseCode::TYPE)?;
        Self::new(&parent.public, &sensitive.seed, name, Vector::Inside)
    }

    /// The wrap with a seed that was shared with whoever has the key `public`.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::TYPE`] if that cannot be a parent.
    pub(crate) fn with_seed(
        public: &Public,
        seed: &Secret,
        name: &'a Name,
    ) -> Result<Self, ResponseCode> {
        Self::new(public, seed.as_bytes(), name, Vector::Zero)
    }

    fn new(
        public: &Public,
        seed: &[u8],
        name: &'a Name,
        vector: Vector,
    ) -> Result<Self, ResponseCode> {
        let (Some(hash), Some(cipher)) = (public.name_hash, public.storage_cipher()) else {
            return Err(ResponseCode::TYPE);
        };
        let bits = u32::try_from(hash.size() * 8).map_err(|_| ResponseCode::TYPE)?;
        let key_bits = u32::from(cipher.key_bits);
        let key = kdfa(hash.algorithm(), seed, b"STORAGE", name, &[], key_bits);
        Ok(Self {
            hash,
            cipher: Cipher::new(cipher.cipher.algorithm(), key.as_bytes())
                .map_err(|_| ResponseCode::TYPE)?,
            mac_key: kdfa(hash.algorithm(), seed, b"INTEGRITY", &[], &[], bits),
            name,
            vector,
        })
    }

    /// Encrypts and authenticates. `vector` is used only where it goes inside.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::FAILURE`] never in practice.
    pub(crate) fn seal(
        &self,
        vector: [u8; BLOCK_SIZE],
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, ResponseCode> {
        let (mut protected, mut chain) = match self.vector {
            Vector::Inside => (Buffer::<BLOCK_SIZE>::new(vector).to_bytes(), vector),
            Vector::Zero => (Vec::new(), [0; BLOCK_SIZE]),
        };
        self.cipher
            .encrypt(CipherMode::Cfb, &mut chain, &mut data)
            .map_err(|_| ResponseCode::FAILURE)?;
        protected.extend_from_slice(&data);
        let mut whole = self.integrity(&protected).to_bytes();
        whole.extend_from_slice(&protected);
        Ok(whole)
    }

    /// Checks and decrypts what [`seal`](Self::seal) gave.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::INTEGRITY`] for what was not made with this seed for this
    /// name.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Secret, ResponseCode> {
        let mut reader = Reader::new(sealed);
        let integrity = Digest::read(&mut reader)?;
        if !equal(&integrity, &self.integrity(reader.rest())) {
            return Err(ResponseCode::INTEGRITY);
        }
        let mut chain = match self.vector {
            Vector::Zero => [0; BLOCK_SIZE],
            Vector::Inside => {
                let vector = Buffer::<BLOCK_SIZE>::read(&mut reader)?;
                vector[..].try_into().map_err(|_| ResponseCode::SIZE)?
            }
        };
        let mut data = Secret::from(reader.rest());
        self.cipher
            .decrypt(CipherMode::Cfb, &mut chain, data.as_mut_bytes())
            .map_err(|_| ResponseCode::FAILURE)?;
        Ok(data)
    }

    fn integrity(&self, protected: &[u8]) -> Digest {
        let mac =
            Hmac::mac(self.hash.algorithm(), self.mac_key.as_bytes(), &[protected, self.name]);
        Digest::new(mac.as_bytes())
    }
}
