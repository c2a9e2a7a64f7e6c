//! What can go wrong with RSA.

use thiserror::Error;

use super::size::RsaSize;
use crate::random::RandomError;

/// Why an operation with an RSA key gave no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RsaError {
    /// The modulus is even, or has not exactly the bits of a supported size.
    #[error(
        "a modulus is an odd number of 1024, 2048, 3072 or 4096 bits; this is none: refuse the key"
    )]
    Modulus,
    /// New keys of this size are not safe any more.
    #[error(
        "no new keys of {0:?} are made, because they are not safe any more: take a larger size"
    )]
    TooSmall(RsaSize),
    /// The exponent is not supported.
    #[error(
        "{0} is no public exponent that is supported here: it has to be odd, at least 3, and above 65536 for a new key"
    )]
    Exponent(u32),
    /// A prime does not belong to the modulus, or is not half its size.
    #[error("this is no prime factor of half the size of the modulus: refuse the key")]
    Prime,
    /// A message is not below the modulus.
    #[error("the message, as a number, is not below the modulus")]
    MessageTooLarge,
    /// A message is longer than the scheme allows with this key.
    #[error("this scheme takes {largest} bytes with a key of this size, not {found}")]
    MessageTooLong {
        /// What fits, in bytes.
        largest: usize,
        /// What was given, in bytes.
        found: usize,
    },
    /// The key is too small for this hash in this scheme, or a digest has not
    /// the size of its hash.
    #[error("digest, hash and key size do not go together in this scheme: take a hash that fits")]
    DigestSize,
    /// A signature is not one of this key over this digest.
    #[error("the signature is not one of this key over this digest")]
    BadSignature,
    /// A ciphertext has no message in it. Why is not told, since that would help
    /// to decrypt others.
    #[error("the ciphertext was not made with this key, scheme and label")]
    BadCiphertext,
    /// The check of a private operation failed: the key is inconsistent, or the
    /// processor erred.
    #[error(
        "a private operation gave a wrong result, which was discarded: the key is inconsistent or the processor erred"
    )]
    Fault,
    /// The stream gave no bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The stream gave no usable numbers, which a random one does not.
    #[error("the stream gave no usable number in {0} tries: it is not random")]
    NotRandom(u32),
}
