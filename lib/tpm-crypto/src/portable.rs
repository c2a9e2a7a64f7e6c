//! The portable provider: public-key arithmetic by the RustCrypto crates.
//!
//! It runs everywhere, bare metal included, in constant time where secrets are
//! involved.

mod curves;
mod modular;
mod provider;

pub use provider::Portable;
