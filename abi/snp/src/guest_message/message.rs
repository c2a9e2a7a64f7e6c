//! The frame of a message: header and payload, one page.

use core::fmt;

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::guest_message::message_type::MessageType;

/// Open enumeration of the ways to encrypt and authenticate a message
/// [SNP ABI 56860 §8.26, table "AEAD Algorithm Encodings"].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(transparent)]
pub struct AeadAlgorithm(pub u8);

impl AeadAlgorithm {
    /// AES-256-GCM with a tag of 16 bytes. The nonce of 12 bytes is the
    /// message's sequence number, little-endian.
    pub const AES_256_GCM: Self = Self(1);
}

/// The number of a VMPCK, which is that of the privilege level it is for: 0 to
/// 3. Any other number can be held, because it also arrives from outside.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
    Unaligned,
)]
#[repr(transparent)]
pub struct VmpckId(pub u8);

impl fmt::Display for VmpckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VMPCK{}", self.0)
    }
}

/// What the header says about the message: 0x30 bytes, which are not encrypted
/// but authenticated along with the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MessageMetadata {
    /// How the payload is encrypted, [`AeadAlgorithm::AES_256_GCM`].
    pub algorithm: AeadAlgorithm,
    /// Version of the header's format, [`MessageHeader::VERSION`].
    pub header_version: u8,
    /// Size of the header in bytes, [`MessageHeader::SIZE`].
    pub header_size: u16,
    /// What the payload is.
    pub message_type: MessageType,
    /// Version of the payload's format.
    pub message_version: u8,
    /// Size of the payload in bytes. Firmware takes requests of whole 16-byte
    /// blocks only, at least one.
    pub message_size: u16,
    _reserved_038: [u8; 4],
    /// The key that protects the message.
    pub vmpck: VmpckId,
    _reserved_03d: [u8; 0x23],
}

impl MessageMetadata {
    /// What stands in the header of a message of `message_size` bytes in the
    /// one format that there is.
    #[must_use]
    pub const fn new(
        vmpck: VmpckId,
        message_type: MessageType,
        message_version: u8,
        message_size: u16,
    ) -> Self {
        Self {
            algorithm: AeadAlgorithm::AES_256_GCM,
            header_version: MessageHeader::VERSION,
            header_size: MessageHeader::SIZE,
            message_type,
            message_version,
            message_size,
            _reserved_038: [0; 4],
            vmpck,
            _reserved_03d: [0; 0x23],
        }
    }
}

/// The header of a message: 0x60 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct MessageHeader {
    /// Authenticates [`Self::metadata`] and the payload.
    pub tag: [u8; 16],
    /// The rest of the field `AUTHTAG`, for algorithms with longer tags.
    _reserved_010: [u8; 0x10],
    /// The message's number with its key: 1 for the first request, 2 for the
    /// answer, 3 for the next request. Authenticated by being the nonce.
    pub sequence_number: u64,
    _reserved_028: [u8; 8],
    /// What the header says about the message.
    pub metadata: MessageMetadata,
}

impl MessageHeader {
    /// The only version there is.
    pub const VERSION: u8 = 1;

    /// Size in bytes, as the header itself states it.
    pub const SIZE: u16 = 0x60;

    /// The header of a message that has yet to be authenticated: its tag is
    /// zero.
    #[must_use]
    pub const fn new(sequence_number: u64, metadata: MessageMetadata) -> Self {
        Self {
            tag: [0; 16],
            _reserved_010: [0; 0x10],
            sequence_number,
            _reserved_028: [0; 8],
            metadata,
        }
    }
}

/// A message: one page.
///
/// While a message is sealed or opened, its payload is plain text: that must
/// not happen in memory that is shared with the host. `Debug` leaves the
/// payload out.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct GuestMessage {
    /// The header.
    pub header: MessageHeader,
    /// The payload, of which [`MessageMetadata::message_size`] bytes count.
    pub payload: [u8; GuestMessage::MAX_PAYLOAD],
}

impl GuestMessage {
    /// Bytes of payload that fit behind the header.
    pub const MAX_PAYLOAD: usize = 0x1000 - 0x60;

    /// A page of zeros, to put a message into.
    #[must_use]
    pub fn zeroed() -> Self {
        Self::new_zeroed()
    }
}

impl fmt::Debug for GuestMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestMessage").field("header", &self.header).finish_non_exhaustive()
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<MessageMetadata>() == 0x30);
    assert!(offset_of!(MessageMetadata, header_version) == 0x31 - 0x30);
    assert!(offset_of!(MessageMetadata, header_size) == 0x32 - 0x30);
    assert!(offset_of!(MessageMetadata, message_type) == 0x34 - 0x30);
    assert!(offset_of!(MessageMetadata, message_version) == 0x35 - 0x30);
    assert!(offset_of!(MessageMetadata, message_size) == 0x36 - 0x30);
    assert!(offset_of!(MessageMetadata, vmpck) == 0x3c - 0x30);

    assert!(size_of::<MessageHeader>() == MessageHeader::SIZE as usize);
    assert!(offset_of!(MessageHeader, sequence_number) == 0x20);
    assert!(offset_of!(MessageHeader, metadata) == 0x30);

    assert!(size_of::<GuestMessage>() == 0x1000);
    assert!(offset_of!(GuestMessage, payload) == 0x60);
};

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn header_is_written_field_by_field() {
        let metadata = MessageMetadata::new(VmpckId(2), MessageType::REPORT_REQUEST, 0x11, 0x2233);
        let mut header = MessageHeader::new(0x4455_6677_8899_aabb, metadata);
        header.tag = [0xee; 16];
        let bytes = header.as_bytes();
        assert_eq!(bytes[..0x10], [0xee; 0x10]);
        assert_eq!(bytes[0x10..0x20], [0; 0x10]);
        assert_eq!(bytes[0x20..0x28], [0xbb, 0xaa, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44]);
        assert_eq!(bytes[0x28..0x30], [0; 8]);
        assert_eq!(bytes[0x30..0x38], [1, 1, 0x60, 0, 5, 0x11, 0x33, 0x22]);
        assert_eq!(bytes[0x38..0x3c], [0; 4]);
        assert_eq!(bytes[0x3c], 2);
        assert_eq!(bytes[0x3d..], [0; 0x23]);
        assert_eq!(header.metadata.as_bytes(), &bytes[0x30..]);
    }

    #[test]
    fn payload_does_not_show() {
        let mut message = GuestMessage::zeroed();
        message.payload.fill(0xa5);
        let text = format!("{message:?} {message:#?}");
        assert!(!text.contains("165") && !text.contains("a5"), "{text}");
    }
}
