//! RSA: keys, their generation, and the schemes that TPMs use with them.
//!
//! The arithmetic is a provider's ([`Rsa`](crate::provider::Rsa)). A scheme is a
//! module: [`pkcs1`] (RSASSA and RSAES), [`pss`] and [`oaep`]; without a scheme,
//! the provider's operations are used directly.

mod error;
mod generate;
mod key;
pub(crate) mod number;
pub mod oaep;
pub mod pkcs1;
mod prime;
pub mod pss;
mod sieve;
mod size;

pub use error::RsaError;
pub use generate::generate;
pub use key::{RsaPrivateKey, RsaPublicKey};
pub use size::RsaSize;

#[cfg(test)]
mod tests;
