//! Sessions [Part 1 §17–19].

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::{Hash, SessionType};
use crate::wire::handle::{FIRST_HMAC_SESSION, FIRST_POLICY_SESSION};
use crate::wire::structure::{Digest, Name};
use crate::wire::symmetric::SymmetricDefinition;
use tpm_crypto::secret::Secret;

/// Sessions that can be loaded at a time.
pub(crate) const MAX_LOADED: usize = 3;
/// Sessions that can exist at a time, loaded or saved.
pub(crate) const MAX_ACTIVE: u32 = 64;

/// One session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) kind: SessionType,
    pub(crate) hash: Hash,
    pub(crate) symmetric: SymmetricDefinition,
    /// From salt and the bound entity's authorization; may be empty.
    pub(crate) key: Secret,
    pub(crate) nonce_tpm: Digest,
    /// Whom it is bound to: name and authorization value at the start.
    pub(crate) bound: Option<(Name, Digest)>,
    /// What a wrong HMAC says about the bound entity's authorization.
    pub(crate) guarding: Guarding,
    /// The audit digest, once the session was used for audit.
    pub(crate) audit: Option<Vec<u8>>,
    /// The device's time at the start, in ms.
    pub(crate) start_ms: u64,
    pub(crate) policy: Policy,
}

/// Whether wrong guesses of an authorization value count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guarding {
    /// They do not.
    Exempt,
    /// They count, and none are taken when there were too many.
    Guarded,
    /// One locks the lockout authorization itself out.
    Lockout,
}

/// What a policy session has gathered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) digest: Digest,
    pub(crate) command: Option<u32>,
    pub(crate) bound_to: Option<BoundTo>,
    /// Localities allowed; zero: not restricted. From 32 on it is one locality.
    pub(crate) locality: u8,
    /// The PCR counter at `TPM2_PolicyPCR`.
    pub(crate) pcr_counter: Option<u32>,
    /// The device's time at which it expires, in ms.
    pub(crate) expires_ms: Option<u64>,
    pub(crate) value: ValueNeeded,
    pub(crate) presence_needed: bool,
    pub(crate) nv_written: Option<bool>,
}

/// What besides the policy has to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueNeeded {
    Nothing,
    /// The authorization value in the HMAC.
    InHmac,
    /// The authorization value as it is.
    Password,
}

/// What a policy is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BoundTo {
    /// Command parameters.
    Parameters(Digest),
    /// Names of the handles.
    Names(Digest),
    /// The template of an object.
    Template(Digest),
}

impl Policy {
    /// A policy to which nothing was said.
    pub(crate) fn empty(hash: Hash) -> Self {
        Self {
            digest: Digest::new(alloc::vec![0; hash.size()]),
            command: None,
            bound_to: None,
            locality: 0,
            pcr_counter: None,
            expires_ms: None,
            value: ValueNeeded::Nothing,
            presence_needed: false,
            nv_written: None,
        }
    }
}

impl Session {
    /// Whether it is bound to the entity that has this name and value now.
    pub(crate) fn is_bound_to(&self, name: &Name, auth: &Digest) -> bool {
        self.bound.as_ref().is_some_and(|(bound_name, bound_auth)| {
            bound_name == name && tpm_crypto::secret::equal(bound_auth, auth)
        })
    }
}

/// All sessions, by the lower bytes of their handles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    loaded: BTreeMap<u32, Session>,
    /// The audit session whose digest covers every command since its start.
    pub(crate) exclusive: Option<u32>,
}

impl Sessions {
    /// The session with this handle, if it is loaded and of the handle's kind.
    pub(crate) fn get(&self, handle: u32) -> Option<&Session> {
        let session = self.loaded.get(&(handle & 0x00FF_FFFF))?;
        (Self::handle_of(session.kind, handle) == handle).then_some(session)
    }

    /// Whether the session with this handle is loaded.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::REFERENCE_H0`] if none with its number is,
    /// [`ResponseCode::HANDLE`] if that is of the other kind.
    pub(crate) fn check(&self, handle: u32) -> Result<(), ResponseCode> {
        if !self.loaded.contains_key(&(handle & 0x00FF_FFFF)) {
            return Err(ResponseCode::REFERENCE_H0);
        }
        self.get(handle).map(|_| ()).ok_or(ResponseCode::HANDLE)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut Session> {
        let session = self.loaded.get_mut(&(handle & 0x00FF_FFFF))?;
        (Self::handle_of(session.kind, handle) == handle).then_some(session)
    }

    /// Adds a session and gives its handle.
    pub(crate) fn add(&mut self, session: Session) -> Result<u32, ResponseCode> {
        if self.loaded.len() >= MAX_LOADED {
            return Err(ResponseCode::SESSION_MEMORY);
        }
        let number = (0..MAX_ACTIVE)
            .find(|number| !self.loaded.contains_key(number))
            .ok_or(ResponseCode::SESSION_HANDLES)?;
        let handle = Self::handle_of(session.kind, number);
        self.loaded.insert(number, session);
        Ok(handle)
    }

    /// Ends the session with this handle's number, of whichever kind; none if
    /// there is none.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<Session> {
        let number = handle & 0x00FF_FFFF;
        if self.exclusive.is_some_and(|exclusive| exclusive & 0x00FF_FFFF == number) {
            self.exclusive = None;
        }
        self.loaded.remove(&number)
    }

    /// The handles of all loaded sessions, ascending by number.
    pub(crate) fn handles(&self) -> impl Iterator<Item = u32> {
        self.loaded.iter().map(|(number, session)| Self::handle_of(session.kind, *number))
    }

    const fn handle_of(kind: SessionType, number: u32) -> u32 {
        let first = match kind {
            SessionType::Hmac => FIRST_HMAC_SESSION,
            SessionType::Policy | SessionType::Trial => FIRST_POLICY_SESSION,
        };
        first | (number & 0x00FF_FFFF)
    }
}
