//! The device: powered on, it takes commands.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use thiserror::Error;
use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::random::RandomStream;

use crate::execute::{execute, refusal};
use crate::machine::{CONTEXT_HASH, Machine, State};
use crate::platform::{Change, EntropyError, Platform, StoreError};
use crate::response_code::ResponseCode;
use crate::state::audit::CommandAudit;
use crate::state::hierarchy::{
    Authorization, Hierarchies, PersistentHierarchies, SEED_SIZE, Seed, VolatileHierarchies,
};
use crate::state::launch::Launch;
use crate::state::lockout::{Guard, Lockout};
use crate::state::nv::{NvIndex, NvStore};
use crate::state::object::{Object, Objects};
use crate::state::pcr::{BANKS, PcrBanks};
use crate::state::record::{CORE, Core, VERSION};
use crate::state::session::Sessions;
use crate::state::time::{CLOCK_STEP_MS, Time};
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::{List, Optional16};
use crate::wire::handle::HandleType;
use crate::wire::pcr::{PCR_COUNT, PcrSelection};

/// TPM_CC_SetCommandCodeAuditStatus, audited from the factory on.
const SET_AUDIT_STATUS: u32 = 0x140;

/// Commands after which a shutdown still counts: they change nothing.
const HARMLESS: [u32; 5] = [0x145, 0x17A, 0x17C, 0x17E, 0x181];

/// A TPM 2.0.
#[derive(Debug)]
pub struct Device {
    pub(crate) state: State,
    /// The core record as it was last stored.
    stored: Vec<u8>,
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
    #[error(
        "the state has version {found}, this device knows {VERSION}: use newer code, which reads both"
    )]
    Newer {
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
}

impl Device {
    /// Makes a new device in an empty store: fresh seeds, all banks of PCRs.
    ///
    /// # Errors
    ///
    /// [`PowerOnError::Occupied`] if there is something in the store;
    /// [`PowerOnError::Store`], [`PowerOnError::Entropy`] if these failed.
    pub fn manufacture(platform: &mut Platform<'_>) -> Result<(), PowerOnError> {
        if !platform.store.load()?.is_empty() {
            return Err(PowerOnError::Occupied);
        }
        let mut random = seeded(platform)?;
        let mut seed = || -> Result<Seed, PowerOnError> {
            let mut bytes = vec![0; SEED_SIZE];
            random.fill(&mut bytes).map_err(|_| EntropyError)?;
            Ok(Seed::new(bytes))
        };
        let hierarchies = PersistentHierarchies {
            platform_seed: seed()?,
            owner_seed: seed()?,
            endorsement_seed: seed()?,
            platform_proof: seed()?,
            owner_proof: seed()?,
            endorsement_proof: seed()?,
            owner: Authorization::EMPTY,
            endorsement: Authorization::EMPTY,
            lockout: Authorization::EMPTY,
            disable_clear: false,
        };
        let all = BANKS.into_iter().map(|bank| PcrSelection { bank, pcrs: (1 << PCR_COUNT) - 1 });
        let core = Core {
            version: VERSION,
            hierarchies,
            lockout: Lockout::DEFAULT,
            allocation: List(all.collect()),
            audit_hash: CONTEXT_HASH,
            audit_commands: List(vec![SET_AUDIT_STATUS]),
            audit_counter: 0,
            clock_limit: 0,
            clock: 0,
            reset_count: 0,
            highest_nv_counter: 0,
            shutdown: None,
            saved: Optional16(None),
        };
        platform.store.commit(&[Change { key: CORE, content: Some(core.to_bytes()) }])?;
        Ok(())
    }

