//! Objects: created, loaded, sealed, kept.

use alloc::vec::Vec;

use super::rig::{Rig, sized};
use crate::ResponseCode;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Sized16;
use crate::wire::public::{Details, Public};

pub(super) const OWNER: u32 = 0x4000_0001;
const NULL: u32 = 0x4000_0007;
const CREATE_PRIMARY: u32 = 0x131;
const CREATE: u32 = 0x153;
const LOAD: u32 = 0x157;

/// fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth.
pub(super) const COMMON: u32 = 0x72;
/// The same without an origin here: for what is given.
pub(super) const GIVEN: u32 = 0x52;
pub(super) const NO_DA: u32 = 1 << 10;
pub(super) const RESTRICTED: u32 = 1 << 16;
pub(super) const DECRYPT: u32 = 1 << 17;
pub(super) const SIGN: u32 = 1 << 18;

/// Type, SHA-256, attributes, no policy, and the rest.
pub(super) fn template(kind: u16, attributes: u32, rest: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &[0, 0x0B], &attributes.to_be_bytes(), &[0, 0], rest].concat()
}

/// A storage key on P-256 with AES-128-CFB.
pub(super) fn storage() -> Vec<u8> {
    template(
        0x23,
        COMMON | NO_DA | RESTRICTED | DECRYPT,
        &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10, 0, 0, 0, 0],
    )
}

/// A key on P-256 that signs with ECDSA and SHA-256.
pub(super) fn signing(more: u32) -> Vec<u8> {
    template(
        0x23,
        COMMON | NO_DA | SIGN | more,
        &[0, 0x10, 0, 0x18, 0, 0x0B, 0, 3, 0, 0x10, 0, 0, 0, 0],
    )
}

pub(super) fn sealed() -> Vec<u8> {
    template(8, GIVEN, &[0, 0x10, 0, 0])
}

/// The parameters of both commands that create.
pub(super) fn creation(auth: &[u8], data: &[u8], public: &[u8]) -> Vec<u8> {
    let sensitive = [sized(auth), sized(data)].concat();
    [sized(&sensitive), sized(public), sized(b"outside"), [0; 4].to_vec()].concat()
}

/// A primary object's handle and public area.
pub(super) fn primary(rig: &mut Rig, hierarchy: u32, public: &[u8]) -> (u32, Vec<u8>) {
    let answer = rig
        .with_passwords(CREATE_PRIMARY, &[hierarchy], &[b""], &creation(b"", b"", public))
        .expect("primary");
    let mut reader = Reader::new(&answer);
    let handle = u32::read(&mut reader).expect("handle");
    let Sized16(public) = Sized16::<Public>::read(&mut reader).expect("public");
    (handle, public.to_bytes())
}

/// Private and public part of a child.
pub(super) fn child(
    rig: &mut Rig,
    parent: u32,
    parameters: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), ResponseCode> {
    let answer = rig.with_passwords(CREATE, &[parent], &[b""], parameters)?;
    let length = |from: usize| usize::from(u16::from_be_bytes([answer[from], answer[from + 1]]));
    let private = 2 + length(0);
    let public = private + 2 + length(private);
    Ok((answer[..private].to_vec(), answer[private..public].to_vec()))
}

pub(super) fn load(
    rig: &mut Rig,
    parent: u32,
    private: &[u8],
    public: &[u8],
) -> Result<u32, ResponseCode> {
    let answer = rig.with_passwords(LOAD, &[parent], &[b""], &[private, public].concat())?;
    Ok(u32::from_be_bytes(answer[..4].try_into().expect("a handle")))
}

/// Nothing vouches for an object from outside: its qualified name is its name.
#[test]
fn what_is_loaded_from_outside_has_no_ancestors() {
    let mut rig = Rig::started();
    let (_, public) = primary(&mut rig, OWNER, &signing(0));
    for hierarchy in [OWNER, NULL] {
        let body = [&sized(b"")[..], &sized(&public), &hierarchy.to_be_bytes()].concat();
        let loaded = rig.call(0x167, &body).expect("loaded");
        let told = rig.call(0x173, &loaded[..4]).expect("its public area");
        let names = &told[2 + public.len()..];
        let (name, qualified) = names.split_at(names.len() / 2);
        assert_eq!(name, qualified);
        assert_eq!(name, &loaded[4..]);
    }
}

