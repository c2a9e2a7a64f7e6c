//! The security processor's end, for a simulated one.
//!
//! It checks what firmware checks and in the same order: header, key, seal,
//! number. That was learned from the sources of the firmware for Genoa that
//! AMD published in 2023. What a request asks for is not looked at here.

use core::fmt;

use abi_snp::{
    AeadAlgorithm, FirmwareStatus, GuestMessage, MessageHeader, MessageType, Vmpck, VmpckId,
};

use crate::counter::Counter;
use crate::key::{Envelope, KeyError, MessageKey};

/// Why a request is not taken. It is not answered, and not counted: the host
/// gets [`RequestError::status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The header is not of the one known format.
    #[error("the request's header is not of version 1 with 96 bytes and algorithm 1")]
    Header,
    /// The payload is empty, not of whole blocks of 16 bytes, or larger than
    /// a message holds.
    #[error("a request has 16 to {max} bytes, in blocks of 16, not {0}", max = GuestMessage::MAX_PAYLOAD)]
    Size(u16),
    /// There is no such key.
    #[error("the request names {0}: there are VMPCK0 to VMPCK3")]
    NoSuchKey(VmpckId),
    /// The seal is broken.
    #[error("the request does not authenticate with {0}")]
    NotAuthentic(VmpckId),
    /// The request has another number than the next: it was answered before, or
    /// one before it was not.
    #[error("the request has sequence number {found}, not {expected}")]
    SequenceNumber {
        /// The key's next number.
        expected: u64,
        /// The number that the request has.
        found: u64,
    },
    /// All sequence numbers of the key are used up.
    #[error("all sequence numbers of {0} are used up")]
    Exhausted(VmpckId),
}

impl RequestError {
    /// What firmware tells the host.
    #[must_use]
    pub const fn status(&self) -> FirmwareStatus {
        match self {
            Self::Header | Self::Size(_) | Self::NoSuchKey(_) => FirmwareStatus::INVALID_PARAMETER,
            Self::NotAuthentic(_) => FirmwareStatus::BAD_MEASUREMENT,
            Self::SequenceNumber { .. } | Self::Exhausted(_) => FirmwareStatus::AEAD_OVERFLOW,
        }
    }
}

/// Why a response is not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// The same request, delivered twice, has been answered in the meantime.
    #[error("the request with sequence number {0} has been answered before")]
    AnsweredBefore(u64),
    /// The request's type is not one that can be answered.
    #[error("a message of type {0} has no response")]
    NoResponseType(MessageType),
    /// The response is empty, not of whole blocks of 16 bytes, or too large.
    #[error("a response has 16 to {max} bytes, in blocks of 16, not {0}", max = GuestMessage::MAX_PAYLOAD)]
    PayloadSize(usize),
}

/// A request that was opened. What asks for nothing known, or is malformed, may
/// be dropped: it then was never counted.
pub struct ReceivedRequest<'m> {
    envelope: Envelope,
    payload: &'m [u8],
}

impl ReceivedRequest<'_> {
    /// The key that the request is sealed with, whose number is the privilege
    /// level that asks.
    #[must_use]
    pub const fn vmpck(&self) -> VmpckId {
        self.envelope.vmpck
    }

    /// What it asks for.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        self.envelope.message_type
    }

    /// Version of the payload's format.
    #[must_use]
    pub const fn message_version(&self) -> u8 {
        self.envelope.message_version
    }

    /// The payload: whole blocks of 16 bytes, at least one.
    #[must_use]
    pub const fn payload(&self) -> &[u8] {
        self.payload
    }
}

impl fmt::Debug for ReceivedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest").field("envelope", &self.envelope).finish_non_exhaustive()
    }
}

/// One of the keys, and how far it has been used.
struct Lane {
    key: MessageKey,
    counter: Counter,
}

/// The security processor's end of all channels of a guest.
pub struct Responder {
    lanes: [Lane; 4],
}

impl Responder {
    /// The end for a guest with these keys, which is about to start: no message
    /// has been sent yet.
    #[must_use]
    pub fn new(keys: &[Vmpck; 4]) -> Self {
        let lane = |vmpck| Lane { key: MessageKey::copy_of(vmpck), counter: Counter::START };
        Self { lanes: keys.each_ref().map(lane) }
    }

    /// Opens `request`, a copy of what the host delivers. The payload is
    /// decrypted in it.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn open<'m>(
        &self,
        request: &'m mut GuestMessage,
    ) -> Result<ReceivedRequest<'m>, RequestError> {
        let MessageHeader { sequence_number, metadata, .. } = request.header;
        if (metadata.algorithm, metadata.header_version, metadata.header_size)
            != (AeadAlgorithm::AES_256_GCM, MessageHeader::VERSION, MessageHeader::SIZE)
        {
            return Err(RequestError::Header);
        }
        let size = metadata.message_size;
        if size == 0 || !size.is_multiple_of(16) {
            return Err(RequestError::Size(size));
        }
        let vmpck = metadata.vmpck;
        let lane = self.lanes.get(usize::from(vmpck.0)).ok_or(RequestError::NoSuchKey(vmpck))?;
        let payload = lane.key.open(request).map_err(|error| match error {
            KeyError::Size(size) => RequestError::Size(size),
            KeyError::NotAuthentic => RequestError::NotAuthentic(vmpck),
        })?;
        let expected = lane.counter.next().ok_or(RequestError::Exhausted(vmpck))?.request;
        if sequence_number != expected {
            return Err(RequestError::SequenceNumber { expected, found: sequence_number });
        }
        let envelope = Envelope {
            sequence_number,
            vmpck,
            message_type: metadata.message_type,
            message_version: metadata.message_version,
        };
        Ok(ReceivedRequest { envelope, payload })
    }

    /// Answers `request`: seals `response` into `message`, with the type that
    /// follows the request's and the same version, and counts both. `message`
    /// is private memory, because the response is in it as plain text for a
    /// while.
    ///
    /// # Errors
    /// See [`ResponseError`]. Nothing was counted, and `message` holds nothing
    /// to be sent.
    pub fn seal(
        &mut self,
        request: ReceivedRequest<'_>,
        response: &[u8],
        message: &mut GuestMessage,
    ) -> Result<(), ResponseError> {
        let Envelope { sequence_number, vmpck, message_type, .. } = request.envelope;
        let answered = ResponseError::AnsweredBefore(sequence_number);
        // The request was opened by a responder with these keys or with others,
        // once or more often: its number is looked at again.
        let lane = self.lanes.get_mut(usize::from(vmpck.0)).ok_or(answered)?;
        let exchange = lane
            .counter
            .next()
            .filter(|exchange| exchange.request == sequence_number)
            .ok_or(answered)?;
        let message_type =
            message_type.response().ok_or(ResponseError::NoResponseType(message_type))?;
        let envelope =
            Envelope { sequence_number: exchange.response, message_type, ..request.envelope };
        lane.key
            .seal(envelope, response, message)
            .map_err(|error| ResponseError::PayloadSize(error.0))?;
        lane.counter.advance(exchange);
        Ok(())
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counters = self.lanes.each_ref().map(|lane| lane.counter);
        f.debug_struct("Responder").field("counters", &counters).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
