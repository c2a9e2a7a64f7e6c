//! ID block and ID authentication information.
//!
//! With an ID block the guest's owner says, at the end of the launch, which
//! digest and policy the guest must have; the security processor refuses every
//! other guest. The signatures make the identity of the owner part of the
//! attestation report: the ID key signs the block, and an author key may sign
//! the ID key [SNP ABI 56860 §8.18].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::digest::Digest;
use crate::ecdsa::{EcdsaP384PublicKey, EcdsaSignature, KeyAlgorithm};
use crate::policy::Policy;

/// What the guest must be: 0x60 bytes, which the ID key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct IdBlock {
    /// Expected launch digest.
    pub launch_digest: Digest,
    /// Family of the guest; the owner's to choose.
    pub family_id: [u8; 16],
    /// Image of the guest; the owner's to choose.
    pub image_id: [u8; 16],
    /// Version of the format, [`IdBlock::VERSION`].
    pub version: u32,
    /// Security version number of the guest; keys can be bound to it.
    pub guest_svn: u32,
    /// Policy that the guest must have been launched with.
    pub policy: Policy,
}

impl IdBlock {
    /// The only version there is.
    pub const VERSION: u32 = 1;
}

/// The keys and signatures that belong to an [`IdBlock`]: one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct IdAuthentication {
    /// Algorithm of the ID key.
    pub id_key_algorithm: KeyAlgorithm,
    /// Algorithm of the author key, [`KeyAlgorithm::NONE`] without one.
    pub author_key_algorithm: KeyAlgorithm,
    _reserved_008: [u8; 0x38],
    /// Signature of the whole [`IdBlock`] by the ID key.
    pub id_block_signature: EcdsaSignature,
    /// The ID key.
    pub id_key: EcdsaP384PublicKey,
    _reserved_644: [u8; 0x3c],
    /// Signature of the whole of [`Self::id_key`] by the author key.
    pub id_key_signature: EcdsaSignature,
    /// The author key.
    pub author_key: EcdsaP384PublicKey,
    _reserved_c84: [u8; 0x37c],
}

impl IdAuthentication {
    /// Authentication by an ID key alone.
    #[must_use]
    pub const fn by_id_key(id_key: EcdsaP384PublicKey, id_block_signature: EcdsaSignature) -> Self {
        Self {
            id_key_algorithm: KeyAlgorithm::ECDSA_P384_SHA384,
            author_key_algorithm: KeyAlgorithm::NONE,
            _reserved_008: [0; 0x38],
            id_block_signature,
            id_key,
            _reserved_644: [0; 0x3c],
            id_key_signature: EcdsaSignature::NONE,
            author_key: EcdsaP384PublicKey::NONE,
            _reserved_c84: [0; 0x37c],
        }
    }

    /// The same, with the ID key certified by an author key.
    #[must_use]
    pub const fn certified_by(
        self,
        author_key: EcdsaP384PublicKey,
        id_key_signature: EcdsaSignature,
    ) -> Self {
        let author_key_algorithm = KeyAlgorithm::ECDSA_P384_SHA384;
        Self { author_key_algorithm, author_key, id_key_signature, ..self }
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<IdBlock>() == 0x60);
    assert!(offset_of!(IdBlock, family_id) == 0x30);
    assert!(offset_of!(IdBlock, image_id) == 0x40);
    assert!(offset_of!(IdBlock, version) == 0x50);
    assert!(offset_of!(IdBlock, guest_svn) == 0x54);
    assert!(offset_of!(IdBlock, policy) == 0x58);

    assert!(size_of::<IdAuthentication>() == 0x1000);
    assert!(offset_of!(IdAuthentication, author_key_algorithm) == 0x004);
    assert!(offset_of!(IdAuthentication, id_block_signature) == 0x040);
    assert!(offset_of!(IdAuthentication, id_key) == 0x240);
    assert!(offset_of!(IdAuthentication, id_key_signature) == 0x680);
    assert!(offset_of!(IdAuthentication, author_key) == 0x880);
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecdsa::P384Integer;
    use crate::policy::PolicyFlags;

    fn key(byte: u8) -> EcdsaP384PublicKey {
        EcdsaP384PublicKey::new(P384Integer([byte; 72]), P384Integer([byte; 72]))
    }

    fn signature(byte: u8) -> EcdsaSignature {
        EcdsaSignature::new(P384Integer([byte; 72]), P384Integer([byte; 72]))
    }

    #[test]
    fn block_is_written_field_by_field() {
        let block = IdBlock {
            launch_digest: Digest([0x11; 48]),
            family_id: [0x22; 16],
            image_id: [0x33; 16],
            version: IdBlock::VERSION,
            guest_svn: 0x4444_4444,
            policy: Policy::new(0, 31, PolicyFlags::SMT_ALLOWED),
        };
        let bytes = block.as_bytes();
        assert_eq!(bytes[..0x30], [0x11; 0x30]);
        assert_eq!(bytes[0x30..0x40], [0x22; 0x10]);
        assert_eq!(bytes[0x40..0x50], [0x33; 0x10]);
        assert_eq!(bytes[0x50..0x58], [1, 0, 0, 0, 0x44, 0x44, 0x44, 0x44]);
        assert_eq!(bytes[0x58..], [31, 0, 3, 0, 0, 0, 0, 0]);
        assert_eq!(IdBlock::read_from_bytes(bytes), Ok(block));
    }

    #[test]
    fn author_is_left_out_or_complete() {
        let alone = IdAuthentication::by_id_key(key(1), signature(2));
        assert_eq!(alone.as_bytes()[..8], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(alone.as_bytes()[0x680..], [0; 0x980]);

        let certified = alone.certified_by(key(3), signature(4));
        assert_eq!(certified.as_bytes()[..8], [1, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(certified.as_bytes()[0x40..0x680], alone.as_bytes()[0x40..0x680]);
        assert_eq!((certified.as_bytes()[0x680], certified.as_bytes()[0x884]), (4, 3));
    }
}
