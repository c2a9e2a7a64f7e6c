//! The guest's end: one request at a time, each number once.

use core::fmt;

use abi_snp::{
    AeadAlgorithm, GuestMessage, GuestRequest, MessageHeader, MessageMetadata, MessageType,
    SecretsPage, VmpckId,
};
use zerocopy::FromBytes;
use zeroize::Zeroize;

use crate::counter::{Counter, Exchange};
use crate::key::{Envelope, KeyError, MessageKey};

/// Why there is no channel with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeyError {
    /// There are four keys, VMPCK0 to VMPCK3.
    #[error("{0} does not exist: there are VMPCK0 to VMPCK3")]
    NoSuchKey(VmpckId),
    /// The key is zero in the secrets page: a more privileged level kept it, or
    /// a channel has been made with it before.
    #[error("the secrets page does not hold {0}: it was kept back or taken out before")]
    Taken(VmpckId),
}

/// Why a request is not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The channel is closed. No other can be made for its key: the guest has
    /// to do without, until it is launched anew.
    #[error("the channel is closed, and its key gone")]
    Closed,
    /// The reply to the last request has not been opened. The request may be
    /// sent again, as it is; if there is no reply to be had, all that is left
    /// is to close the channel.
    #[error(
        "the reply to the request before is outstanding: send that again, or close the channel"
    )]
    ReplyOutstanding,
    /// All sequence numbers are used up. The channel is now closed.
    #[error("the channel has used all sequence numbers and is now closed")]
    Exhausted,
    /// The request is empty, not of whole blocks of 16 bytes, or too large. The
    /// channel is as it was.
    #[error("a request has 16 to {max} bytes, in blocks of 16, not {0}", max = GuestMessage::MAX_PAYLOAD)]
    PayloadSize(usize),
}

/// Why a reply is not taken.
///
/// Whatever the reason: a reply that was looked at and not taken has closed the
/// channel. It is the host's doing, or that of a bug in the firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The channel was closed before.
    #[error("the channel is closed, and its key gone")]
    Closed,
    /// No request of this type is waiting for a reply: the caller's mistake.
    /// The reply was not looked at, the channel is as it was.
    #[error("no {0} is waiting for a reply")]
    NothingOutstanding(MessageType),
    /// The header is not of the one known format.
    #[error(
        "the reply's header has version {version}, {size} bytes and algorithm {algorithm}: \
        only version 1 with 96 bytes and algorithm 1 is known"
    )]
    Header {
        /// [`MessageMetadata::header_version`].
        version: u8,
        /// [`MessageMetadata::header_size`].
        size: u16,
        /// [`MessageMetadata::algorithm`].
        algorithm: u8,
    },
    /// The reply has another number than the request's successor: it is an old
    /// one, or one of another channel.
    #[error("the reply has sequence number {found}, not {expected}")]
    SequenceNumber {
        /// The number after that of the request.
        expected: u64,
        /// The number that the reply has.
        found: u64,
    },
    /// The reply is sealed with another key.
    #[error("the reply is sealed with {found}, not {expected}")]
    Vmpck {
        /// The channel's key.
        expected: VmpckId,
        /// The key that the reply names.
        found: VmpckId,
    },
    /// The reply answers something else.
    #[error("the reply is a {found}, not a {expected}")]
    MessageType {
        /// The type that answers the request.
        expected: MessageType,
        /// The type that the reply has.
        found: MessageType,
    },
    /// The reply has another version than the request.
    #[error("the reply has version {found}, not {expected}")]
    MessageVersion {
        /// The request's version.
        expected: u8,
        /// The reply's version.
        found: u8,
    },
    /// The reply is too short for what it should be, or longer than a message
    /// can be.
    #[error("the reply has {found} bytes, not {least} to {max}", max = GuestMessage::MAX_PAYLOAD)]
    Size {
        /// The least that the response can have.
        least: usize,
        /// What the reply has.
        found: u16,
    },
    /// The seal is broken: the reply is not what the security processor sent.
    #[error("the reply does not authenticate")]
    NotAuthentic,
}

/// What a [`Channel`] can do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelState {
    /// Seal a request.
    Ready,
    /// Open the reply to the request that was sealed last.
    ReplyOutstanding,
    /// Nothing: the key is gone.
    Closed,
}

/// The request that waits for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outstanding {
    exchange: Exchange,
    message_type: MessageType,
    message_version: u8,
}

/// The guest's end of the channel that belongs to one VMPCK.
///
/// There is no second channel with the same key: the first one takes it out of
/// the secrets page. It starts with sequence number 1, so the key must not have
/// been used since launch.
pub struct Channel {
    vmpck: VmpckId,
    /// `None` once the channel is closed.
    key: Option<MessageKey>,
    counter: Counter,
    outstanding: Option<Outstanding>,
}

impl Channel {
    /// A channel with key `vmpck`, which is zero in the secrets page
    /// afterwards.
    ///
    /// # Errors
    /// There is no such key, or it is not there any more.
    pub fn new(secrets: &mut SecretsPage, vmpck: VmpckId) -> Result<Self, NoKeyError> {
        let place =
            secrets.vmpck.get_mut(usize::from(vmpck.0)).ok_or(NoKeyError::NoSuchKey(vmpck))?;
        let key = MessageKey::take(place).ok_or(NoKeyError::Taken(vmpck))?;
        Ok(Self { vmpck, key: Some(key), counter: Counter::START, outstanding: None })
    }

