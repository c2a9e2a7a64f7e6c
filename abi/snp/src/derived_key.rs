//! Keys that the security processor derives for a guest: `MSG_KEY_REQ`.
//!
//! The same guest gets the same key again, another guest another one; what
//! "the same guest" means is the requester's choice of [`GuestFields`]. Such a
//! key can seal what shall outlive the guest [SNP ABI 56860 §7.2].
//!
//! This is version 1 of the message. Version 2, of firmware 1.58 and later,
//! mixes in the mitigations of the launch as well.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::attestation_report::TcbVersion;
use crate::guest_message::{FirmwareStatus, GuestRequest, MessageType};
use abi_x86::show_flag_names;

/// Open enumeration of the keys that others are derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct RootKey(pub u32);

impl RootKey {
    /// The VLEK if one is loaded, the VCEK otherwise.
    pub const ENDORSEMENT_KEY: Self = Self(0);
    /// The guest's own root key, which a migration agent sets: it goes along
    /// when the guest moves to another processor.
    pub const VMRK: Self = Self(1);
    /// The VCEK: the processor's own.
    pub const VCEK: Self = Self(1 << 1);
    /// The VLEK: the same on all processors that it is loaded on.
    pub const VLEK: Self = Self(2 << 1);
}

/// What is mixed into a derived key, besides the privilege level, the host's
/// data and the digest of the ID or author key, which always are.
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct GuestFields(u64);

bitflags::bitflags! {
    impl GuestFields: u64 {
        /// The guest's policy.
        const POLICY = 1 << 0;
        /// The image ID of the guest's ID block.
        const IMAGE_ID = 1 << 1;
        /// The family ID of the guest's ID block.
        const FAMILY_ID = 1 << 2;
        /// The launch digest.
        const MEASUREMENT = 1 << 3;
        /// [`DerivedKeyRequest::guest_svn`].
        const GUEST_SVN = 1 << 4;
        /// [`DerivedKeyRequest::tcb_version`].
        const TCB_VERSION = 1 << 5;
    }
}

show_flag_names!(GuestFields);

/// Asks for a key: 0x20 bytes [SNP ABI 56860 §7.2, table "MSG_KEY_REQ"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DerivedKeyRequest {
    /// The key to derive from.
    pub root_key: RootKey,
    _reserved_004: u32,
    /// What to mix in.
    pub fields: GuestFields,
    /// Privilege level to mix in: not above that of the key which protects
    /// the message.
    pub vmpl: u32,
    /// With [`GuestFields::GUEST_SVN`]: security version number to mix in, not
    /// above the one in the guest's ID block. So a later guest can still get
    /// the key of an earlier one.
    pub guest_svn: u32,
    /// With [`GuestFields::TCB_VERSION`]: version to mix in, none of its
    /// numbers above the committed one.
    pub tcb_version: TcbVersion,
}

impl DerivedKeyRequest {
    /// A request for a key of privilege level `vmpl`, with nothing but what is
    /// always mixed in.
    #[must_use]
    pub const fn new(root_key: RootKey, vmpl: u32) -> Self {
        Self {
            root_key,
            _reserved_004: 0,
            fields: GuestFields::empty(),
            vmpl,
            guest_svn: 0,
            tcb_version: TcbVersion([0; 8]),
        }
    }

    /// Whether all reserved bits are zero, which the security processor
    /// insists on.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.root_key.0 < 1 << 3
            && self._reserved_004 == 0
            && self.fields.difference(GuestFields::all()).is_empty()
    }
}

impl GuestRequest for DerivedKeyRequest {
    const MESSAGE_TYPE: MessageType = MessageType::KEY_REQUEST;
    const MESSAGE_VERSION: u8 = 1;
    type Response = DerivedKeyResponse;
}

/// A derived key.
///
/// Never shown, neither copied nor compared by accident, and wiped when it is
/// dropped. What the compiler leaves behind on the stack when a key is moved is
/// not wiped.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(transparent)]
pub struct DerivedKey([u8; 32]);

impl DerivedKey {
    /// The key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key itself.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for DerivedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for DerivedKey {}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedKey(redacted)")
    }
}

