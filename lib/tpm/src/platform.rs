//! What the device needs from outside: entropy, time, presence, a store.

use alloc::vec::Vec;

use thiserror::Error;
use tpm_crypto::provider::Provider;

/// The device's surroundings, lent for the time of one call.
pub struct Platform<'a> {
    /// Where random numbers come from.
    pub entropy: &'a mut dyn Entropy,
    /// Who computes with keys.
    pub provider: &'a dyn Provider,
    /// How time passes.
    pub clock: &'a dyn Clock,
    /// What outlasts power.
    pub store: &'a mut dyn Store,
    /// Whether someone presses the button.
    pub presence: PhysicalPresence,
}

/// A source of entropy.
pub trait Entropy {
    /// Fills `bytes` with full entropy.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if there is none; the device then enters failure mode.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// There is no entropy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the source of entropy gave nothing: the device cannot work without it")]
pub struct EntropyError;

/// Time since some fixed moment of this power cycle.
pub trait Clock {
    /// Milliseconds; never fewer than at an earlier call.
    fn now_ms(&self) -> u64;
}

/// Whether a person at the platform confirms what is done [TPM 2.0 Part 1
/// §19, *from memory*].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhysicalPresence {
    /// Confirmed.
    Asserted,
    /// Not confirmed.
    Absent,
}

/// One change to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record's key.
    pub key: u32,
    /// Its new content; none to remove it. Holds secrets: the store protects it.
    pub content: Option<Vec<u8>>,
}

/// A store of records that outlast power.
pub trait Store {
    /// All records, in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if they cannot be read.
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError>;

    /// Makes all `changes` or none: after a power cut at any moment,
    /// [`load`](Self::load) gives all of them or the state before.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if they could not be made, or it is not known whether.
    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// Whether it can be written now. While it cannot, a command that would change
    /// a record is answered with `TPM_RC_NV_UNAVAILABLE` and changes nothing; with
    /// a store that says nothing else, none is.
    fn is_available(&self) -> bool {
        true
    }
}

/// The store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the store could not be read or written: look at what lies below it")]
pub struct StoreError;