#[test]
fn the_size_of_a_private_part_tells_nothing_of_the_authorization() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let mut made = |auth: &[u8]| {
        child(&mut rig, parent, &creation(auth, b"secret", &sealed())).expect("sealed")
    };
    let (none, _) = made(b"");
    let (longest, _) = made(&[1; 32]);
    let (some, public) = made(b"word");
    assert_eq!(none.len(), some.len());
    assert_eq!(none.len(), longest.len());
    let object = load(&mut rig, parent, &some, &public).expect("loaded");
    let unseal = |rig: &mut Rig, auth: &[u8]| rig.with_passwords(0x15E, &[object], &[auth], &[]);
    assert_eq!(unseal(&mut rig, b"word"), Ok(sized(b"secret")));
    // The zeros were no part of the value.
    assert_eq!(unseal(&mut rig, b"word\0\0"), Ok(sized(b"secret")));
    assert_eq!(unseal(&mut rig, b"wor"), Err(ResponseCode::AUTH_FAIL.session(1)));
    let change = rig.with_passwords(0x150, &[object, parent], &[b"word"], &sized(b"other"));
    assert_eq!(change.expect("changed").len(), none.len());
}

#[test]
fn the_same_template_makes_the_same_primary() {
    let mut rig = Rig::started();
    let (first, public) = primary(&mut rig, OWNER, &storage());
    let (second, again) = primary(&mut rig, OWNER, &storage());
    assert_eq!(public, again);
    assert_ne!(first, second);
    let (_, other) = primary(&mut rig, NULL, &storage());
    assert_ne!(public, other, "another hierarchy, another seed");
    assert_eq!(
        rig.with_passwords(CREATE_PRIMARY, &[OWNER], &[b""], &creation(b"", b"", &storage())),
        Err(ResponseCode::OBJECT_MEMORY)
    );
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    assert_eq!(primary(&mut rig, OWNER, &storage()).1, public);
    assert_ne!(primary(&mut rig, NULL, &storage()).1, other, "a new null seed");
    rig.with_passwords(0x126, &[0x4000_000A], &[b""], &[]).expect("clear");
    assert_ne!(primary(&mut rig, OWNER, &storage()).1, public, "a new owner's seed");
}

#[test]
fn an_rsa_primary_is_made_and_protects() {
    let mut rig = Rig::started();
    let public = template(
        1,
        COMMON | NO_DA | RESTRICTED | DECRYPT,
        &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0],
    );
    let (parent, made) = primary(&mut rig, OWNER, &public);
    let Ok(Public { details: Details::Rsa { modulus, .. }, .. }) = Public::from_bytes(&made) else {
        panic!("an RSA key was asked for");
    };
    assert_eq!(modulus.len(), 256);
    let (private, public) =
        child(&mut rig, parent, &creation(b"", b"", &signing(0))).expect("child");
    load(&mut rig, parent, &private, &public).expect("load");
}

#[test]
fn sealed_data_comes_back_to_whoever_knows_the_value() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let (private, public) =
        child(&mut rig, parent, &creation(b"pw", b"a secret", &sealed())).expect("seal");
    let handle = load(&mut rig, parent, &private, &public).expect("load");
    assert_eq!(rig.with_passwords(0x15E, &[handle], &[b"pw"], &[]), Ok(sized(b"a secret")));
    assert_eq!(
        rig.with_passwords(0x15E, &[handle], &[b"no"], &[]),
        Err(ResponseCode::AUTH_FAIL.session(1))
    );
    assert_eq!(
        rig.with_passwords(0x15E, &[parent], &[b""], &[]),
        Err(ResponseCode::TYPE.handle(1))
    );
    let changed = rig.with_passwords(0x150, &[handle, parent], &[b"pw"], &sized(b"new"));
    let private = changed.expect("change");
    rig.call(0x165, &handle.to_be_bytes()).expect("flush");
    let handle = load(&mut rig, parent, &private, &public).expect("load");
    assert_eq!(rig.with_passwords(0x15E, &[handle], &[b"new"], &[]), Ok(sized(b"a secret")));
}

