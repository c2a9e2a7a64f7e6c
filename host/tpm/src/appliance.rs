//! A device with its surroundings and a switch: what the protocols drive.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tpm::{
    Change, Device, PhysicalPresence, Platform, PowerOnError, Records, Store, StoreError,
    VOLATILE_RECORD,
};
use tpm_crypto::provider::Provider;
use zeroize::Zeroizing;

use crate::journal::{Entry, Journal};
use crate::records::{self, FormatError};
use crate::surroundings::{SystemEntropy, Uptime, provider};

/// The largest command, in bytes.
pub const LARGEST_COMMAND: usize = 4096;

/// TPM_ST_NO_SESSIONS, size, TPM_RC_FAILURE.
const FAILURE: [u8; 10] = [0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x01];

/// A start-up that the appliance does by itself when it is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Startup {
    /// `TPM2_Startup(CLEAR)`.
    Clear,
    /// `TPM2_Startup(STATE)`, and clear if there is no state.
    State,
}

/// Whether the device may write to its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAccess {
    /// At any time.
    Granted,
    /// Not now: what would be stored is refused.
    Withheld,
}

/// Why the permanent state could not be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// The device has power and would not see the change.
    #[error("the device is switched on: stop it before its state is replaced")]
    On,
    /// What was given is no state.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// What was given is a state of the other kind.
    #[error("it is a state of another kind: permanent and volatile state are set apart")]
    Kind,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The device, switched on or off.
pub struct Appliance {
    device: Option<Device>,
    /// Whether something was asked of the device since it was switched on.
    used: bool,
    entropy: SystemEntropy,
    clock: Uptime,
    store: Guarded,
    provider: Box<dyn Provider>,
    presence: PhysicalPresence,
    established: bool,
    /// Timers that have run out and were told of: bit *n* for TPM_RH_ACT_*n*.
    timers: u16,
    journal: Arc<Journal>,
}

impl Appliance {
    /// The device in `store`, switched off.
    #[must_use]
    pub fn new(store: Box<dyn Store + Send>, journal: Arc<Journal>) -> Self {
        Self {
            device: None,
            used: false,
            entropy: SystemEntropy,
            clock: Uptime(Instant::now()),
            store: Guarded { store, access: StoreAccess::Granted },
            provider: provider(),
            presence: PhysicalPresence::Absent,
            established: false,
            timers: 0,
            journal,
        }
    }

    /// Makes a new device in an empty store.
    ///
    /// # Errors
    ///
    /// As [`Device::manufacture`].
    pub fn manufacture(&mut self) -> Result<(), PowerOnError> {
        let (_, mut platform) = self.parts();
        Device::manufacture(&mut platform)
    }

    /// Switches the device on; one that is on loses its power first. Volatile state
    /// that is kept is taken up.
    ///
    /// # Errors
    ///
    /// As [`Device::power_on`]; it is off then.
    pub fn power_on(&mut self) -> Result<(), PowerOnError> {
        self.power_off();
        let (device, mut platform) = self.parts();
        *device = Some(Device::power_on(&mut platform)?);
        self.used = false;
        self.journal.note("power on");
        Ok(())
    }

    /// Takes the device's power away, as a power cut does.
    pub fn power_off(&mut self) {
        if self.device.take().is_some() {
            self.journal.note("power off");
        }
    }

