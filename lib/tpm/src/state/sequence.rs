//! Hash, HMAC and event sequences [Part 1 §32.4].

use alloc::boxed::Box;
use alloc::vec::Vec;

use tpm_crypto::hash::Hasher;

use crate::wire::algorithm::Hash;
use crate::wire::structure::Digest;

/// TPM_GENERATED_VALUE: how what the device itself says begins [Part 2 §6.2].
/// A ticket for a digest is only given for data that begins otherwise.
pub(crate) const GENERATED: [u8; 4] = [0xFF, b'T', b'C', b'G'];

/// A sequence under way.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    /// What whoever goes on with it has to know.
    pub(crate) auth: Digest,
    pub(crate) work: Work,
}

/// What is computed.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// One digest.
    Hash {
        hash: Hash,
        hasher: Box<Hasher>,
        /// The first bytes, up to four, to compare with [`GENERATED`].
        start: Vec<u8>,
    },
    /// A digest for each bank.
    Event(Vec<(Hash, Hasher)>),
}

impl Sequence {
    /// Takes in more data.
    pub(crate) fn update(&mut self, data: &[u8]) {
        match &mut self.work {
            Work::Hash { hasher, start, .. } => {
                let missing = GENERATED.len().saturating_sub(start.len());
                start.extend(data.iter().take(missing));
                hasher.update(data);
            }
            Work::Event(hashers) => {
                for (_, hasher) in hashers {
                    hasher.update(data);
                }
            }
        }
    }
}
