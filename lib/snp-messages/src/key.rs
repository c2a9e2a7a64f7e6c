//! The cipher: one key, and messages sealed and opened with it.
//!
//! Nothing here counts: which sequence number a message has, and whether one
//! is taken, is decided by [`crate::channel`] and [`crate::responder`].

use abi_snp::{GuestMessage, MessageHeader, MessageMetadata, MessageType, Vmpck, VmpckId};
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use zerocopy::IntoBytes;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a nonce.
const NONCE_SIZE: usize = 12;

/// Payloads are whole blocks of this many bytes: firmware takes no others.
const BLOCK_SIZE: usize = 16;

/// What a message says about itself, without the size of its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) sequence_number: u64,
    pub(crate) vmpck: VmpckId,
    pub(crate) message_type: MessageType,
    pub(crate) message_version: u8,
}

/// A payload that is empty, not of whole blocks, or larger than a message
/// holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadSizeError(pub(crate) usize);

/// Why a message does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// The payload is larger than a message holds.
    Size(u16),
    /// The seal is broken.
    NotAuthentic,
}

/// A VMPCK: wiped when it is dropped.
///
/// The key schedule is computed anew for each message, which are few, so that
/// there is no more to keep secret than the 32 bytes.
pub(crate) struct MessageKey(Zeroizing<[u8; 32]>);

impl MessageKey {
    pub(crate) fn copy_of(vmpck: &Vmpck) -> Self {
        Self(Zeroizing::new(*vmpck.expose()))
    }

    /// Moves the key out of `vmpck`, which is zero afterwards; `None` if it was
    /// zero before, so that there is no key.
    pub(crate) fn take(vmpck: &mut Vmpck) -> Option<Self> {
        let key = Self::copy_of(vmpck);
        vmpck.as_mut_bytes().zeroize();
        (*key.0 != [0; 32]).then_some(key)
    }

    /// Puts the message with this `payload` into `message`, all of which is
    /// written. On an error it holds nothing of use.
    pub(crate) fn seal(
        &self,
        envelope: Envelope,
        payload: &[u8],
        message: &mut GuestMessage,
    ) -> Result<(), PayloadSizeError> {
        let wrong_size = PayloadSizeError(payload.len());
        if payload.is_empty() || !payload.len().is_multiple_of(BLOCK_SIZE) {
            return Err(wrong_size);
        }
        let message_size = u16::try_from(payload.len()).map_err(|_| wrong_size)?;
        let (content, behind) =
            message.payload.split_at_mut_checked(payload.len()).ok_or(wrong_size)?;
        content.copy_from_slice(payload);
        behind.fill(0);
        let Envelope { sequence_number, vmpck, message_type, message_version } = envelope;
        let metadata = MessageMetadata::new(vmpck, message_type, message_version, message_size);
        message.header = MessageHeader::new(sequence_number, metadata);
        let tag = self
            .cipher()
            .encrypt_inout_detached(
                &nonce(sequence_number).into(),
                metadata.as_bytes(),
                content.into(),
            )
            // The one thing that the cipher can refuse is a payload of 64 GiB.
            .map_err(|_| wrong_size)?;
        message.header.tag = tag.into();
        Ok(())
    }

    /// The payload of `message`, decrypted where it lies. On an error it is as
    /// it was.
    pub(crate) fn open<'m>(&self, message: &'m mut GuestMessage) -> Result<&'m mut [u8], KeyError> {
        let MessageHeader { tag, sequence_number, ref metadata, .. } = message.header;
        let size = metadata.message_size;
        let content = message.payload.get_mut(..usize::from(size)).ok_or(KeyError::Size(size))?;
        self.cipher()
            .decrypt_inout_detached(
                &nonce(sequence_number).into(),
                metadata.as_bytes(),
                (&mut *content).into(),
                &tag.into(),
            )
            .map_err(|_| KeyError::NotAuthentic)?;
        Ok(content)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }
}

/// The nonce of a message: its sequence number, little-endian.
fn nonce(sequence_number: u64) -> [u8; NONCE_SIZE] {
    let mut nonce = [0; NONCE_SIZE];
    for (to, from) in nonce.iter_mut().zip(sequence_number.to_le_bytes()) {
        *to = from;
    }
    nonce
}

#[cfg(test)]
mod tests;
