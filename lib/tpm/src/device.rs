//! The device: powered on, it takes commands.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use thiserror::Error;
use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hash::HashAlgorithm;

use crate::endorsement::{EndorsementKey, EndorsementTemplate};
use crate::execute::{answer_vendor, execute, refusal};
use crate::machine::{Machine, State};
use crate::new_object::primary;
use crate::platform::{Change, EntropyError, Platform, StoreError};
use crate::records::{core_of, is_core_of, new_core, state_of};
use crate::response_code::ResponseCode;
use crate::resumption::{digest_of, resume, volatile_of};
use crate::state::nv::NvIndex;
use crate::state::object::Object;
use crate::state::record::{CORE, Core, VERSION};
use crate::state::time::CLOCK_STEP_MS;
use crate::state::timer::SavedTimers;
use crate::state::volatile::{VOLATILE_RECORD, VOLATILE_VERSION, Volatile};
use crate::vendor::{VendorCommands, vendor_command};
use crate::wire::algorithm::Hash;
use crate::wire::bits::NvAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::handle::{ENDORSEMENT, HandleType};
use crate::wire::nv::{MAX_NV_INDEX_SIZE, NvPublic};
use crate::wire::sensitive::SensitiveCreate;
use crate::wire::structure::Digest;

/// Commands after which a shutdown still counts: they change nothing, unless they
/// are audited.
const HARMLESS: [u32; 5] = [0x145, 0x17A, 0x17C, 0x17E, 0x181];

/// A TPM 2.0.
#[derive(Debug)]
pub struct Device {
    pub(crate) state: State,
    /// The core record as it was last stored.
    stored: Core,
    /// The volatile record is in the store.
    kept: bool,
}

/// Why a device could not be made or powered on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PowerOnError {
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// See there.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// There is no device in the store.
    #[error("the store is empty: manufacture a device first")]
    Empty,
    /// There is a device in the store already.
    #[error("the store holds a device already: use an empty one, or power on what is there")]
    Occupied,
    /// The state was written by newer code.
    #[error("the state has version {found}, this device knows {VERSION}: use newer code")]
    Newer {
        /// The version found.
        found: u32,
    },
    /// The state was written by older code, which derived other keys from its
    /// seeds.
    #[error(
        "the state has version {found}, and from version {VERSION} on other RSA keys are derived from the same seeds: use the code that wrote it, or manufacture a new device"
    )]
    Older {
        /// The version found.
        found: u32,
    },
    /// The state cannot be read.
    #[error(
        "record {key:#010x} of the state is damaged: restore it from where the store keeps copies"
    )]
    Damaged {
        /// The record's key.
        key: u32,
    },
    /// The volatile record was written by other code.
    #[error(
        "the volatile state has version {found}, this device knows {VOLATILE_VERSION}: use the code that wrote it, or remove record {VOLATILE_RECORD} and start up anew"
    )]
    OtherVolatile {
        /// The version found.
        found: u32,
    },
    /// The volatile record belongs to other records.
    #[error(
        "the volatile state belongs to another permanent state: take both from one moment, or remove record {VOLATILE_RECORD} and start up anew"
    )]
    Unrelated,
}

