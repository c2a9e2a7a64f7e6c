//! Tickets: the device's word to itself.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::handle;
use crate::wire::structure::Digest;

/// TPM_ST_CREATION.
pub(crate) const CREATION: u16 = 0x8021;
/// TPM_ST_VERIFIED.
pub(crate) const VERIFIED: u16 = 0x8022;
/// TPM_ST_AUTH_SECRET.
pub(crate) const AUTH_SECRET: u16 = 0x8023;
/// TPM_ST_HASHCHECK.
pub(crate) const HASH_CHECK: u16 = 0x8024;
/// TPM_ST_AUTH_SIGNED.
pub(crate) const AUTH_SIGNED: u16 = 0x8025;

/// A ticket of any kind [Part 2 §10.7]: what it vouches for, in which
/// hierarchy, and a MAC with that hierarchy's proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) tag: u16,
    pub(crate) hierarchy: u32,
    pub(crate) digest: Digest,
}

impl Ticket {
    /// The ticket of kind `tag` that vouches for nothing.
    pub(crate) const fn null(tag: u16) -> Self {
        Self { tag, hierarchy: handle::NULL, digest: Buffer::EMPTY }
    }
}

/// Whether a tag is one of `wanted`.
///
/// # Errors
///
/// [`ResponseCode::TAG`] for any other that Part 2 lists, [`ResponseCode::VALUE`]
/// for one that it does not [Part 2 §6.9].
fn check_tag(tag: u16, wanted: &[u16]) -> Result<(), ResponseCode> {
    match tag {
        _ if wanted.contains(&tag) => Ok(()),
        0x00C4 | 0x8000..=0x8002 | 0x8014..=0x801A | 0x801C | 0x8021..=0x8025 | 0x8029 => {
            Err(ResponseCode::TAG)
        }
        _ => Err(ResponseCode::VALUE),
    }
}

macro_rules! kinds {
    ($($(#[$meta:meta])* $name:ident [$($tag:ident)*];)*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) Ticket);

        impl Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
                check_tag(u16::read(&mut from.clone())?, &[$($tag),*])?;
                Ticket::read(from).map(Self)
            }
        })*
    };
}

kinds! {
    /// TPMT_TK_CREATION.
    CreationTicket [CREATION];
    /// TPMT_TK_VERIFIED.
    VerifiedTicket [VERIFIED];
    /// TPMT_TK_HASHCHECK.
    HashTicket [HASH_CHECK];
    /// TPMT_TK_AUTH.
    AuthorizationTicket [AUTH_SECRET AUTH_SIGNED];
}

impl Wire for Ticket {
    fn write(&self, out: &mut Vec<u8>) {
        self.tag.write(out);
        self.hierarchy.write(out);
        self.digest.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let tag = u16::read(from)?;
        if !matches!(tag, CREATION | VERIFIED | AUTH_SECRET | HASH_CHECK | AUTH_SIGNED) {
            return Err(ResponseCode::TAG);
        }
        let hierarchy = u32::read(from)?;
        if !matches!(
            hierarchy,
            handle::OWNER | handle::ENDORSEMENT | handle::PLATFORM | handle::NULL
        ) {
            return Err(ResponseCode::VALUE);
        }
        Ok(Self { tag, hierarchy, digest: Wire::read(from)? })
    }
}
