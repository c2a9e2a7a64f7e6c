//! Command audit [Part 1 §31].

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::wire::algorithm::Hash;

/// Which commands are audited, and what was recorded.
#[derive(Clone, Debug)]
pub(crate) struct CommandAudit {
    pub(crate) hash: Hash,
    pub(crate) commands: BTreeSet<u32>,
    /// Counts digests that were begun.
    pub(crate) counter: u64,
    /// Empty until something is recorded.
    pub(crate) digest: Vec<u8>,
}

impl CommandAudit {
    /// Records a command and its response.
    pub(crate) fn record(&mut self, command_hash: &[u8], response_hash: &[u8]) {
        if self.digest.is_empty() {
            self.counter = self.counter.wrapping_add(1);
            self.digest = alloc::vec![0; self.hash.size()];
        }
        let digest = self.hash.algorithm().digest(&[&self.digest, command_hash, response_hash]);
        self.digest = digest.as_bytes().to_vec();
    }
}
