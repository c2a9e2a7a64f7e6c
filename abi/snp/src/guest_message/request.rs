//! What makes a structure the payload of a request.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::guest_message::message_type::MessageType;

/// The payload of a request, together with what answers it.
pub trait GuestRequest: IntoBytes + Immutable {
    /// The type of the message that carries it.
    const MESSAGE_TYPE: MessageType;

    /// The version of the message's format.
    const MESSAGE_VERSION: u8;

    /// The payload of the response. Later firmware may append to it.
    type Response: FromBytes + IntoBytes + Immutable + KnownLayout;
}