    /// Powers the device in the store on. It then waits for `TPM2_Startup`.
    ///
    /// # Errors
    ///
    /// [`PowerOnError`]: the store or the entropy failed, or the state is not
    /// one that can be used.
    pub fn power_on(platform: &mut Platform<'_>) -> Result<Self, PowerOnError> {
        let mut core = None;
        let mut indices = BTreeMap::new();
        let mut objects = BTreeMap::new();
        for (key, content) in platform.store.load()? {
            let damaged = |_| PowerOnError::Damaged { key };
            if key == CORE {
                let found = u32::read(&mut Reader::new(&content)).map_err(damaged)?;
                if found > VERSION {
                    return Err(PowerOnError::Newer { found });
                }
                core = Some((Core::from_bytes(&content).map_err(damaged)?, content));
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
        let (core, stored) = core.ok_or(PowerOnError::Empty)?;
        let random = seeded(platform)?;
        Ok(Self {
            state: state_of(core, indices, objects, random, platform.clock.now_ms()),
            stored,
        })
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
        let mut machine = Machine { state: &mut self.state, platform };
        let now_ms = machine.platform.clock.now_ms();
        machine.state.time.advance(now_ms);
        let time = machine.state.time.time;
        machine.state.guard.heal(time);
        let before = machine.state.shutdown;
        let response = execute(&mut machine, locality, command);
        let code = command.get(6..10).and_then(|bytes| u32::from_bytes(bytes).ok());
        if before.is_some() && !code.is_some_and(|code| HARMLESS.contains(&code)) {
            machine.state.shutdown = None;
            machine.state.saved = None;
        }
        match self.commit(platform) {
            Ok(()) => response,
            Err(StoreError) => {
                refusal(&mut Machine { state: &mut self.state, platform }, ResponseCode::FAILURE)
            }
        }
    }

    /// Stores what changed, all of it or nothing.
    fn commit(&mut self, platform: &mut Platform<'_>) -> Result<(), StoreError> {
        if self.state.failed {
            return Ok(());
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
        let due = self.state.time.clock >= self.state.clock_limit;
        if due {
            self.state.clock_limit =
                (self.state.time.clock / CLOCK_STEP_MS + 1).saturating_mul(CLOCK_STEP_MS);
        }
        let mut core = core_of(&self.state);
        let last = Core::from_bytes(&self.stored).map_err(|_| StoreError)?;
        // The clock alone is no reason to write: `clock_limit` bounds it.
        let clock = core.clock;
        core.clock = last.clock;
        if core != last {
            core.clock = clock;
            let content = core.to_bytes();
            self.stored.clone_from(&content);
            changes.push(Change { key: CORE, content: Some(content) });
        }
        if changes.is_empty() { Ok(()) } else { platform.store.commit(&changes) }
    }
}

fn seeded(platform: &mut Platform<'_>) -> Result<HmacDrbg, EntropyError> {
    let mut entropy = [0; 64];
    platform.entropy.fill(&mut entropy)?;
    let random = HmacDrbg::new(HashAlgorithm::Sha256, &[&entropy]);
    zeroize::Zeroize::zeroize(&mut entropy);
    Ok(random)
}

fn state_of(
    core: Core,
    indices: BTreeMap<u32, NvIndex>,
    objects: BTreeMap<u32, Object>,
    random: HmacDrbg,
    power_on_ms: u64,
) -> State {
    State {
        started: false,
        failed: false,
        shutdown: core.shutdown,
        saved: core.saved.0,
        orderly_start: false,
        hierarchies: Hierarchies {
            persistent: core.hierarchies,
            volatile: VolatileHierarchies::reset(),
            platform_enabled: true,
            null_seed: Seed::EMPTY,
            null_proof: Seed::EMPTY,
        },
        pcrs: PcrBanks::default(),
        launch: Launch::default(),
        allocation: core.allocation,
        time: Time {
            power_on_ms,
            clock: core.clock,
            reset_count: core.reset_count,
            ..Time::default()
        },
        clock_limit: core.clock_limit,
        guard: Guard { stored: core.lockout, healed_ms: 0, lockout_failed_ms: 0 },
        audit: CommandAudit {
            hash: core.audit_hash,
            commands: core.audit_commands.0.into_iter().collect::<BTreeSet<u32>>(),
            counter: core.audit_counter,
            digest: Vec::new(),
        },
        sessions: Sessions::default(),
        sequences: BTreeMap::new(),
        objects: Objects::new(objects),
        nv: NvStore::new(indices, core.highest_nv_counter),
        random,
    }
}

fn core_of(state: &State) -> Core {
    Core {
        version: VERSION,
        hierarchies: state.hierarchies.persistent.clone(),
        lockout: state.guard.stored.clone(),
        allocation: state.allocation.clone(),
        audit_hash: state.audit.hash,
        audit_commands: List(state.audit.commands.iter().copied().collect()),
        audit_counter: state.audit.counter,
        clock_limit: state.clock_limit,
        clock: state.time.clock,
        reset_count: state.time.reset_count,
        highest_nv_counter: state.nv.highest_counter,
        shutdown: state.shutdown,
        saved: Optional16(state.saved.clone()),
    }
}