    /// The key that the channel is for.
    #[must_use]
    pub const fn vmpck(&self) -> VmpckId {
        self.vmpck
    }

    /// What the channel can do next.
    #[must_use]
    pub const fn state(&self) -> ChannelState {
        match (&self.key, self.outstanding) {
            (None, _) => ChannelState::Closed,
            (Some(_), None) => ChannelState::Ready,
            (Some(_), Some(_)) => ChannelState::ReplyOutstanding,
        }
    }

    /// Seals `request` into `message`, to be copied to where the host gets it.
    /// `message` itself must be private memory, because the request is in it
    /// as plain text for a while.
    ///
    /// Keep `message` until the reply has been opened: when the host says that
    /// it is busy, that certificates need more room, or nothing at all, the
    /// same bytes may be sent again as often as it takes, also as another kind
    /// of guest request.
    ///
    /// # Errors
    /// See [`SealError`]. `message` then holds nothing to be sent.
    pub fn seal<R: GuestRequest>(
        &mut self,
        request: &R,
        message: &mut GuestMessage,
    ) -> Result<(), SealError> {
        let key = self.key.as_ref().ok_or(SealError::Closed)?;
        if self.outstanding.is_some() {
            return Err(SealError::ReplyOutstanding);
        }
        let Some(exchange) = self.counter.next() else {
            self.close();
            return Err(SealError::Exhausted);
        };
        let (message_type, message_version) = (R::MESSAGE_TYPE, R::MESSAGE_VERSION);
        let envelope = Envelope {
            sequence_number: exchange.request,
            vmpck: self.vmpck,
            message_type,
            message_version,
        };
        key.seal(envelope, request.as_bytes(), message)
            .map_err(|error| SealError::PayloadSize(error.0))?;
        self.outstanding = Some(Outstanding { exchange, message_type, message_version });
        Ok(())
    }

    /// Opens `reply`, the answer to the request that was sealed last. To be
    /// called when the host says that the request went well.
    ///
    /// `reply` is a copy that the host cannot change any more. Its payload is
    /// zero afterwards, so that a key in it does not lie about.
    ///
    /// # Errors
    /// See [`OpenError`]. The channel is closed, unless the caller had asked
    /// for nothing.
    pub fn open<R: GuestRequest>(
        &mut self,
        reply: &mut GuestMessage,
    ) -> Result<R::Response, OpenError> {
        let key = self.key.as_ref().ok_or(OpenError::Closed)?;
        let asked = self
            .outstanding
            .filter(|asked| asked.message_type == R::MESSAGE_TYPE)
            .ok_or(OpenError::NothingOutstanding(R::MESSAGE_TYPE))?;
        let response = open_reply::<R>(key, self.vmpck, asked, reply);
        reply.payload.zeroize();
        match response {
            Ok(_) => self.counter.advance(asked.exchange),
            Err(_) => self.close(),
        }
        self.outstanding = None;
        response
    }

    /// Closes the channel and wipes its key, for good.
    pub fn close(&mut self) {
        self.key = None;
        self.outstanding = None;
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("vmpck", &self.vmpck)
            .field("state", &self.state())
            .field("counter", &self.counter)
            .field("outstanding", &self.outstanding)
            .finish_non_exhaustive()
    }
}

/// The response in `reply`, if that is the answer to `asked`.
fn open_reply<R: GuestRequest>(
    key: &MessageKey,
    vmpck: VmpckId,
    asked: Outstanding,
    reply: &mut GuestMessage,
) -> Result<R::Response, OpenError> {
    check_header(&reply.header, vmpck, asked)?;
    let found = reply.header.metadata.message_size;
    let wrong_size = OpenError::Size { least: size_of::<R::Response>(), found };
    if usize::from(found) < size_of::<R::Response>() {
        return Err(wrong_size);
    }
    let payload = key.open(reply).map_err(|error| match error {
        KeyError::Size(_) => wrong_size,
        KeyError::NotAuthentic => OpenError::NotAuthentic,
    })?;
    let (response, _) = R::Response::read_from_prefix(payload).map_err(|_| wrong_size)?;
    Ok(response)
}

/// Whether the header is that of the reply to `asked`. It is not authenticated
/// yet: a message with another header would not open as the reply either, but
/// this way it is known what was wrong.
fn check_header(
    header: &MessageHeader,
    vmpck: VmpckId,
    asked: Outstanding,
) -> Result<(), OpenError> {
    let MessageMetadata {
        algorithm,
        header_version,
        header_size,
        message_type,
        message_version,
        ..
    } = header.metadata;
    if (algorithm, header_version, header_size)
        != (AeadAlgorithm::AES_256_GCM, MessageHeader::VERSION, MessageHeader::SIZE)
    {
        let (version, size, algorithm) = (header_version, header_size, algorithm.0);
        return Err(OpenError::Header { version, size, algorithm });
    }
    if header.metadata.vmpck != vmpck {
        return Err(OpenError::Vmpck { expected: vmpck, found: header.metadata.vmpck });
    }
    if header.sequence_number != asked.exchange.response {
        let (expected, found) = (asked.exchange.response, header.sequence_number);
        return Err(OpenError::SequenceNumber { expected, found });
    }
    if asked.message_type.response() != Some(message_type) {
        let expected = asked.message_type.response().unwrap_or(asked.message_type);
        return Err(OpenError::MessageType { expected, found: message_type });
    }
    if message_version != asked.message_version {
        let (expected, found) = (asked.message_version, message_version);
        return Err(OpenError::MessageVersion { expected, found });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
