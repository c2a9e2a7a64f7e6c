//! ID blocks: whose guest it is.

use abi_snp::{
    Curve, Digest, EcdsaP384PublicKey, EcdsaSignature, FirmwareStatus, IdAuthentication, IdBlock,
    KeyAlgorithm, P384Integer, Policy,
};
use snp_launch::key_digest;
use zerocopy::{FromBytes, IntoBytes};

use crate::launch::samples::{
    POLICY, authentication, id_block, key, launch, platform, public, sign,
};
use crate::launch::{AuthorKey, FinishParameters, Identity, IdentityRefusal, LaunchedGuest};

/// What becomes of the sample guest when `change` is made to a right identity.
fn finish(
    author_key: AuthorKey,
    change: impl FnOnce(&mut IdBlock, &mut IdAuthentication),
) -> Result<LaunchedGuest, IdentityRefusal> {
    let platform = platform();
    let launch = launch(&platform);
    let mut block = id_block(&launch);
    let mut authentication = authentication(&block);
    change(&mut block, &mut authentication);
    let identity = Identity { block: &block, authentication: &authentication, author_key };
    launch.finish(FinishParameters { identity: Some(identity), host_data: [0; 32] })
}

fn refusal(
    author_key: AuthorKey,
    change: impl FnOnce(&mut IdBlock, &mut IdAuthentication),
) -> IdentityRefusal {
    finish(author_key, change).unwrap_err()
}

#[test]
fn owner_stands_in_the_guest() {
    let guest = finish(AuthorKey::Present, |_, _| ()).unwrap();
    assert_eq!(guest.id_key_digest(), key_digest(&public(&key(1))));
    assert_eq!(guest.author_key_digest(), Some(key_digest(&public(&key(2)))));
    assert_eq!((guest.family_id(), guest.image_id()), ([0xfa; 16], [0x1a; 16]));
    assert_eq!(guest.guest_svn(), 3);
}

#[test]
fn author_that_is_not_presented_does_not_count() {
    let guest = finish(AuthorKey::Absent, |_, authentication| {
        authentication.author_key_algorithm = KeyAlgorithm(9);
        authentication.author_key = EcdsaP384PublicKey::NONE;
    });
    assert_eq!(guest.unwrap().author_key_digest(), None);
}

#[test]
fn another_guest_is_refused() {
    let refusal = refusal(AuthorKey::Present, |block, authentication| {
        block.launch_digest = Digest([1; 48]);
        authentication.id_block_signature = sign(&key(1), block.as_bytes());
    });
    assert!(matches!(
        refusal,
        IdentityRefusal::LaunchDigest { demanded: Digest([1, ..]), actual } if actual != Digest::ZERO
    ));
    assert_eq!(refusal.status(), FirmwareStatus::BAD_MEASUREMENT);
}

#[test]
fn another_policy_is_refused() {
    let demanded = Policy::from_bits(POLICY.bits() | 1 << 19);
    let refusal = refusal(AuthorKey::Present, |block, authentication| {
        block.policy = demanded;
        authentication.id_block_signature = sign(&key(1), block.as_bytes());
    });
    assert_eq!(refusal, IdentityRefusal::Policy { actual: POLICY, demanded });
    assert_eq!(refusal.status(), FirmwareStatus::POLICY_FAILURE);
}

#[test]
fn other_algorithms_are_refused() {
    let changes: [fn(&mut IdAuthentication); 2] = [
        |authentication| authentication.id_key_algorithm = KeyAlgorithm::NONE,
        |authentication| authentication.author_key_algorithm = KeyAlgorithm(2),
    ];
    for change in changes {
        let refusal = refusal(AuthorKey::Present, |_, authentication| change(authentication));
        assert_eq!(refusal, IdentityRefusal::Algorithm);
        assert_eq!(refusal.status(), FirmwareStatus::INVALID_PARAMETER);
    }
}

#[test]
fn signatures_are_verified() {
    // What was signed is another block.
    let other = refusal(AuthorKey::Present, |block, _| block.guest_svn += 1);
    assert_eq!(other, IdentityRefusal::IdBlockSignature);
    assert_eq!(other.status(), FirmwareStatus::BAD_SIGNATURE);

    let swapped = refusal(AuthorKey::Present, |_, authentication| {
        authentication.id_key = public(&key(2));
    });
    assert_eq!(swapped, IdentityRefusal::IdBlockSignature);

    let unsigned = refusal(AuthorKey::Present, |_, authentication| {
        authentication.id_key_signature = EcdsaSignature::NONE;
    });
    assert_eq!(unsigned, IdentityRefusal::IdKeySignature);
    assert_eq!(unsigned.status(), FirmwareStatus::BAD_SIGNATURE);

    // The author signs the whole structure, its unused bytes too.
    let padded = refusal(AuthorKey::Present, |_, authentication| {
        let mut bytes = [0; 0x404];
        bytes.copy_from_slice(authentication.id_key.as_bytes());
        bytes[0x403] = 1;
        authentication.id_key = EcdsaP384PublicKey::read_from_bytes(&bytes).unwrap();
    });
    assert_eq!(padded, IdentityRefusal::IdKeySignature);
}

#[test]
fn keys_that_are_none_are_refused() {
    let beyond = P384Integer([0xff; 72]);
    let zero = P384Integer::ZERO;
    let good = public(&key(1));
    let mut other_curve = good;
    other_curve.curve = Curve(1);
    let keys = [
        EcdsaP384PublicKey::NONE,
        EcdsaP384PublicKey::new(zero, zero),
        EcdsaP384PublicKey::new(good.y, good.x),
        EcdsaP384PublicKey::new(beyond, good.y),
        other_curve,
    ];
    for id_key in keys {
        let refusal = refusal(AuthorKey::Absent, |_, authentication| {
            authentication.id_key = id_key;
        });
        assert_eq!(refusal, IdentityRefusal::IdBlockSignature, "{id_key:?}");
    }
    for signature in [EcdsaSignature::new(beyond, zero), EcdsaSignature::new(zero, beyond)] {
        let refusal = refusal(AuthorKey::Absent, |_, authentication| {
            authentication.id_block_signature = signature;
        });
        assert_eq!(refusal, IdentityRefusal::IdBlockSignature);
    }
}

#[test]
fn version_of_the_block_is_not_looked_at() {
    let guest = finish(AuthorKey::Absent, |block, authentication| {
        block.version = 7;
        authentication.id_block_signature = sign(&key(1), block.as_bytes());
    });
    assert!(guest.is_ok());
}
