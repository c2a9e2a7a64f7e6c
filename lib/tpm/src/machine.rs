//! The state and the platform together: what handlers work on.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hmac::Hmac;
use tpm_crypto::random::RandomStream;

use crate::platform::Platform;
use crate::response_code::ResponseCode;
use crate::state::audit::CommandAudit;
use crate::state::commitment::Commitments;
use crate::state::hierarchy::{Authorization, Hierarchies, SEED_SIZE, Seed};
use crate::state::launch::{Launch, Root};
use crate::state::lockout::Guard;
use crate::state::nv::NvStore;
use crate::state::object::{MAX_LOADED_OBJECTS, Object, Objects};
use crate::state::pcr::{PcrBanks, PcrGuard, is_guarded};
use crate::state::record::{Ending, Saved};
use crate::state::sequence::Sequence;
use crate::state::session::Session;
use crate::state::session_slots::Sessions;
use crate::state::time::Time;
use crate::state::timer::{SavedTimers, Timers};
use crate::wire::algorithm::Hash;
use crate::wire::containers::List;
use crate::wire::handle::{FIRST_TIMER, FIRST_TRANSIENT, HandleType, LAST_TIMER, VENDOR_ENTITIES};
use crate::wire::pcr::PcrSelection;
use crate::wire::structure::{Digest, Name, handle_name};
use crate::wire::ticket::Ticket;

/// The hash of names, tickets and integrity that no command chooses.
pub(crate) const CONTEXT_HASH: Hash = Hash::Sha512;

/// All that the device knows while it has power.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// `TPM2_Startup` was done.
    pub(crate) started: bool,
    /// The device failed; only power can help.
    pub(crate) failed: bool,
    /// How the last power cycle ended; how this one will, if it ended now.
    pub(crate) shutdown: Option<Ending>,
    pub(crate) saved: Option<Saved>,
    /// How this power cycle was started after an orderly shutdown.
    pub(crate) orderly_start: bool,
    pub(crate) hierarchies: Hierarchies,
    pub(crate) pcrs: PcrBanks,
    pub(crate) launch: Launch,
    /// What started the device.
    pub(crate) root: Root,
    /// The allocation from the next reset on.
    pub(crate) allocation: List<PcrSelection, 4>,
    pub(crate) time: Time,
    pub(crate) clock_limit: u64,
    pub(crate) guard: Guard,
    pub(crate) audit: CommandAudit,
    pub(crate) sessions: Sessions,
    pub(crate) sequences: BTreeMap<u32, Sequence>,
    pub(crate) objects: Objects,
    pub(crate) nv: NvStore,
    pub(crate) commitments: Commitments,
    pub(crate) timers: Timers,
    /// The timers as `saved` has them.
    pub(crate) saved_timers: SavedTimers,
    /// Counts contexts of objects that were saved.
    pub(crate) object_contexts: u64,
    /// What guards PCRs that can be guarded.
    pub(crate) pcr_guard: PcrGuard,
    /// Commands for which the platform's authorization needs presence too.
    pub(crate) presence_commands: BTreeSet<u32>,
    /// What `TPM2_SetAlgorithmSet` set.
    pub(crate) algorithm_set: u32,
    pub(crate) random: HmacDrbg,
}

/// State and platform.
pub(crate) struct Machine<'a, 'p> {
    pub(crate) state: &'a mut State,
    pub(crate) platform: &'a mut Platform<'p>,
}

impl Machine<'_, '_> {
    /// `count` random bytes.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::FAILURE`] without entropy; that ends the device's work.
    pub(crate) fn random(&mut self, count: usize) -> Result<Vec<u8>, ResponseCode> {
        let mut bytes = vec![0; count];
        self.state.random.fill(&mut bytes).map_err(|_| ResponseCode::FAILURE)?;
        Ok(bytes)
    }

    /// A random block, for an initialisation vector.
    ///
    /// # Errors
    ///
    /// As [`random`](Self::random).
    pub(crate) fn random_block(&mut self) -> Result<[u8; 16], ResponseCode> {
        let mut block = [0; 16];
        self.state.random.fill(&mut block).map_err(|_| ResponseCode::FAILURE)?;
        Ok(block)
    }

    /// A new seed or proof, from fresh entropy worked into the generator.
    pub(crate) fn new_seed(&mut self) -> Result<Seed, ResponseCode> {
        let mut entropy = Seed::new(vec![0; SEED_SIZE]).to_vec();
        self.platform.entropy.fill(&mut entropy).map_err(|_| ResponseCode::FAILURE)?;
        self.state.random.reseed(&[&entropy]);
        zeroize::Zeroize::zeroize(entropy.as_mut_slice());
        self.random(SEED_SIZE).map(Seed::new)
    }

    /// A handle for a new object or sequence.
    pub(crate) fn free_object_handle(&self) -> Result<u32, ResponseCode> {
        (FIRST_TRANSIENT..FIRST_TRANSIENT + MAX_LOADED_OBJECTS)
            .find(|handle| {
                !self.state.sequences.contains_key(handle)
                    && !self.state.objects.transient.contains_key(handle)
            })
            .ok_or(ResponseCode::OBJECT_MEMORY)
    }

    /// The object with handle `number` (from one) of a command.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::TYPE`] if the handle is a sequence's.
    pub(crate) fn object(&self, handle: u32, number: u32) -> Result<&Object, ResponseCode> {
        self.state.objects.get(handle).ok_or(ResponseCode::TYPE.handle(number))
    }

    /// Adds a transient object and gives its handle.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::OBJECT_MEMORY`].
    pub(crate) fn add_object(&mut self, object: Object) -> Result<u32, ResponseCode> {
        let handle = self.free_object_handle()?;
        self.state.objects.transient.insert(handle, object);
        Ok(handle)
    }

