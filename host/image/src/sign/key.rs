//! Private keys from PEM files.

use std::fmt;
use std::io::Read;
use std::path::Path;

use abi_snp::{Digest, EcdsaP384PublicKey, EcdsaSignature, P384Integer};
use p384::SecretKey;
use p384::ecdsa::Signature;
use p384::ecdsa::signature::Signer;
use p384::elliptic_curve::zeroize::Zeroizing;

use super::error::Error;

/// Most bytes of a key file that are read.
const MAX_FILE_SIZE: u64 = 64 << 10;

/// A private key for ID blocks.
///
/// The secret is wiped from memory when the key is dropped, and `Debug` shows
/// the public key's digest only.
pub struct SigningKey {
    secret: p384::ecdsa::SigningKey,
}

impl SigningKey {
    /// Reads a key file: see [`Self::from_pem`].
    ///
    /// # Errors
    ///
    /// The file cannot be read or holds no usable key; the message names it.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let unreadable = |cause| Error::Unreadable { path: path.to_owned(), cause };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        // With its final capacity from the start: growing would leave copies of
        // the secret behind.
        let mut pem = Zeroizing::new(Vec::with_capacity(MAX_FILE_SIZE as usize + 1));
        file.take(MAX_FILE_SIZE + 1).read_to_end(&mut pem).map_err(unreadable)?;
        if pem.len() as u64 > MAX_FILE_SIZE {
            return Err(Error::TooLarge { path: path.to_owned(), max: MAX_FILE_SIZE });
        }
        let key = std::str::from_utf8(&pem).map_err(|_| Error::NoKey).and_then(Self::from_pem);
        key.map_err(|cause| Error::File { path: path.to_owned(), cause: Box::new(cause) })
    }

    /// Reads a key from PEM text: a block `EC PRIVATE KEY` [RFC 5915] or
    /// `PRIVATE KEY` [RFC 5958]. Text and blocks around it, such as the
    /// `EC PARAMETERS` that OpenSSL puts first, are passed over.
    ///
    /// # Errors
    ///
    /// There is no such block, or its key is not one for P-384.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let block = ["EC PRIVATE KEY", "PRIVATE KEY"].iter().find_map(|label| block(pem, label));
        let Some(block) = block else {
            let encrypted = block_exists(pem, "ENCRYPTED PRIVATE KEY") || pem.contains("ENCRYPTED");
            return Err(if encrypted { Error::Encrypted } else { Error::NoKey });
        };
        if block.contains("ENCRYPTED") {
            return Err(Error::Encrypted);
        }
        let secret = SecretKey::from_pem(block).map_err(|_| Error::NotP384)?;
        Ok(Self { secret: secret.into() })
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn public_key(&self) -> EcdsaP384PublicKey {
        let point = self.secret.verifying_key().to_sec1_point(false);
        // An uncompressed point always has both coordinates.
        let coordinate = |bytes: Option<&p384::FieldBytes>| {
            bytes.map_or(P384Integer::ZERO, |bytes| P384Integer::from_big_endian(&(*bytes).into()))
        };
        EcdsaP384PublicKey::new(coordinate(point.x()), coordinate(point.y()))
    }

    /// What attestation reports name the key by.
    #[must_use]
    pub fn digest(&self) -> Digest {
        snp_launch::key_digest(&self.public_key())
    }

    /// The deterministic signature of `message` with SHA-384 [RFC 6979].
    pub(super) fn sign(&self, message: &[u8]) -> Result<EcdsaSignature, Error> {
        let signature: Signature = self.secret.try_sign(message).map_err(|_| Error::Signature)?;
        let (r, s) = signature.split_bytes();
        let number = |bytes: p384::FieldBytes| P384Integer::from_big_endian(&bytes.into());
        Ok(EcdsaSignature::new(number(r), number(s)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("digest", &self.digest()).finish_non_exhaustive()
    }
}

/// The PEM block with this label, from its first line to its last.
fn block<'a>(pem: &'a str, label: &str) -> Option<&'a str> {
    let end = format!("-----END {label}-----");
    let (_, from) = pem.split_at_checked(pem.find(&format!("-----BEGIN {label}-----"))?)?;
    let (block, _) = from.split_at_checked(from.find(&end)?.checked_add(end.len())?)?;
    Some(block)
}

fn block_exists(pem: &str, label: &str) -> bool {
    block(pem, label).is_some()
}
