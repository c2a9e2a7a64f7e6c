//! Signing: ID block and ID authentication for a measured image.
//!
//! With an ID block the image's owner says which launch digest and policy the
//! guest must have; the security processor refuses every other guest and
//! reports the digests of the keys that signed [SNP ABI 56860 §8.18]. The
//! block is given to the loader either inside the IGVM file
//! ([`Signed::add_to`]) or beside it ([`Signed::qemu_options`]).
//!
//! Keys are ECDSA keys on P-384 from PEM files; signatures are deterministic
//! [RFC 6979], so signing the same image twice gives the same bytes. Nothing
//! here tells whether a key may be trusted: compare [`SigningKey::digest`] with
//! what the attestation report says.

mod error;
mod igvm_format;
mod key;
mod signed;
mod verification;

pub use error::Error;
pub use igvm_format::find_id_block;
pub use key::SigningKey;
pub use signed::{Identity, Signed, sign};
pub use verification::{SignatureState, Verification, verify};

#[cfg(test)]
mod tests;
