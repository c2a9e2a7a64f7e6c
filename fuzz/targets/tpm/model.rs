//! Which handles a TPM has, as its commands' effects say: what
//! `TPM2_GetCapability` must list.

use std::collections::{BTreeMap, BTreeSet};

use tpm::Device;

use crate::surroundings::{Surroundings, execute};

pub const OWNER: u32 = 0x4000_0001;
pub const NULL: u32 = 0x4000_0007;
pub const LOCKOUT: u32 = 0x4000_000A;
pub const ENDORSEMENT: u32 = 0x4000_000B;
pub const PLATFORM: u32 = 0x4000_000C;

/// Objects and sequences that fit.
const MOST_OBJECTS: usize = 3;
/// Sessions that can be loaded.
const MOST_SESSIONS: usize = 3;

/// What a transient handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transient {
    Object { hierarchy: u32 },
    Sequence,
}

/// A context that was saved. A session's counts once, an object's until its
/// hierarchy is gone.
#[derive(Clone)]
pub struct Saved {
    pub bytes: Vec<u8>,
    pub what: Entity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    Transient(Transient),
    Session(u32),
}

/// All handles.
#[derive(Clone, Default)]
pub struct Model {
    pub transient: BTreeMap<u32, Transient>,
    /// And the hierarchy of each.
    pub persistent: BTreeMap<u32, u32>,
    pub loaded_sessions: BTreeSet<u32>,
    pub saved_sessions: BTreeSet<u32>,
    /// NV indices, and whether each is the platform's.
    pub indices: BTreeMap<u32, bool>,
    pub contexts: Vec<Saved>,
}

impl Model {
    /// One more object or sequence, which must have fitted.
    pub fn add(&mut self, handle: u32, what: Transient) {
        assert!(self.transient.len() < MOST_OBJECTS, "more objects than fit");
        assert_eq!(self.transient.insert(handle, what), None, "{handle:x} was in use");
    }

    /// One more session, which must have fitted.
    pub fn add_session(&mut self, handle: u32) {
        assert!(self.loaded_sessions.len() < MOST_SESSIONS, "more sessions than fit");
        let number = handle & 0x00FF_FFFF;
        let taken = |other: &u32| other & 0x00FF_FFFF == number;
        assert!(!self.loaded_sessions.iter().any(taken), "{handle:x} was in use");
        self.loaded_sessions.insert(handle);
    }

    /// What `TPM2_Clear` leaves: nothing of owner and endorsement.
    pub fn clear(&mut self) {
        let gone = |hierarchy: u32| matches!(hierarchy, OWNER | ENDORSEMENT);
        self.transient
            .retain(|_, what| !matches!(what, Transient::Object { hierarchy } if gone(*hierarchy)));
        self.persistent.retain(|_, hierarchy| !gone(*hierarchy));
        self.indices.retain(|_, platform| *platform);
    }

    /// What a loss of power leaves, after an orderly shutdown with state or not.
    pub fn power_cycle(&mut self, with_state: bool) {
        self.transient.clear();
        self.loaded_sessions.clear();
        if !with_state {
            self.saved_sessions.clear();
        }
    }

    /// Compares with what the device lists.
    pub fn check(&self, device: &mut Device, surroundings: &mut Surroundings) {
        let mut list = |first| handles(device, surroundings, first);
        assert_eq!(list(0x8000_0000), self.transient.keys().copied().collect::<Vec<_>>());
        assert_eq!(list(0x8100_0000), self.persistent.keys().copied().collect::<Vec<_>>());
        assert_eq!(list(0x0100_0000), self.indices.keys().copied().collect::<Vec<_>>());
        let numbers = |handles: &[u32]| -> BTreeSet<u32> {
            handles.iter().map(|handle| handle & 0x00FF_FFFF).collect()
        };
        let loaded: Vec<u32> = self.loaded_sessions.iter().copied().collect();
        assert_eq!(numbers(&list(0x0200_0000)), numbers(&loaded));
        let saved: Vec<u32> = self.saved_sessions.iter().copied().collect();
        assert_eq!(numbers(&list(0x0300_0000)), numbers(&saved));
    }

    /// Believes the device, after a command whose effect nobody knows; contexts are
    /// forgotten. Whether there is nothing new, of which nobody knows what it is.
    pub fn adopt(&mut self, device: &mut Device, surroundings: &mut Surroundings) -> bool {
        let mut list =
            |first| -> BTreeSet<u32> { handles(device, surroundings, first).into_iter().collect() };
        let [transient, persistent, indices, loaded, saved] =
            [0x8000_0000, 0x8100_0000, 0x0100_0000, 0x0200_0000, 0x0300_0000].map(&mut list);
        self.contexts.clear();
        self.transient.retain(|handle, _| transient.contains(handle));
        self.persistent.retain(|handle, _| persistent.contains(handle));
        self.indices.retain(|handle, _| indices.contains(handle));
        let is_known = self.transient.len() == transient.len()
            && self.persistent.len() == persistent.len()
            && self.indices.len() == indices.len();
        self.loaded_sessions = loaded;
        self.saved_sessions = saved;
        is_known
    }
}

/// The handles that `TPM2_GetCapability` lists from `first` on.
fn handles(device: &mut Device, surroundings: &mut Surroundings, first: u32) -> Vec<u32> {
    let header = [0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7A, 0, 0, 0, 1];
    let command = [&header[..], &first.to_be_bytes(), &[0, 0, 1, 0]].concat();
    let response = execute(device, surroundings, 0, &command);
    assert_eq!(response[6..11], [0; 5], "all handles are listed at once");
    let handles = response[19..].chunks_exact(4);
    handles.map(|bytes| u32::from_be_bytes(bytes.try_into().expect("four"))).collect()
}