#[test]
fn what_was_tampered_with_or_belongs_elsewhere_is_not_loaded() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let (private, public) =
        child(&mut rig, parent, &creation(b"", b"data", &sealed())).expect("seal");
    for place in 2..private.len() {
        let mut changed = private.clone();
        changed[place] ^= 1;
        let refused = load(&mut rig, parent, &changed, &public).expect_err("refused");
        assert!(
            [ResponseCode::INTEGRITY, ResponseCode::SIZE, ResponseCode::INSUFFICIENT]
                .map(|code| code.parameter(1))
                .contains(&refused),
            "{refused}"
        );
    }
    let mut other = public.clone();
    // Another attribute: noDA.
    other[8] ^= 4;
    assert_eq!(load(&mut rig, parent, &private, &other), Err(ResponseCode::INTEGRITY.parameter(1)));
    let (stranger, _) = primary(&mut rig, NULL, &storage());
    assert_eq!(
        load(&mut rig, stranger, &private, &public),
        Err(ResponseCode::INTEGRITY.parameter(1))
    );
    assert_eq!(load(&mut rig, parent, &[0, 0], &public), Err(ResponseCode::SIZE.parameter(1)));
}

#[test]
fn templates_that_make_no_sense_are_refused() {
    let mut rig = Rig::started();
    let refused = |rig: &mut Rig, public: &[u8], data: &[u8]| {
        rig.with_passwords(CREATE_PRIMARY, &[OWNER], &[b""], &creation(b"", data, public))
            .expect_err("refused")
    };
    let ecc = |attributes: u32, rest: &[u8]| template(0x23, attributes, rest);
    let plain = [0, 0x10, 0, 0x10, 0, 3, 0, 0x10, 0, 0, 0, 0];
    let cases = [
        (ecc(COMMON, &plain), ResponseCode::ATTRIBUTES),
        (ecc(0x62 | SIGN, &plain), ResponseCode::ATTRIBUTES),
        (ecc(0x70 | SIGN, &plain), ResponseCode::ATTRIBUTES),
        (ecc(GIVEN | SIGN, &plain), ResponseCode::ATTRIBUTES),
        (ecc(COMMON | RESTRICTED | SIGN | DECRYPT, &plain), ResponseCode::ATTRIBUTES),
        (ecc(COMMON | RESTRICTED | SIGN, &plain), ResponseCode::SCHEME),
        (ecc(COMMON | RESTRICTED | DECRYPT, &plain), ResponseCode::SYMMETRIC),
        (ecc(COMMON | DECRYPT | 1, &plain), ResponseCode::RESERVED_BITS),
        (ecc(COMMON | SIGN, &[0, 0x10, 0, 0x10, 0, 9, 0, 0x10, 0, 0, 0, 0]), ResponseCode::CURVE),
        (ecc(COMMON | SIGN, &[0, 0x10, 0, 0x14, 0, 0x0B]), ResponseCode::SCHEME),
        (ecc(COMMON | SIGN, &[0, 0x10, 0, 0x10, 0, 3, 0, 0x22]), ResponseCode::KDF),
        (
            ecc(COMMON | SIGN, &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10, 0, 0, 0, 0]),
            ResponseCode::SYMMETRIC,
        ),
        (template(8, COMMON, &[0, 0x10, 0, 0]), ResponseCode::ATTRIBUTES),
        (template(9, COMMON, &[]), ResponseCode::TYPE),
        (template(1, COMMON | SIGN, &[0, 0x10, 0, 0x10, 2, 0]), ResponseCode::VALUE),
    ];
    for (public, code) in cases {
        assert_eq!(refused(&mut rig, &public, b""), code.parameter(2));
    }
    let long =
        rig.with_passwords(CREATE_PRIMARY, &[OWNER], &[b""], &creation(&[1; 33], b"", &storage()));
    assert_eq!(long, Err(ResponseCode::SIZE.parameter(1)));
    let (signer, _) = primary(&mut rig, OWNER, &signing(0));
    assert_eq!(
        child(&mut rig, signer, &creation(b"", b"", &signing(0))),
        Err(ResponseCode::TYPE.handle(1))
    );
}

