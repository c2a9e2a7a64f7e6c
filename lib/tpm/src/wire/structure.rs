//! Structures without logic, and the sizes of buffers.

use alloc::vec::Vec;

use tpm_crypto::hash::LARGEST_DIGEST;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hierarchy;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::{Buffer, List};
use crate::wire::macros::structures;

/// TPM2B_DIGEST, TPM2B_NONCE, TPM2B_AUTH, TPM2B_OPERAND, TPM2B_TIMEOUT.
pub(crate) type Digest = Buffer<LARGEST_DIGEST>;
/// TPM2B_NAME: an algorithm and a digest, or a handle.
pub(crate) type Name = Buffer<66>;
/// TPM2B_DATA: a tagged digest's size.
pub(crate) type Data = Buffer<66>;
/// TPM2B_MAX_BUFFER, TPM2B_EVENT.
pub(crate) type MaxBuffer = Buffer<1024>;
/// TPM2B_MAX_NV_BUFFER.
pub(crate) type NvBuffer = Buffer<{ MAX_NV_BUFFER as usize }>;
/// TPM2B_ENCRYPTED_SECRET: an RSA block of 4096 bits is the largest.
pub(crate) type EncryptedSecret = Buffer<512>;

/// What a TPM2B_CONTEXT_DATA holds at most, in bytes: an object with an RSA key of
/// 4096 bits is the largest content; its parts are bounded by their types.
pub(crate) const MAX_CONTEXT_BLOB: usize = 3072;

/// TPM2B_CONTEXT_DATA.
pub(crate) type ContextBlob = Buffer<MAX_CONTEXT_BLOB>;

/// TPM2B_ID_OBJECT: two digests [Part 2 §12.4.3].
pub(crate) type Credential = Buffer<{ 2 * (2 + LARGEST_DIGEST) }>;

/// The most that one NV command reads or writes, in bytes.
pub(crate) const MAX_NV_BUFFER: u16 = 1024;

/// The branches of a policy: a TPML_DIGEST of at least two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branches(pub(crate) List<Digest, 8>);

impl Wire for Branches {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        if u32::read(&mut from.clone())? < 2 {
            return Err(ResponseCode::SIZE);
        }
        List::read(from).map(Self)
    }
}

/// The name of what has a handle and no public area [Part 1 §16].
pub(crate) fn handle_name(handle: u32) -> Name {
    Name::new(handle.to_be_bytes())
}

structures! {
    /// TPMS_ECC_POINT [Part 2 §11.2.5.2].
    EccPoint {
        x: Buffer<66>,
        y: Buffer<66>,
    }

    /// TPMS_CONTEXT [Part 2 §14.5].
    Context {
        sequence: u64,
        saved_handle: u32,
        hierarchy: Hierarchy,
        blob: ContextBlob,
    }

    /// TPMS_CLOCK_INFO [Part 2 §10.11.1].
    ClockInfo {
        /// Milliseconds that the device was powered, in all its life.
        clock: u64,
        /// Times that it was reset.
        reset_count: u32,
        /// Times that it was restarted or resumed since its last reset.
        restart_count: u32,
        /// Whether no higher value of `clock` was ever reported.
        safe: bool,
    }

    /// TPMS_TIME_INFO [Part 2 §10.11.6].
    TimeInfo {
        /// Milliseconds since the device was last powered on.
        time: u64,
        clock: ClockInfo,
    }
}