    /// Whether the device has power.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.device.is_some()
    }

    /// Whether a command was executed, a launch measured or the volatile state kept
    /// since the device was switched on.
    #[must_use]
    pub const fn is_used(&self) -> bool {
        self.used
    }

    /// Starts the device up. What it answers is in the journal.
    pub fn start_up(&mut self, startup: Startup) {
        const CLEAR: [u8; 12] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0];
        const STATE: [u8; 12] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 1];
        let refused = |answer: Option<Vec<u8>>| {
            answer.is_none_or(|answer| answer.get(6..10) != Some(&[0; 4]))
        };
        if startup == Startup::State && !refused(self.execute(0, 0, &STATE)) {
            return;
        }
        if refused(self.execute(0, 0, &CLEAR)) {
            self.journal.warn("the device did not start up; look at the log for its answer");
        }
    }

    /// Executes a command that came over connection `connection` from
    /// `locality`. None if the device is off.
    pub fn execute(&mut self, connection: u64, locality: u8, command: &[u8]) -> Option<Vec<u8>> {
        let began = self.journal.is_kept().then(Instant::now);
        // If the device panics it is gone, and all that is known to be sound is
        // in the store.
        let mut device = self.device.take()?;
        self.used = true;
        let response = device.execute(&mut self.parts().1, locality, command);
        let timers = device.signaled_timers(&self.clock);
        self.device = Some(device);
        if let Some(took) = began.map(|began| began.elapsed()) {
            let entry = Entry { connection, locality, command, response: &response, took };
            self.journal.command(&entry);
        }
        self.note_timers(timers);
        Some(response)
    }

    /// Begins the hash sequence of a launch. False if the device is off; so with
    /// the other two.
    pub fn hash_start(&mut self) -> bool {
        self.with_device(Device::hash_start)
    }

    /// Goes on with it.
    pub fn hash_data(&mut self, data: &[u8]) -> bool {
        self.with_device(|device| device.hash_data(data))
    }

    /// Ends it. From then on the launch is established.
    pub fn hash_end(&mut self) -> bool {
        let on = self.with_device(Device::hash_end);
        self.established |= on;
        on
    }

    /// Whether a launch was measured since the last
    /// [`reset_established`](Self::reset_established).
    #[must_use]
    pub const fn is_established(&self) -> bool {
        self.established
    }

    /// Forgets that a launch was measured.
    pub const fn reset_established(&mut self) {
        self.established = false;
    }

    /// Whether someone presses the button from now on.
    pub const fn set_presence(&mut self, presence: PhysicalPresence) {
        self.presence = presence;
    }

    /// Whether the device may write from now on. Power changes nothing about it.
    pub const fn set_store_access(&mut self, access: StoreAccess) {
        self.store.access = access;
    }

    /// The permanent state as one blob, with its secrets in the clear.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn permanent_state(&mut self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let mut permanent = self.all_records()?;
        permanent.remove(&VOLATILE_RECORD);
        Ok(records::encode(&permanent, 0))
    }

    /// The volatile state as one blob, with its secrets in the clear: that of the
    /// device if it is on, else the one that is kept. Empty if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn volatile_state(&mut self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let (device, mut platform) = self.parts();
        let content = match device {
            Some(device) => Some(Zeroizing::new(device.volatile_state(&mut platform)?)),
            None => self.all_records()?.remove(&VOLATILE_RECORD),
        };
        let blob = |content| records::encode(&Records::from([(VOLATILE_RECORD, content)]), 0);
        Ok(content.map(blob).unwrap_or_default())
    }

    /// Keeps the volatile state: if the next thing is that the device is switched
    /// on, it goes on from here. False if the device is off.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn keep_volatile_state(&mut self) -> Result<bool, StoreError> {
        self.used = true;
        let (device, mut platform) = self.parts();
        let Some(device) = device else { return Ok(false) };
        device.keep_volatile_state(&mut platform).map(|()| true)
    }

    /// Keeps the volatile state in a blob, from which the device goes on when it is
    /// switched on. An empty blob removes what is kept.
    ///
    /// # Errors
    ///
    /// [`ReplaceError`]; what was kept before is untouched then.
    pub fn replace_volatile_state(&mut self, blob: &[u8]) -> Result<(), ReplaceError> {
        if self.is_on() {
            return Err(ReplaceError::On);
        }
        let mut content = None;
        if !blob.is_empty() {
            let (mut records, _) = records::decode(blob)?;
            content = records.remove(&VOLATILE_RECORD).map(|content| content.to_vec());
            if content.is_none() || !records.is_empty() {
                return Err(ReplaceError::Kind);
            }
        }
        Ok(self.store.commit(&[Change { key: VOLATILE_RECORD, content }])?)
    }

    /// Puts a blob in the place of the permanent state. Volatile state that is
    /// kept is removed: it belongs to the old one.
    ///
    /// # Errors
    ///
    /// [`ReplaceError`]; the old state is untouched then.
    pub fn replace_permanent_state(&mut self, blob: &[u8]) -> Result<(), ReplaceError> {
        if self.is_on() {
            return Err(ReplaceError::On);
        }
        let (new, _) = records::decode(blob)?;
        if new.contains_key(&VOLATILE_RECORD) {
            return Err(ReplaceError::Kind);
        }
        let old = self.all_records()?;
        let gone = old.keys().filter(|key| !new.contains_key(key));
        let mut changes: Vec<Change> =
            gone.map(|key| Change { key: *key, content: None }).collect();
        changes.extend(
            new.iter().map(|(key, content)| Change { key: *key, content: Some(content.to_vec()) }),
        );
        Ok(self.store.commit(&changes)?)
    }

    /// Tells once of each timer that asks the platform to act.
    fn note_timers(&mut self, signaled: u16) {
        let new = signaled & !std::mem::replace(&mut self.timers, signaled);
        for number in (0..u16::BITS).filter(|number| new & (1 << number) != 0) {
            self.journal.note(&format!("timer {number:X} has run out"));
        }
    }

    /// Where events are told.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    fn all_records(&mut self) -> Result<Records, StoreError> {
        let records = self.store.load()?.into_iter();
        Ok(records.map(|(key, content)| (key, Zeroizing::new(content))).collect())
    }

    fn with_device(&mut self, act: impl FnOnce(&mut Device)) -> bool {
        self.used = true;
        self.device.as_mut().map(act).is_some()
    }

    fn parts(&mut self) -> (&mut Option<Device>, Platform<'_>) {
        let platform = Platform {
            entropy: &mut self.entropy,
            provider: &*self.provider,
            clock: &self.clock,
            store: &mut self.store,
            presence: self.presence,
        };
        (&mut self.device, platform)
    }
}

/// The store behind a door for the device's writes.
struct Guarded {
    store: Box<dyn Store + Send>,
    access: StoreAccess,
}

impl Store for Guarded {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        self.store.load()
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.store.commit(changes)
    }

    fn is_available(&self) -> bool {
        self.access == StoreAccess::Granted && self.store.is_available()
    }
}

/// What a device answers that has no power.
pub(crate) fn failure() -> Vec<u8> {
    FAILURE.to_vec()
}

/// An appliance that several connections use in turn.
pub(crate) type Shared = Mutex<Appliance>;

/// Takes the turn. A thread that panicked with it has left the device without
/// power, which is a state like any other.
pub(crate) fn turn(shared: &Shared) -> MutexGuard<'_, Appliance> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