/// Answers a [`DerivedKeyRequest`]: 0x40 bytes [SNP ABI 56860 §7.2, table
/// "MSG_KEY_RSP"].
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DerivedKeyResponse {
    /// Whether there is a key.
    pub status: FirmwareStatus,
    _reserved_004: [u8; 0x1c],
    key: DerivedKey,
}

impl DerivedKeyResponse {
    /// The response with a key.
    #[must_use]
    pub const fn with_key(key: DerivedKey) -> Self {
        Self { status: FirmwareStatus::SUCCESS, _reserved_004: [0; 0x1c], key }
    }

    /// The response that says why there is no key.
    #[must_use]
    pub const fn refusal(status: FirmwareStatus) -> Self {
        Self { status, _reserved_004: [0; 0x1c], key: DerivedKey([0; 32]) }
    }

    /// The key.
    ///
    /// # Errors
    /// The security processor refuses.
    /// [`FirmwareStatus::INVALID_PARAMETER`]: the privilege level or a version
    /// is above the limit; [`FirmwareStatus::INVALID_KEY`]: the root key is
    /// not there, or the host forbids its use.
    pub fn into_key(self) -> Result<DerivedKey, FirmwareStatus> {
        match self.status {
            FirmwareStatus::SUCCESS => Ok(self.key),
            refusal => Err(refusal),
        }
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<DerivedKeyRequest>() == 0x20);
    assert!(offset_of!(DerivedKeyRequest, fields) == 0x08);
    assert!(offset_of!(DerivedKeyRequest, vmpl) == 0x10);
    assert!(offset_of!(DerivedKeyRequest, guest_svn) == 0x14);
    assert!(offset_of!(DerivedKeyRequest, tcb_version) == 0x18);

    assert!(size_of::<DerivedKeyResponse>() == 0x40);
    assert!(offset_of!(DerivedKeyResponse, key) == 0x20);
};

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;

    use super::*;

    #[test]
    fn request_is_written_field_by_field() {
        let request = DerivedKeyRequest {
            fields: GuestFields::MEASUREMENT | GuestFields::TCB_VERSION,
            guest_svn: 7,
            tcb_version: TcbVersion([1, 2, 3, 4, 5, 6, 7, 8]),
            ..DerivedKeyRequest::new(RootKey::VLEK, 2)
        };
        let bytes = request.as_bytes();
        assert_eq!(bytes[..0x08], [4, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[0x08..0x10], [0x28, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[0x10..0x18], [2, 0, 0, 0, 7, 0, 0, 0]);
        assert_eq!(bytes[0x18..], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(request.is_well_formed());
    }

    #[test]
    fn reserved_bits_are_found() {
        let places = [
            (0, 1, true),
            (0, 4, true),
            (0, 8, false),
            (4, 1, false),
            (7, 0x80, false),
            (8, 0x3f, true),
            (8, 0x40, false),
            (15, 0x80, false),
        ];
        for (place, bits, well_formed) in places {
            let mut bytes = [0; 0x20];
            bytes[place] = bits;
            let request = DerivedKeyRequest::read_from_bytes(&bytes).unwrap();
            assert_eq!(request.is_well_formed(), well_formed, "{place}: {bits:#x}");
        }
    }

    #[test]
    fn key_comes_with_success_only() {
        let response = DerivedKeyResponse::with_key(DerivedKey::new([0xa5; 32]));
        let mut bytes = [0; 0x40];
        bytes.copy_from_slice(response.as_bytes());
        assert_eq!(bytes[..0x20], [0; 0x20]);
        assert_eq!(*response.into_key().unwrap().expose(), [0xa5; 32]);

        bytes[0] = 0x16;
        let response = DerivedKeyResponse::read_from_bytes(&bytes).unwrap();
        assert_eq!(response.into_key().unwrap_err(), FirmwareStatus::INVALID_PARAMETER);
        let refusal = DerivedKeyResponse::refusal(FirmwareStatus::INVALID_KEY);
        assert_eq!(refusal.as_bytes()[1..], [0; 0x3f]);
    }

    #[test]
    fn key_does_not_show() {
        let response = DerivedKeyResponse::with_key(DerivedKey::new([0xa5; 32]));
        let text = format!("{response:?} {response:#?}");
        assert!(text.contains("redacted"), "{text}");
        assert!(!text.contains("a5") && !text.contains("165"), "{text}");
    }
}