#[test]
fn a_parent_protects_whatever_mode_it_names() {
    let ecc = |mode: u8| [0, 6, 0, 128, 0, mode, 0, 0x10, 0, 3, 0, 0x10, 0, 0, 0, 0].to_vec();
    let cases = [
        (0x25, [0, 6, 0, 128, 0, 0x10, 0, 0].to_vec()),
        (0x25, [0, 6, 0, 128, 0, 0x40, 0, 0].to_vec()),
        (0x23, ecc(0x44)),
    ];
    for (kind, details) in cases {
        let mut rig = Rig::started();
        let parent = template(kind, COMMON | RESTRICTED | DECRYPT, &details);
        let (parent, _) = primary(&mut rig, OWNER, &parent);
        let (private, public) =
            child(&mut rig, parent, &creation(b"", b"data", &sealed())).expect("seal");
        load(&mut rig, parent, &private, &public).expect("load");
    }
}

#[test]
fn a_persistent_object_outlasts_power() {
    let mut rig = Rig::started();
    let (handle, public) = primary(&mut rig, OWNER, &storage());
    let place = 0x8100_0001_u32;
    let keep = |rig: &mut Rig, by: u32, handle: u32, place: u32| {
        rig.with_passwords(0x120, &[by, handle], &[b""], &place.to_be_bytes())
    };
    assert_eq!(keep(&mut rig, OWNER, handle, 0x8180_0000), Err(ResponseCode::RANGE.parameter(1)));
    assert_eq!(keep(&mut rig, OWNER, handle, 0x8000_0005), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(
        keep(&mut rig, 0x4000_000C, handle, 0x8180_0000),
        Err(ResponseCode::HIERARCHY.handle(2))
    );
    keep(&mut rig, OWNER, handle, place).expect("keep");
    assert_eq!(keep(&mut rig, OWNER, handle, place), Err(ResponseCode::NV_DEFINED));
    let (passing, _) = primary(&mut rig, NULL, &storage());
    assert_eq!(
        keep(&mut rig, OWNER, passing, 0x8100_0002),
        Err(ResponseCode::ATTRIBUTES.handle(2))
    );
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    let read = rig.call(0x173, &place.to_be_bytes()).expect("public");
    assert_eq!(read[..2 + public.len()], sized(&public));
    let (private, part) = child(&mut rig, place, &creation(b"", b"data", &sealed())).expect("seal");
    load(&mut rig, place, &private, &part).expect("load");
    keep(&mut rig, OWNER, place, place).expect("evict");
    assert_eq!(rig.call(0x173, &place.to_be_bytes()), Err(ResponseCode::HANDLE.handle(1)));
    // The platform removes what the owner keeps, but not the other way round.
    let (handle, _) = primary(&mut rig, OWNER, &storage());
    keep(&mut rig, OWNER, handle, place).expect("keep");
    assert_eq!(keep(&mut rig, 0x4000_000C, place, place + 1), Err(ResponseCode::HANDLE.handle(2)));
    keep(&mut rig, 0x4000_000C, place, place).expect("evict");
    let (handle, _) = primary(&mut rig, 0x4000_000C, &storage());
    let place = 0x8180_0000;
    assert_eq!(
        keep(&mut rig, 0x4000_000C, handle, 0x8100_0001),
        Err(ResponseCode::RANGE.parameter(1))
    );
    keep(&mut rig, 0x4000_000C, handle, place).expect("keep");
    assert_eq!(keep(&mut rig, OWNER, place, place), Err(ResponseCode::HIERARCHY.handle(2)));
}
