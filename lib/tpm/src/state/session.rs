//! Sessions [Part 1 §17–19].

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::{Hash, SessionType};
use crate::wire::codec::{Reader, Wire};
use crate::wire::macros::{enumerations, structures};
use crate::wire::option::options;
use crate::wire::structure::{Digest, Name};
use crate::wire::symmetric::SymmetricDefinition;

structures! {
    /// One session.
    Session {
        kind: SessionType,
        hash: Hash,
        symmetric: SymmetricDefinition,
        /// From salt and the bound entity's authorization; may be empty.
        key: Digest,
        nonce_tpm: Digest,
        bound: Option<Binding>,
        /// What a wrong HMAC says about the bound entity's authorization.
        guarding: Guarding,
        /// The audit digest, once the session was used for audit.
        audit: Option<Digest>,
        /// The start of the device since which it counts time.
        epoch: u64,
        /// The device's time at the start, in ms; of a policy session, when its last
        /// use succeeded.
        start_ms: u64,
        policy: Policy,
    }

    /// Whom a session is bound to: name and authorization value at the start.
    Binding {
        name: Name,
        auth: Digest,
    }

    /// What a policy session has gathered.
    Policy {
        digest: Digest,
        command: Option<u32>,
        bound_to: Option<BoundTo>,
        /// Localities allowed; zero: not restricted. From 32 on it is one locality.
        locality: u8,
        /// The PCR counter at `TPM2_PolicyPCR`.
        pcr_counter: Option<u32>,
        /// The device's time at which it expires, in ms.
        expires_ms: Option<u64>,
        value: ValueNeeded,
        presence_needed: bool,
        nv_written: Option<bool>,
    }
}

enumerations! {
    /// Whether wrong guesses of an authorization value count.
    Guarding(u8) else VALUE, none 0xFF {
        /// They do not.
        Exempt = 0,
        /// They count, and none are taken when there were too many.
        Guarded = 1,
        /// One locks the lockout authorization itself out.
        Lockout = 2,
    }

    /// What besides the policy has to be shown.
    ValueNeeded(u8) else VALUE, none 0xFF {
        Nothing = 0,
        /// The authorization value in the HMAC.
        InHmac = 1,
        /// The authorization value as it is.
        Password = 2,
    }
}

options!(Binding, BoundTo, Digest);

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

impl Wire for BoundTo {
    fn write(&self, out: &mut Vec<u8>) {
        let (kind, digest) = match self {
            Self::Parameters(digest) => (0_u8, digest),
            Self::Names(digest) => (1, digest),
            Self::Template(digest) => (2, digest),
        };
        kind.write(out);
        digest.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let kind = match u8::read(from)? {
            0 => Self::Parameters,
            1 => Self::Names,
            2 => Self::Template,
            _ => return Err(ResponseCode::VALUE),
        };
        Digest::read(from).map(kind)
    }
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
        self.bound.as_ref().is_some_and(|bound| {
            bound.name == *name && tpm_crypto::secret::equal(&bound.auth, auth)
        })
    }
}
