//! A generator of random bytes: HMAC_DRBG [SP 800-90A rev. 1 §10.1.2].
//!
//! Seeded with entropy it serves nonces and new keys. Seeded with a hierarchy's
//! seed and a template it is the stream from which a primary key is derived: the
//! same seed and the same sequence of requests give the same bytes.

use core::fmt;

use crate::{
    hash::{Digest, HashAlgorithm},
    hmac::Hmac,
    random::{RandomError, RandomStream},
};

/// Requests between two seedings [SP 800-90A rev. 1 table 2].
const RESEED_INTERVAL: u64 = 1 << 48;

/// Bytes per request [SP 800-90A rev. 1 table 2]: 2¹⁹ bits.
const LARGEST_REQUEST: usize = 1 << 16;

/// The generator. Its state is wiped on drop.
#[derive(Clone)]
pub struct HmacDrbg {
    /// The HMAC with the state's key, ready to be cloned.
    keyed: Hmac,
    value: Digest,
    requests: u64,
}

impl HmacDrbg {
    /// A generator seeded with `seed`: entropy, nonce and personalisation, one
    /// after the other. How strong it is depends on the entropy in there.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, seed: &[&[u8]]) -> Self {
        let mut value = Digest::zeroed(algorithm);
        let keyed = Hmac::new(algorithm, value.as_bytes());
        value.as_mut_bytes().fill(1);
        let mut drbg = Self { keyed, value, requests: 0 };
        drbg.reseed(seed);
        drbg
    }

    /// Works new entropy (and other input) into the state.
    pub fn reseed(&mut self, input: &[&[u8]]) {
        self.absorb(0, input);
        if input.iter().any(|part| !part.is_empty()) {
            self.absorb(1, input);
        }
        self.requests = 1;
    }

    /// One request of at most [`LARGEST_REQUEST`] bytes.
    fn generate(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
        if self.requests > RESEED_INTERVAL {
            return Err(RandomError::ReseedRequired);
        }
        for chunk in output.chunks_mut(self.keyed.algorithm().digest_size()) {
            self.advance();
            chunk.copy_from_slice(&self.value.as_bytes()[..chunk.len()]);
        }
        self.absorb(0, &[]);
        self.requests += 1;
        Ok(())
    }

    /// One round of the standard's HMAC_DRBG_Update.
    fn absorb(&mut self, round: u8, input: &[&[u8]]) {
        let mut hmac = self.keyed.clone();
        hmac.update(self.value.as_bytes());
        hmac.update(&[round]);
        for part in input {
            hmac.update(part);
        }
        let key = hmac.finish();
        self.keyed = Hmac::new(self.keyed.algorithm(), key.as_bytes());
        self.advance();
    }

    fn advance(&mut self) {
        let mut hmac = self.keyed.clone();
        hmac.update(self.value.as_bytes());
        self.value = hmac.finish();
    }
}

impl RandomStream for HmacDrbg {
    /// One request of the standard, or, beyond 64 KiB, as many as it takes.
    fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
        output.chunks_mut(LARGEST_REQUEST).try_for_each(|chunk| self.generate(chunk))
    }
}

impl fmt::Debug for HmacDrbg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HmacDrbg({:?})", self.keyed.algorithm())
    }
}

#[cfg(test)]
mod tests;