    /// The session with this handle, which was checked before.
    pub(crate) fn session(&mut self, handle: u32) -> &mut Session {
        self.state
            .sessions
            .get_mut(handle)
            .expect("handles of sessions are checked before a handler runs")
    }

    /// Whether `handle` names something that can be used now [Part 1 §15].
    ///
    /// # Errors
    ///
    /// The code for what is wrong, [`ResponseCode::REFERENCE_H0`] standing for
    /// "not loaded" whatever the position.
    pub(crate) fn check_reference(&self, handle: u32) -> Result<(), ResponseCode> {
        let state = &*self.state;
        match HandleType::of(handle) {
            Some(HandleType::Permanent) if (FIRST_TIMER..=LAST_TIMER).contains(&handle) => {
                state.timers.get(handle).map(|_| ()).ok_or(ResponseCode::VALUE)
            }
            Some(HandleType::Permanent) if VENDOR_ENTITIES.contains(&handle) => {
                Err(ResponseCode::VALUE)
            }
            Some(HandleType::Permanent) => {
                state.hierarchies.is_enabled(handle).then_some(()).ok_or(ResponseCode::HIERARCHY)
            }
            Some(HandleType::Pcr) => state
                .pcrs
                .allocation()
                .any(|bank| bank.pcrs != 0)
                .then_some(())
                .ok_or(ResponseCode::VALUE),
            Some(HandleType::NvIndex) => {
                let index = state.nv.get(handle).ok_or(ResponseCode::HANDLE)?;
                let platform = index
                    .public
                    .attributes
                    .contains(crate::wire::bits::NvAttributes::PLATFORMCREATE);
                let enabled = if platform {
                    state.hierarchies.volatile.platform_nv_enabled
                } else {
                    state.hierarchies.volatile.owner_enabled
                };
                enabled.then_some(()).ok_or(ResponseCode::HANDLE)
            }
            Some(HandleType::HmacSession | HandleType::PolicySession) => {
                state.sessions.check(handle)
            }
            Some(HandleType::Transient) => {
                let loaded = state.sequences.contains_key(&handle)
                    || state.objects.transient.contains_key(&handle);
                loaded.then_some(()).ok_or(ResponseCode::REFERENCE_H0)
            }
            Some(HandleType::Persistent) => {
                let object = state.objects.get(handle).ok_or(ResponseCode::HANDLE)?;
                state
                    .hierarchies
                    .is_enabled(object.hierarchy)
                    .then_some(())
                    .ok_or(ResponseCode::HANDLE)
            }
            None => Err(ResponseCode::VALUE),
        }
    }

    /// The name of an entity [Part 1 §16]. Sequences have none.
    pub(crate) fn name(&self, handle: u32) -> Name {
        match HandleType::of(handle) {
            Some(HandleType::NvIndex) => {
                self.state.nv.get(handle).map_or(Name::EMPTY, |index| index.public.name())
            }
            Some(HandleType::Transient | HandleType::Persistent) => {
                self.state.objects.get(handle).map_or(Name::EMPTY, Object::name)
            }
            _ => handle_name(handle),
        }
    }

    /// The authorization value of an entity; empty where there is none.
    pub(crate) fn auth_value(&self, handle: u32) -> Digest {
        if let Some(authorization) = self.state.hierarchies.authorization(handle) {
            return authorization.value.clone();
        }
        // Timers have the platform's value and policies of their own.
        if self.state.timers.get(handle).is_some() {
            return self.state.hierarchies.volatile.platform.value.clone();
        }
        if is_guarded(handle) {
            return self.state.pcr_guard.auth.clone();
        }
        if let Some(index) = self.state.nv.get(handle) {
            return index.auth.clone();
        }
        if let Some(object) = self.state.objects.get(handle) {
            return object
                .sensitive
                .0
                .as_ref()
                .map_or(Digest::EMPTY, |sensitive| sensitive.auth.clone());
        }
        self.state.sequences.get(&handle).map_or(Digest::EMPTY, |sequence| sequence.auth.clone())
    }

    /// The policy of an entity, if it has one.
    pub(crate) fn policy(&self, handle: u32) -> Option<(Hash, Digest)> {
        if let Some(Authorization { policy_hash, policy, .. }) =
            self.state.hierarchies.authorization(handle)
        {
            return policy_hash.map(|hash| (hash, policy.clone()));
        }
        if let Some(timer) = self.state.timers.get(handle) {
            return timer.policy_hash.map(|hash| (hash, timer.policy.clone()));
        }
        if is_guarded(handle) {
            let PcrGuard { policy_hash, policy, .. } = &self.state.pcr_guard;
            return policy_hash.map(|hash| (hash, policy.clone()));
        }
        if let Some(Object { public, .. }) = self.state.objects.get(handle) {
            let hash = public.name_hash.filter(|_| !public.policy.is_empty());
            return hash.map(|hash| (hash, public.policy.clone()));
        }
        let index = self.state.nv.get(handle)?;
        (!index.public.policy.is_empty())
            .then(|| (index.public.name_hash, index.public.policy.clone()))
    }

    /// A ticket of kind `tag` in `hierarchy`, over `parts` [Part 2 §10.7]. One of
    /// the null hierarchy holds until the next reset.
    pub(crate) fn ticket(&self, tag: u16, hierarchy: u32, parts: &[&[u8]]) -> Ticket {
        let mut hmac = Hmac::new(CONTEXT_HASH.algorithm(), self.state.hierarchies.proof(hierarchy));
        hmac.update(&tag.to_be_bytes());
        for part in parts {
            hmac.update(part);
        }
        Ticket { tag, hierarchy, digest: Digest::new(hmac.finish().as_bytes()) }
    }
}
