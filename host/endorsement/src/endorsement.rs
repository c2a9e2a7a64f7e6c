//! A processor's key with the certificates for it, kept in a folder.

use std::fmt;
use std::path::Path;

use p384::SecretKey;
use p384::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::chain::{Chain, ChainError};
use crate::folder::{self, FileError, Secrecy};
use crate::identity::ChipIdentity;
use crate::issue::{IssueError, Issued, issue};

/// Name of the file with the private key.
const KEY_FILE: &str = "vcek-key.pem";

/// Why there is no endorsement.
#[derive(Debug, thiserror::Error)]
pub enum EndorsementError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The certificates are no chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Keys or certificates could not be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The private key's file is damaged, or holds a key of another kind.
    #[error("{KEY_FILE} holds no private key for P-384 in PKCS #8 and PEM")]
    MalformedKey,
    /// The private key could not be encoded.
    #[error("the private key cannot be encoded")]
    KeyEncoding,
    /// The private key and the VCEK certificate are from two endorsements.
    #[error("{KEY_FILE} does not hold the key that the VCEK certificate is for")]
    OtherKey,
}

/// The VCEK of a simulated processor: the private key, and the certificates
/// that lead to it.
///
/// The private key is wiped from memory when this is dropped, and `Debug` does
/// not show it.
pub struct Endorsement {
    chain: Chain,
    key: SecretKey,
}

impl Endorsement {
    /// Draws all keys for a processor and issues their certificates, which
    /// takes about a second in optimised code. The private keys of ARK and ASK
    /// are wiped before this returns, so that nothing else is ever issued under
    /// them.
    ///
    /// # Errors
    ///
    /// A key could not be found, or a certificate could not be encoded; neither
    /// is known to happen.
    pub fn generate<R: CryptoRng + ?Sized>(
        rng: &mut R,
        chip: &ChipIdentity,
    ) -> Result<Self, EndorsementError> {
        let Issued { ark, ask, vcek, vcek_key } = issue(rng, chip)?;
        Self::new(Chain::new(&ark, &ask, &vcek)?, vcek_key)
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    ///
    /// A file is missing or damaged, the certificates are no chain or not for
    /// the private key, or others than the owner can get at the private key.
    pub fn load(folder: &Path) -> Result<Self, EndorsementError> {
        let chain = Chain::load(folder)?;
        let pem = folder::read(&folder.join(KEY_FILE), Secrecy::Secret)?;
        let pem = std::str::from_utf8(&pem).map_err(|_| EndorsementError::MalformedKey)?;
        let key = SecretKey::from_pkcs8_pem(pem).map_err(|_| EndorsementError::MalformedKey)?;
        Self::new(chain, key)
    }

    /// Writes certificates and private key to files in `folder`, which must not
    /// exist and becomes readable by its owner only. Whoever needs all of them
    /// or none has to rename the folder once this is done.
    ///
    /// # Errors
    ///
    /// The folder exists, or the operating system refuses.
    pub fn save(&self, folder: &Path) -> Result<(), EndorsementError> {
        folder::create(folder)?;
        for file in self.chain.public_files() {
            folder::write(&folder.join(file.name), &file.content, Secrecy::Public)?;
        }
        let pem =
            self.key.to_pkcs8_pem(LineEnding::LF).map_err(|_| EndorsementError::KeyEncoding)?;
        Ok(folder::write(&folder.join(KEY_FILE), pem.as_bytes(), Secrecy::Secret)?)
    }

    fn new(chain: Chain, key: SecretKey) -> Result<Self, EndorsementError> {
        if key.public_key() != chain.vcek().into() {
            return Err(EndorsementError::OtherKey);
        }
        Ok(Self { chain, key })
    }

    /// The certificates.
    #[must_use]
    pub const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The private key of the VCEK: a scalar of P-384, big-endian.
    #[must_use]
    pub fn vcek_scalar(&self) -> Zeroizing<[u8; 48]> {
        let bytes = Zeroizing::new(self.key.to_bytes());
        let mut scalar = Zeroizing::new([0; 48]);
        scalar.copy_from_slice(bytes.as_slice());
        scalar
    }
}

impl fmt::Debug for Endorsement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endorsement").field("chip", self.chain.chip()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
