//! The fast provider: P-256 and P-384 by `graviola`'s assembler code.
//!
//! What graviola's interface offers is used: multiples of the generator, hence
//! new keys and signatures. The rest is left to the portable provider, because
//! graviola has no P-521, gives only the x-coordinate of a shared point, which
//! is not enough for a TPM, and hashes what it signs and verifies itself, whereas
//! a TPM has digests. It runs on hosts with an operating system only.

mod curves;
mod provider;

pub use provider::Fast;
