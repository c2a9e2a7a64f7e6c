//! The SEV-SNP launch digest, as the security processor computes it.
//!
//! While a host launches a guest, the security processor keeps a digest that
//! every page extends; the final value identifies what the guest started from
//! and stands in its attestation reports. [`LaunchDigest`] does the same
//! without a platform, for tools that foretell the digest of an image and for
//! a simulated security processor. [`key_digest`] is how reports name the keys
//! of an ID block; making and signing ID blocks is `host/image`'s work.
//!
//! The layouts are those of `abi-snp`. Source: [SNP ABI 56860 §8.17.2].
#![no_std]
#![forbid(unsafe_code)]

mod key;
mod launch;

pub use key::key_digest;
pub use launch::{LaunchDigest, Page, PageContents};
