//! The form of an object on its way to another parent: the inner wrap
//! [Part 1 §23.3.2.2].
//!
//! Without a cipher it is the sensitive area alone. With one, a digest of area
//! and name stands before it, and both are encrypted with a key that whoever
//! imports the object is told.

use tpm_crypto::cipher::{BLOCK_SIZE, Cipher, CipherMode};
use tpm_crypto::secret::{Secret, equal};

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::sensitive::Sensitive;
use crate::wire::structure::{Digest, Name};
use crate::wire::symmetric::ObjectCipher;

/// The cipher of an inner wrap and its key.
pub(crate) struct InnerWrap(Option<Cipher>);

impl InnerWrap {
    /// The wrap with `cipher`, or none.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::SIZE`] if the key is not one for this cipher.
    pub(crate) fn new(cipher: Option<ObjectCipher>, key: &[u8]) -> Result<Self, ResponseCode> {
        let Some(cipher) = cipher else { return Ok(Self(None)) };
        if key.len() != usize::from(cipher.key_bits / 8) {
            return Err(ResponseCode::SIZE);
        }
        let cipher = Cipher::new(cipher.cipher.algorithm(), key).map_err(|_| ResponseCode::SIZE)?;
        Ok(Self(Some(cipher)))
    }

    /// Wraps the sensitive area of the object with this name.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::FAILURE`] never in practice.
    pub(crate) fn seal(
        &self,
        hash: Hash,
        name: &Name,
        sensitive: &Sensitive,
    ) -> Result<Secret, ResponseCode> {
        let area = Secret::new(sensitive.padded(name).to_bytes());
        let Some(cipher) = &self.0 else { return Ok(area) };
        let mut whole = integrity(hash, area.as_bytes(), name).to_bytes();
        whole.extend_from_slice(area.as_bytes());
        let mut chain = [0; BLOCK_SIZE];
        cipher
            .encrypt(CipherMode::Cfb, &mut chain, &mut whole)
            .map_err(|_| ResponseCode::FAILURE)?;
        Ok(Secret::new(whole))
    }

    /// Opens what [`seal`](Self::seal) gave.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::INTEGRITY`] if it was made with another key or for another
    /// name; what is wrong with a malformed area.
    pub(crate) fn open(
        &self,
        hash: Hash,
        name: &Name,
        mut sealed: Secret,
    ) -> Result<Sensitive, ResponseCode> {
        let mut reader;
        if let Some(cipher) = &self.0 {
            let mut chain = [0; BLOCK_SIZE];
            cipher
                .decrypt(CipherMode::Cfb, &mut chain, sealed.as_mut_bytes())
                .map_err(|_| ResponseCode::FAILURE)?;
            reader = Reader::new(sealed.as_bytes());
            let found = Digest::read(&mut reader)?;
            if !equal(&found, &integrity(hash, reader.rest(), name)) {
                return Err(ResponseCode::INTEGRITY);
            }
        } else {
            reader = Reader::new(sealed.as_bytes());
        }
        let size = usize::from(u16::read(&mut reader)?);
        if size != reader.rest().len() {
            return Err(ResponseCode::SIZE);
        }
        Sensitive::from_bytes(reader.rest())
    }
}

fn integrity(hash: Hash, area: &[u8], name: &Name) -> Digest {
    Digest::new(hash.algorithm().digest(&[area, name]).as_bytes())
}
