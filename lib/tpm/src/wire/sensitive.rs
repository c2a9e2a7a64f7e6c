//! Sensitive areas, and what the creation of an object takes and tells.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::{Buffer, Sized16};
use crate::wire::macros::structures;
use crate::wire::pcr::PcrSelections;
use crate::wire::public::Kind;
use crate::wire::structure::{Data, Digest, Name};

/// TPM2B_SENSITIVE_DATA, TPM2B_PRIVATE_KEY_RSA and the like: what is sealed, or
/// a prime of the largest RSA key.
pub(crate) type Secret = Buffer<MAX_PRIME>;

/// A prime of the largest RSA key, in bytes.
const MAX_PRIME: usize = 256;

/// The largest data that can be sealed, in bytes.
pub(crate) const MAX_SEALED: usize = 128;

/// Bytes of a name before its digest.
const NAME_ALGORITHM: usize = 2;

/// What a TPM2B_PRIVATE holds at most, in bytes.
pub(crate) const MAX_PRIVATE: usize = 640;

/// TPM2B_PRIVATE: a sensitive area with its protection, inner and outer.
pub(crate) type Private = Buffer<MAX_PRIVATE>;

/// The largest key of a block cipher, in bytes.
const MAX_CIPHER_KEY: usize = 32;
/// The largest scalar of a curve, in bytes.
const MAX_SCALAR: usize = 66;

/// TPMT_SENSITIVE [Part 2 §12.3.2.4].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sensitive {
    pub(crate) kind: Kind,
    pub(crate) auth: Digest,
    /// Storage parents: the seed of their children's protection. Symmetric
    /// objects: what hides the secret in `unique`.
    pub(crate) seed: Digest,
    /// A prime, a scalar, a key or sealed data.
    pub(crate) secret: Secret,
}

impl Wire for Sensitive {
    fn write(&self, out: &mut Vec<u8>) {
        self.kind.write(out);
        self.auth.write(out);
        self.seed.write(out);
        self.secret.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let kind = Kind::read(from)?;
        let (auth, seed) = (Wire::read(from)?, Wire::read(from)?);
        // Each kind has a buffer of its own size [Part 2 §12.3.2.3].
        let largest = match kind {
            Kind::Rsa => MAX_PRIME,
            Kind::Ecc => MAX_SCALAR,
            Kind::KeyedHash => MAX_SEALED,
            Kind::Cipher => MAX_CIPHER_KEY,
        };
        if usize::from(u16::read(&mut from.clone())?) > largest {
            return Err(ResponseCode::SIZE);
        }
        Ok(Self { kind, auth, seed, secret: Wire::read(from)? })
    }
}

structures! {
    /// TPMS_SENSITIVE_CREATE [Part 2 §11.1.15].
    SensitiveCreate {
        auth: Digest,
        data: Buffer<MAX_SEALED>,
    }

    /// TPMS_CREATION_DATA [Part 2 §15.1].
    CreationData {
        pcrs: PcrSelections,
        pcr_digest: Digest,
        /// One bit for the locality.
        locality: u8,
        parent_name_hash: Option<Hash>,
        parent_name: Name,
        parent_qualified_name: Name,
        outside_info: Data,
    }
}

impl Sensitive {
    /// As it leaves the device, for the object with this `name`: the authorization
    /// value is as long as the name's digest, as in the reference implementation
    /// (`MarshalSensitive`), so that no size tells how long the value is.
    pub(crate) fn padded(&self, name: &Name) -> Sized16<Self> {
        let size = name.len().saturating_sub(NAME_ALGORITHM).max(self.auth.len());
        let mut auth = self.auth.to_vec();
        auth.resize(size, 0);
        Sized16(Self { auth: Digest::new(auth), ..self.clone() })
    }

    /// As it is kept here, without what [`padded`](Self::padded) has added.
    pub(crate) fn trimmed(mut self) -> Self {
        self.auth = self.auth.without_trailing_zeros();
        self
    }
}
