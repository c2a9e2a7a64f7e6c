//! All sessions: the loaded ones, and what is known of saved ones
//! [Part 1 §30.4].

use alloc::collections::BTreeMap;

use crate::response_code::ResponseCode;
use crate::state::session::Session;
use crate::wire::algorithm::SessionType;
use crate::wire::containers::List;
use crate::wire::handle::{FIRST_HMAC_SESSION, FIRST_POLICY_SESSION};
use crate::wire::macros::structures;

/// Sessions that can be loaded at a time.
pub(crate) const MAX_LOADED: usize = 3;
/// Sessions that can exist at a time, loaded or saved.
pub(crate) const MAX_ACTIVE: u32 = 64;

/// The lower bytes of a handle: the session's number.
const NUMBER: u32 = 0x00FF_FFFF;

structures! {
    /// A loaded session under its number, as the volatile record has it.
    LoadedSession {
        number: u32,
        session: Session,
    }

    /// All sessions, as the volatile record has them.
    SessionsRecord {
        loaded: List<LoadedSession, MAX_LOADED>,
        saved: List<SavedSession, { MAX_ACTIVE as usize }>,
        context_counter: u64,
        exclusive: Option<u32>,
    }

    /// A session whose context is outside. Only the context with this sequence
    /// number is taken back.
    SavedSession {
        number: u32,
        sequence: u64,
    }
}

/// All sessions, by their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    loaded: BTreeMap<u32, Session>,
    /// Sequence numbers of saved contexts.
    saved: BTreeMap<u32, u64>,
    /// The sequence number of the last context that was saved.
    pub(crate) context_counter: u64,
    /// The audit session whose digest covers every command since its start.
    pub(crate) exclusive: Option<u32>,
}

impl Sessions {
    /// Sessions that were saved before power was lost in order.
    pub(crate) fn with_saved(saved: &[SavedSession], context_counter: u64) -> Self {
        let saved = saved.iter().map(|session| (session.number, session.sequence)).collect();
        Self { saved, context_counter, ..Self::default() }
    }

    /// The session with this handle, if it is loaded and of the handle's kind.
    pub(crate) fn get(&self, handle: u32) -> Option<&Session> {
        let session = self.loaded.get(&(handle & NUMBER))?;
        (Self::handle_of(session.kind, handle) == handle).then_some(session)
    }

    /// Whether the session with this handle is loaded.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::REFERENCE_H0`] if none with its number is,
    /// [`ResponseCode::HANDLE`] if that is of the other kind.
    pub(crate) fn check(&self, handle: u32) -> Result<(), ResponseCode> {
        if !self.loaded.contains_key(&(handle & NUMBER)) {
            return Err(ResponseCode::REFERENCE_H0);
        }
        self.get(handle).map(|_| ()).ok_or(ResponseCode::HANDLE)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut Session> {
        let session = self.loaded.get_mut(&(handle & NUMBER))?;
        (Self::handle_of(session.kind, handle) == handle).then_some(session)
    }

    /// Adds a session and gives its handle.
    pub(crate) fn add(&mut self, session: Session) -> Result<u32, ResponseCode> {
        if self.loaded.len() >= MAX_LOADED {
            return Err(ResponseCode::SESSION_MEMORY);
        }
        let number = (0..MAX_ACTIVE)
            .find(|number| !self.loaded.contains_key(number) && !self.saved.contains_key(number))
            .ok_or(ResponseCode::SESSION_HANDLES)?;
        let handle = Self::handle_of(session.kind, number);
        self.loaded.insert(number, session);
        Ok(handle)
    }

    /// Takes a loaded session out; only its context brings it back. Gives the
    /// session and the context's sequence number.
    pub(crate) fn save(&mut self, handle: u32) -> Option<(Session, u64)> {
        self.get(handle)?;
        let session = self.remove(handle)?;
        self.context_counter += 1;
        self.saved.insert(handle & NUMBER, self.context_counter);
        Some((session, self.context_counter))
    }

    /// Whether the context with this sequence number is the one that was saved
    /// last of the session with this handle, and there is room for it.
    pub(crate) fn can_restore(&self, handle: u32, sequence: u64) -> Result<(), ResponseCode> {
        if self.saved.get(&(handle & NUMBER)) != Some(&sequence) {
            return Err(ResponseCode::HANDLE);
        }
        if self.loaded.len() >= MAX_LOADED {
            return Err(ResponseCode::SESSION_MEMORY);
        }
        Ok(())
    }

    /// Puts a saved session back under its handle.
    pub(crate) fn restore(&mut self, handle: u32, session: Session) {
        self.saved.remove(&(handle & NUMBER));
        self.loaded.insert(handle & NUMBER, session);
    }

    /// Ends the session with this handle's number, loaded or saved, of whichever
    /// kind. Gives it if it was loaded.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<Session> {
        let number = handle & NUMBER;
        if self.exclusive.is_some_and(|exclusive| exclusive & NUMBER == number) {
            self.exclusive = None;
        }
        self.saved.remove(&number);
        self.loaded.remove(&number)
    }

    /// Whether a session with this handle's number exists, loaded or saved.
    pub(crate) fn exists(&self, handle: u32) -> bool {
        let number = handle & NUMBER;
        self.loaded.contains_key(&number) || self.saved.contains_key(&number)
    }

    /// The handles of all loaded sessions, ascending by number.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = u32> {
        self.loaded.iter().map(|(number, session)| Self::handle_of(session.kind, *number))
    }

    /// The saved sessions, ascending by number.
    pub(crate) fn saved(&self) -> List<SavedSession, { MAX_ACTIVE as usize }> {
        List(
            self.saved
                .iter()
                .map(|(number, sequence)| SavedSession { number: *number, sequence: *sequence })
                .collect(),
        )
    }

    /// All of them, for the volatile record.
    pub(crate) fn to_record(&self) -> SessionsRecord {
        let loaded = |(number, session): (&u32, &Session)| LoadedSession {
            number: *number,
            session: session.clone(),
        };
        SessionsRecord {
            loaded: List(self.loaded.iter().map(loaded).collect()),
            saved: self.saved(),
            context_counter: self.context_counter,
            exclusive: self.exclusive,
        }
    }

    /// Those of a volatile record.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if a number is none, or is there twice.
    pub(crate) fn from_record(record: SessionsRecord) -> Result<Self, ResponseCode> {
        let mut sessions = Self {
            context_counter: record.context_counter,
            exclusive: record.exclusive,
            ..Self::default()
        };
        for LoadedSession { number, session } in record.loaded.0 {
            sessions.check_free(number)?;
            sessions.loaded.insert(number, session);
        }
        for SavedSession { number, sequence } in record.saved.0 {
            sessions.check_free(number)?;
            sessions.saved.insert(number, sequence);
        }
        Ok(sessions)
    }

    fn check_free(&self, number: u32) -> Result<(), ResponseCode> {
        if number < MAX_ACTIVE && !self.exists(number) { Ok(()) } else { Err(ResponseCode::VALUE) }
    }

    const fn handle_of(kind: SessionType, number: u32) -> u32 {
        let first = match kind {
            SessionType::Hmac => FIRST_HMAC_SESSION,
            SessionType::Policy | SessionType::Trial => FIRST_POLICY_SESSION,
        };
        first | (number & NUMBER)
    }
}