/// Why something was not stored in an NV index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProvisionError {
    /// The number is not that of an NV index.
    #[error("{found:#010x} is no NV index: those lie from 0x01000000 to 0x01ffffff")]
    NoIndex {
        /// What was given.
        found: u32,
    },
    /// The content is larger than an index can be.
    #[error("an NV index holds {MAX_NV_INDEX_SIZE} bytes, not {found}")]
    TooLarge {
        /// What was given, in bytes.
        found: usize,
    },
    /// There is no room.
    #[error("the device has no room for this NV index: remove others")]
    Full,
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Device {
    /// Makes a new device in an empty store: fresh seeds, all banks of PCRs.
    ///
    /// # Errors
    ///
    /// [`PowerOnError::Occupied`] if there is something in the store;
    /// [`PowerOnError::Store`], [`PowerOnError::Entropy`] if these failed.
    pub fn manufacture(platform: &mut Platform<'_>) -> Result<(), PowerOnError> {
        Self::make(platform, None)
    }

    /// As [`manufacture`](Self::manufacture), with this endorsement seed: the same
    /// seed gives the same endorsement keys. All else is fresh.
    ///
    /// # Errors
    ///
    /// As [`manufacture`](Self::manufacture).
    pub fn manufacture_with_seed(
        platform: &mut Platform<'_>,
        endorsement_seed: &[u8; 64],
    ) -> Result<(), PowerOnError> {
        Self::make(platform, Some(endorsement_seed))
    }

    fn make(
        platform: &mut Platform<'_>,
        endorsement_seed: Option<&[u8; 64]>,
    ) -> Result<(), PowerOnError> {
        if !platform.store.load()?.is_empty() {
            return Err(PowerOnError::Occupied);
        }
        let mut random = seeded(platform)?;
        let core = new_core(&mut random, endorsement_seed).map_err(|_| EntropyError)?;
        platform.store.commit(&[Change { key: CORE, content: Some(core.to_bytes()) }])?;
        Ok(())
    }

    /// The endorsement key that `TPM2_CreatePrimary` makes from `template`, for
    /// whoever issues its certificate. Needs no start.
    ///
    /// # Errors
    ///
    /// The code that `TPM2_CreatePrimary` would answer with; with the templates
    /// here and working entropy there is none.
    pub fn endorsement_key(
        &mut self,
        platform: &mut Platform<'_>,
        template: &EndorsementTemplate,
    ) -> Result<EndorsementKey, ResponseCode> {
        let machine = Machine { state: &mut self.state, platform };
        let nothing = SensitiveCreate { auth: Digest::EMPTY, data: Buffer::EMPTY };
        let object = primary(&machine, ENDORSEMENT, template.public(), &nothing)?;
        EndorsementKey::of(&object.public).ok_or(ResponseCode::TYPE)
    }

    /// Stores `content` in the NV index `index` as a manufacturer does: anyone can
    /// read it, the platform can change it, and clearing leaves it. What was there
    /// before is replaced. Needs no start.
    ///
    /// # Errors
    ///
    /// [`ProvisionError`]; nothing is changed then.
    pub fn provision(
        &mut self,
        platform: &mut Platform<'_>,
        index: u32,
        content: &[u8],
    ) -> Result<(), ProvisionError> {
        let index = provisioned(index, content)?;
        let before = self.state.nv.get(index.public.index).cloned();
        self.state.nv.undefine(index.public.index);
        if self.state.nv.define(index).is_err() {
            // What was there before fits again.
            before.map(|before| self.state.nv.define(before));
            return Err(ProvisionError::Full);
        }
        let changes = self.changes();
        Ok(platform.store.commit(&changes)?)
    }

    /// Powers the device in the store on. It then waits for `TPM2_Startup`; or, if
    /// its volatile state is in the store, goes on with that, which is removed
    /// from the store: it counts once.
    ///
    /// # Errors
    ///
    /// [`PowerOnError`]: the store or the entropy failed, or the state is not
    /// one that can be used.
    pub fn power_on(platform: &mut Platform<'_>) -> Result<Self, PowerOnError> {
        let mut core = None;
        let mut indices = BTreeMap::new();
        let mut objects = BTreeMap::new();
        let records = platform.store.load()?;
        let digest = digest_of(&records);
        let mut volatile = None;
        for (key, content) in records {
            let damaged = |_| PowerOnError::Damaged { key };
            if key == VOLATILE_RECORD {
                volatile = Some(read_volatile(&content, &digest)?);
            } else if key == CORE {
                let found = u32::read(&mut Reader::new(&content)).map_err(damaged)?;
                if found > VERSION {
                    return Err(PowerOnError::Newer { found });
                }
                if found < VERSION {
                    return Err(PowerOnError::Older { found });
                }
                core = Some(Core::from_bytes(&content).map_err(damaged)?);
            } else if HandleType::of(key) == Some(HandleType::Persistent) {
                let object = Object::from_bytes(&content).map_err(damaged)?;
                objects.insert(key, object);
            } else {
                let index = NvIndex::from_bytes(&content).map_err(damaged)?;
                let right = index.public.index == key;
                if !right || HandleType::of(key) != Some(HandleType::NvIndex) {
                    return Err(PowerOnError::Damaged { key });
                }
                indices.insert(key, index);
            }
        }
        let core = core.ok_or(PowerOnError::Empty)?;
        let stored = core.clone();
        let random = seeded(platform)?;
        let mut state = state_of(core, indices, objects, random, platform.clock.now_ms());
        if let Some(volatile) = volatile {
            resume(&mut state, volatile)
                .map_err(|_| PowerOnError::Damaged { key: VOLATILE_RECORD })?;
            platform.store.commit(&[Change { key: VOLATILE_RECORD, content: None }])?;
        }
        Ok(Self { state, stored, kept: false })
    }

    /// All that the device knows and the store does not have: what
    /// [`VOLATILE_RECORD`] has to hold for [`power_on`](Self::power_on) to go on
    /// from here. It holds secrets.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the other records cannot be read.
    pub fn volatile_state(&mut self, platform: &mut Platform<'_>) -> Result<Vec<u8>, StoreError> {
        self.pass_time(platform);
        let records = digest_of(&platform.store.load()?);
        Ok(volatile_of(&self.state, records).to_bytes())
    }

    /// Puts the volatile state into the store, so that the next
    /// [`power_on`](Self::power_on) goes on from here. The next command removes
    /// it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn keep_volatile_state(&mut self, platform: &mut Platform<'_>) -> Result<(), StoreError> {
        let content = Some(self.volatile_state(platform)?);
        platform.store.commit(&[Change { key: VOLATILE_RECORD, content }])?;
        self.kept = true;
        Ok(())
    }

    /// Lets time pass up to the platform's.
    fn pass_time(&mut self, platform: &Platform<'_>) {
        let State { time, timers, .. } = &mut self.state;
        time.advance(platform.clock.now_ms());
        timers.advance(time.time);
    }

    /// Executes a command from `locality` (0–4, or 32–255) and gives the
    /// response, at most 4096 bytes. Bytes that are no command are answered with
    /// an error. What the command makes persistent is stored before this
    /// returns; if that fails, the answer is failure, and stays so until the
    /// device is powered on again.
    #[must_use]
    pub fn execute(
        &mut self,
        platform: &mut Platform<'_>,
        locality: u8,
        command: &[u8],
    ) -> Vec<u8> {
        self.pass_time(platform);
        let before = (!platform.store.is_available())
            .then(|| (self.state.clone(), self.stored.clone(), self.kept));
        let mut machine = Machine { state: &mut self.state, platform };
        if before.is_none() {
            // What it heals is stored.
            machine.state.guard.heal(machine.state.time.time);
        }
        // Before the start everything but the start is refused.
        let shutdown = machine.state.shutdown.filter(|_| machine.state.started);
        let response = execute(&mut machine, locality, command);
        let code = command.get(6..10).and_then(|bytes| u32::from_bytes(bytes).ok());
        let audited = &machine.state.audit.commands;
        let harmless =
            code.is_some_and(|code| HARMLESS.contains(&code) && !audited.contains(&code));
        if shutdown.is_some() && !harmless {
            machine.state.shutdown = None;
            machine.state.saved = None;
            machine.state.saved_timers = SavedTimers::EMPTY;
        }
        let changes = self.changes();
        if changes.is_empty() {
            return response;
        }
        let code = if let Some(before) = before {
            // As if it had not come [Part 2 §6.6.3].
            (self.state, self.stored, self.kept) = before;
            ResponseCode::NV_UNAVAILABLE
        } else if platform.store.commit(&changes).is_ok() {
            return response;
        } else {
            ResponseCode::FAILURE
        };
        refusal(&mut Machine { state: &mut self.state, platform }, code)
    }

    /// As [`execute`](Self::execute), with commands of the vendor's own: those
    /// whose code has bit 29 set go to `vendor`.
    #[must_use]
    pub fn execute_with(
        &mut self,
        platform: &mut Platform<'_>,
        locality: u8,
        command: &[u8],
        vendor: &mut dyn VendorCommands,
    ) -> Vec<u8> {
        match vendor_command(command) {
            Some((code, parameters)) => {
                let mut machine = Machine { state: &mut self.state, platform };
                answer_vendor(&mut machine, vendor, code, parameters)
            }
            None => self.execute(platform, locality, command),
        }
    }

    /// What has changed since it was asked for last, to be stored at once.
    fn changes(&mut self) -> Vec<Change> {
        if self.state.failed {
            return Vec::new();
        }
        let mut changes: Vec<Change> = self
            .state
            .nv
            .take_changed()
            .into_iter()
            .map(|(key, index)| Change { key, content: index.map(Wire::to_bytes) })
            .collect();
        changes.extend(
            self.state
                .objects
                .take_changed()
                .into_iter()
                .map(|(key, object)| Change { key, content: object.map(Wire::to_bytes) }),
        );
        if core::mem::take(&mut self.kept) {
            changes.push(Change { key: VOLATILE_RECORD, content: None });
        }
        // Before the start nobody is told the clock, so that what is stored while a
        // device is made does not make its first clock unsafe [Part 2 §10.11.1].
        // After a shutdown in order, the clock as it was then is what counts.
        let due = self.state.started
            && self.state.shutdown.is_none()
            && self.state.time.clock >= self.state.clock_limit;
        if due {
            self.state.clock_limit =
                (self.state.time.clock / CLOCK_STEP_MS + 1).saturating_mul(CLOCK_STEP_MS);
        }
        // The clock alone is no reason to write: `clock_limit` bounds it.
        if !is_core_of(&self.stored, &self.state) {
            self.stored = core_of(&self.state);
            changes.push(Change { key: CORE, content: Some(self.stored.to_bytes()) });
        }
        changes
    }
}

