//! The cryptography that a TPM 2.0 device needs.
//!
//! This crate knows algorithms, not TPM commands or wire formats: it works on
//! byte strings, keys and numbers. `lib/tpm` builds the device on it.
//!
//! | module | content |
//! |---|---|
//! | [`provider`] | the traits by which a device calls for public-key arithmetic |
//! | [`portable`] | the provider that runs everywhere |
//! | `fast` | one with assembler code for P-256 and P-384, for hosts; behind the feature `fast` |
//! | [`rsa`], [`ecc`] | keys, and the schemes built on a provider |
//! | [`hash`], [`hmac`] | digests and MACs, with a state that can be saved |
//! | [`cipher`] | AES and Camellia in five modes |
//! | [`cmac`] | MACs with them |
//! | [`derivation`] | KDFa, KDFe, MGF1, XOR obfuscation |
//! | [`random`], [`drbg`] | streams of bytes to draw keys from |
//! | [`secret`] | wiped, hidden, compared in constant time |
//!
//! # On bare metal
//!
//! The crate needs an allocator and processors with words of 64 bits. For
//! `x86_64-unknown-none`, `--cfg aes_backend="soft"` leaves out vector
//! instructions of AES that do not compile there. The feature `tables` needs an
//! operating system; without it the portable provider takes about twice as
//! long for new keys and signatures on curves.
//!
//! # Example
//!
//! A key derived from a seed signs a digest.
//!
//! ```
//! use tpm_crypto::{
//!     drbg::HmacDrbg,
//!     ecc::{Curve, Scalar},
//!     hash::HashAlgorithm,
//!     portable::Portable,
//!     provider::Curves,
//! };
//!
//! # fn main() -> Result<(), tpm_crypto::ecc::EccError> {
//! let mut stream = HmacDrbg::new(HashAlgorithm::Sha256, &[b"seed", b"template"]);
//! let key = Scalar::draw(Curve::P256, &mut stream)?;
//! let public = Portable.public_key(&key)?;
//!
//! let digest = HashAlgorithm::Sha256.digest(&[b"message"]);
//! let signature = Portable.sign_ecdsa(&key, HashAlgorithm::Sha256, digest.as_bytes())?;
//! Portable.verify_ecdsa(&public, digest.as_bytes(), &signature)?;
//! # Ok(())
//! # }
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod cipher;
pub mod cmac;
pub mod derivation;
pub mod drbg;
pub mod ecc;
#[cfg(feature = "fast")]
pub mod fast;
pub mod hash;
pub mod hmac;
pub mod portable;
pub mod provider;
pub mod random;
pub mod rsa;
pub mod secret;
#[cfg(test)]
mod test_providers;
#[cfg(test)]
mod test_vectors;
