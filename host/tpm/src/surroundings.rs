//! What the operating system lends the device: entropy and time; and the
//! provider of cryptography that this processor can run.

use std::time::Instant;

use tpm::{Clock, Entropy, EntropyError};
use tpm_crypto::fast::Fast;
use tpm_crypto::portable::Portable;
use tpm_crypto::provider::Provider;

/// The operating system's random numbers.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

/// Time since this was made.
pub(crate) struct Uptime(pub(crate) Instant);

impl Clock for Uptime {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The fastest provider that this processor can run.
pub(crate) fn provider() -> Box<dyn Provider> {
    match Fast::new() {
        Some(fast) => Box::new(fast),
        None => Box::new(Portable),
    }
}