/// The volatile record in these bytes, if it belongs to records with this digest.
fn read_volatile(content: &[u8], records: &Digest) -> Result<Volatile, PowerOnError> {
    let damaged = |_| PowerOnError::Damaged { key: VOLATILE_RECORD };
    let found = u32::read(&mut Reader::new(content)).map_err(damaged)?;
    if found != VOLATILE_VERSION {
        return Err(PowerOnError::OtherVolatile { found });
    }
    let volatile = Volatile::from_bytes(content).map_err(damaged)?;
    if volatile.records == *records { Ok(volatile) } else { Err(PowerOnError::Unrelated) }
}

fn seeded(platform: &mut Platform<'_>) -> Result<HmacDrbg, EntropyError> {
    let mut entropy = [0; 64];
    platform.entropy.fill(&mut entropy)?;
    let random = HmacDrbg::new(HashAlgorithm::Sha256, &[&entropy]);
    zeroize::Zeroize::zeroize(&mut entropy);
    Ok(random)
}

/// An index with `content`, as a manufacturer makes it.
fn provisioned(index: u32, content: &[u8]) -> Result<NvIndex, ProvisionError> {
    let size = u16::try_from(content.len())
        .ok()
        .filter(|size| *size <= MAX_NV_INDEX_SIZE)
        .ok_or(ProvisionError::TooLarge { found: content.len() })?;
    if HandleType::of(index) != Some(HandleType::NvIndex) {
        return Err(ProvisionError::NoIndex { found: index });
    }
    let public = NvPublic {
        index,
        name_hash: Hash::Sha256,
        attributes: NvAttributes::PPWRITE
            | NvAttributes::WRITEDEFINE
            | NvAttributes::PPREAD
            | NvAttributes::OWNERREAD
            | NvAttributes::AUTHREAD
            | NvAttributes::NO_DA
            | NvAttributes::WRITTEN
            | NvAttributes::PLATFORMCREATE,
        policy: Digest::EMPTY,
        size,
    };
    Ok(NvIndex { public, auth: Digest::EMPTY, data: Buffer::new(content) })
}
