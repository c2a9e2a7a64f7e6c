//! Objects that go from parent to parent.

use alloc::vec::Vec;

use tpm_crypto::ecc::{Curve, Scalar};
use tpm_crypto::portable::Portable;
use tpm_crypto::provider::Curves;

use super::objects::{
    COMMON, DECRYPT, NO_DA, OWNER, RESTRICTED, SIGN, child, creation, load, primary, storage,
    template,
};
use super::rig::{Answer, Rig, sized};
use crate::ResponseCode;

const NULL: u32 = 0x4000_0007;
const DUPLICATE: u32 = 0x14B;
const REWRAP: u32 = 0x152;
const IMPORT: u32 = 0x156;
const NO_CIPHER: [u8; 2] = [0, 0x10];
const AES: [u8; 6] = [0, 6, 0, 128, 0, 0x43];
const ENCRYPTED: u32 = 1 << 11;

/// A storage key of RSA.
fn rsa_storage() -> Vec<u8> {
    template(
        1,
        COMMON | NO_DA | RESTRICTED | DECRYPT,
        &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0],
    )
}

/// A policy session that allows duplication, and its digest.
fn allowing(rig: &mut Rig) -> (u32, Vec<u8>) {
    let body = [
        &NULL.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&[7; 16]),
        &sized(b""),
        &[1, 0, 0x10, 0, 0x0B],
    ]
    .concat();
    let answer = rig.call(0x176, &body).expect("session");
    let handle = answer[..4].to_vec();
    rig.call(0x16C, &[&handle[..], &DUPLICATE.to_be_bytes()].concat()).expect("policy");
    let digest = rig.call(0x189, &handle).expect("digest");
    (u32::from_be_bytes(handle.try_into().expect("a handle")), digest[2..].to_vec())
}

/// A signing key that may be duplicated: neither fixedTPM nor fixedParent.
fn moving(policy: &[u8], more: u32) -> Vec<u8> {
    [
        &[0, 0x23, 0, 0x0B][..],
        &(0x60 | NO_DA | SIGN | more).to_be_bytes(),
        &sized(policy),
        &[0, 0x10, 0, 0x18, 0, 0x0B, 0, 3, 0, 0x10, 0, 0, 0, 0],
    ]
    .concat()
}

pub(super) fn duplicate(
    rig: &mut Rig,
    object: u32,
    parent: u32,
    session: u32,
    parameters: &[u8],
) -> Answer {
    let area = [&session.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    rig.with_area(DUPLICATE, &[object, parent], &area, parameters).map(|(body, _)| body)
}

/// The sized buffers that an answer consists of, each with its size.
pub(super) fn buffers(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((size, _)) = rest.split_first_chunk::<2>() {
        let (buffer, after) = rest.split_at(2 + usize::from(u16::from_be_bytes(*size)));
        all.push(buffer.to_vec());
        rest = after;
    }
    all
}

/// A device with a parent and a key that may be duplicated, both loaded.
pub(super) struct Scene {
    pub(super) rig: Rig,
    pub(super) parent: u32,
    pub(super) public: Vec<u8>,
    pub(super) object: u32,
    pub(super) session: u32,
}

pub(super) fn scene(more: u32) -> Scene {
    let mut rig = Rig::started();
    let (session, policy) = allowing(&mut rig);
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let (private, public) =
        child(&mut rig, parent, &creation(b"pw", b"", &moving(&policy, more))).expect("child");
    let object = load(&mut rig, parent, &private, &public).expect("load");
    Scene { rig, parent, public, object, session }
}

#[test]
fn a_key_moves_to_either_kind_of_parent_and_still_signs() {
    for (other, cipher) in [(storage(), &AES[..]), (rsa_storage(), &NO_CIPHER)] {
        let Scene { mut rig, parent, public, object, session } = scene(0);
        rig.call(0x165, &parent.to_be_bytes()).expect("flush");
        let (parent, _) = primary(&mut rig, NULL, &other);
        let answer =
            duplicate(&mut rig, object, parent, session, &[&sized(b"")[..], cipher].concat())
                .expect("duplicate");
        let parts = buffers(&answer);
        let [key, private, seed] = &parts[..] else { panic!("three buffers") };
        assert_eq!(key.len() > 2, cipher == AES, "a key was made if one is needed");
        let import = |key: &[u8], private: &[u8], seed: &[u8], cipher: &[u8]| {
            [key, &public, private, seed, cipher].concat()
        };
        let imported = rig
            .with_passwords(IMPORT, &[parent], &[b""], &import(key, private, seed, cipher))
            .expect("import");
        let moved = load(&mut rig, parent, &imported, &public).expect("load");
        let sign = [&sized(&[1; 32])[..], &NO_CIPHER, &[0x80, 0x24, 0x40, 0, 0, 7, 0, 0]].concat();
        rig.with_passwords(0x15D, &[moved], &[b"pw"], &sign).expect("sign");

        let mut wrong = private.clone();
        wrong[40] ^= 1;
        assert_eq!(
            rig.with_passwords(IMPORT, &[parent], &[b""], &import(key, &wrong, seed, cipher)),
            Err(ResponseCode::INTEGRITY.parameter(3))
        );
        assert_eq!(
            rig.with_passwords(
                IMPORT,
                &[parent],
                &[b""],
                &import(&sized(&[1; 3]), private, seed, cipher)
            ),
            Err(ResponseCode::SIZE.parameter(1))
        );
        let mut wrong = seed.clone();
        *wrong.last_mut().expect("a seed") ^= 1;
        let refused = rig
            .with_passwords(IMPORT, &[parent], &[b""], &import(key, private, &wrong, cipher))
            .expect_err("refused");
        assert!(
            [ResponseCode::ECC_POINT.parameter(4), ResponseCode::VALUE.parameter(4)]
                .contains(&refused),
            "{refused}"
        );
    }
}

#[test]
fn a_duplicate_without_wraps_is_the_sensitive_area() {
    let Scene { mut rig, parent, public, object, session } = scene(0);
    let parameters = [&sized(b"")[..], &NO_CIPHER].concat();
    let answer = duplicate(&mut rig, object, NULL, session, &parameters).expect("duplicate");
    let parts = buffers(&answer);
    assert_eq!(parts[0], [0, 0]);
    assert_eq!(parts[1][4..10], [0, 0x23, 0, 32, b'p', b'w']);
    assert_eq!(parts[1][10..40], [0; 30], "as long as the name's digest");
    assert_eq!(parts[2], [0, 0]);
    let import = [&[0, 0][..], &public, &parts[1], &[0, 0], &NO_CIPHER].concat();
    let imported = rig.with_passwords(IMPORT, &[parent], &[b""], &import).expect("import");
    load(&mut rig, parent, &imported, &public).expect("load");
    // Others may leave the zeros out.
    let short = sized(&[&[0, 0x23, 0, 2, b'p', b'w'][..], &parts[1][40..]].concat());
    let import = [&[0, 0][..], &public, &sized(&short), &[0, 0], &NO_CIPHER].concat();
    let again = rig.with_passwords(IMPORT, &[parent], &[b""], &import).expect("import");
    assert_eq!(again.len(), imported.len());
    // A key that belongs to another public area.
    let mut other = parts[1].clone();
    *other.last_mut().expect("a scalar") ^= 1;
    let import = [&[0, 0][..], &public, &other, &[0, 0], &NO_CIPHER].concat();
    assert_eq!(rig.with_passwords(IMPORT, &[parent], &[b""], &import), Err(ResponseCode::BINDING));
}

#[test]
fn a_duplicate_can_be_wrapped_anew() {
    let Scene { mut rig, parent, public, object, session } = scene(0);
    let parameters = [&sized(&[9; 16])[..], &AES].concat();
    let answer = duplicate(&mut rig, object, parent, session, &parameters).expect("duplicate");
    let parts = buffers(&answer);
    assert_eq!(parts[0], [0, 0], "the key was given");
    let name = rig.call(0x173, &object.to_be_bytes()).expect("public");
    let name = buffers(&name)[1].clone();
    rig.call(0x165, &object.to_be_bytes()).expect("flush");
    let (other, _) = primary(&mut rig, NULL, &storage());
    let rewrap = [&parts[1][..], &name, &parts[2]].concat();
    let passwords: [&[u8]; 1] = [b""];
    let answer = rig.with_passwords(REWRAP, &[parent, other], &passwords, &rewrap).expect("rewrap");
    let again = buffers(&answer);
    let import = [&sized(&[9; 16])[..], &public, &again[0], &again[1], &AES].concat();
    let imported = rig.with_passwords(IMPORT, &[other], &[b""], &import).expect("import");
    load(&mut rig, other, &imported, &public).expect("load");
    assert_eq!(
        rig.with_passwords(REWRAP, &[NULL, other], &passwords, &rewrap),
        Err(ResponseCode::HANDLE.handle(1))
    );
    assert_eq!(
        rig.with_passwords(REWRAP, &[other, parent], &passwords, &rewrap),
        Err(ResponseCode::INTEGRITY.parameter(1))
    );
    let short = [&parts[1][..], &name, &sized(&[1; 9])].concat();
    assert_eq!(
        rig.with_passwords(REWRAP, &[parent, other], &passwords, &short),
        Err(ResponseCode::VALUE.parameter(3))
    );
}

#[test]
fn duplication_is_refused_where_it_has_to_be() {
    let Scene { mut rig, parent, public, object, session } = scene(ENCRYPTED);
    let plain = [&sized(b"")[..], &NO_CIPHER].concat();
    let wrapped = [&sized(b"")[..], &AES].concat();
    assert_eq!(
        duplicate(&mut rig, object, parent, session, &plain),
        Err(ResponseCode::SYMMETRIC.parameter(2))
    );
    assert_eq!(
        duplicate(&mut rig, object, NULL, session, &wrapped),
        Err(ResponseCode::HIERARCHY.handle(2))
    );
    assert_eq!(
        duplicate(&mut rig, object, object, session, &wrapped),
        Err(ResponseCode::TYPE.handle(2))
    );
    assert_eq!(
        duplicate(&mut rig, object, parent, session, &[&sized(&[1; 5])[..], &AES].concat()),
        Err(ResponseCode::SIZE.parameter(1))
    );
    // A password does not authorize it, nor a policy for another command.
    assert_eq!(
        rig.with_passwords(DUPLICATE, &[object, parent], &[b"pw"], &wrapped),
        Err(ResponseCode::AUTH_TYPE.session(1))
    );
    let answer = duplicate(&mut rig, object, parent, session, &wrapped).expect("duplicate");
    let parts = buffers(&answer);
    let without_seed = [&parts[0][..], &public, &parts[1], &[0, 0], &AES].concat();
    assert_eq!(
        rig.with_passwords(IMPORT, &[parent], &[b""], &without_seed),
        Err(ResponseCode::ATTRIBUTES.parameter(4)),
        "the outer wrap is missing"
    );
    let without_key = [&[0, 0][..], &public, &parts[1], &parts[2], &NO_CIPHER].concat();
    assert_eq!(
        rig.with_passwords(IMPORT, &[parent], &[b""], &without_key),
        Err(ResponseCode::ATTRIBUTES.parameter(1)),
        "the inner wrap is missing"
    );
    let mut fixed = public.clone();
    fixed[9] |= 0x10;
    let import = [&parts[0][..], &fixed, &parts[1], &parts[2], &AES].concat();
    assert_eq!(
        rig.with_passwords(IMPORT, &[parent], &[b""], &import),
        Err(ResponseCode::ATTRIBUTES.parameter(2))
    );
    rig.call(0x180, &session.to_be_bytes()).expect("restart");
    assert_eq!(
        duplicate(&mut rig, object, parent, session, &wrapped),
        Err(ResponseCode::POLICY_FAIL.session(1))
    );
}

/// Without a seed anyone could compute what protects a parent's children.
#[test]
fn a_parent_needs_a_seed() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let scalar = Scalar::new(Curve::P256, &[7]).expect("a scalar");
    let point = Portable.public_key(&scalar).expect("a point");
    let public = template(
        0x23,
        0x40 | NO_DA | RESTRICTED | DECRYPT,
        &[
            &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10][..],
            &sized(point.x()),
            &sized(point.y()),
        ]
        .concat(),
    );
    for (seed, answer) in [(0, Err(())), (15, Err(())), (16, Ok(())), (32, Ok(())), (33, Err(()))] {
        let seed = sized(&alloc::vec![5; seed]);
        let sensitive = [&[0, 0x23, 0, 0][..], &seed, &sized(scalar.as_bytes())].concat();
        let private = sized(&sized(&sensitive));
        let import = [&[0, 0][..], &sized(&public), &private, &[0, 0], &NO_CIPHER].concat();
        let imported = rig.with_passwords(IMPORT, &[parent], &[b""], &import);
        let expected = answer.map_err(|()| ResponseCode::SIZE.parameter(3));
        assert_eq!(imported.map(|_| ()), expected);
    }
}

/// Below a parent that can leave the device itself, what is imported is checked when
/// it is loaded.
#[test]
fn what_a_moving_parent_imports_is_checked_by_load() {
    let Scene { mut rig, parent, public, object, session } = scene(0);
    let plain = [&sized(b"")[..], &NO_CIPHER].concat();
    let answer = duplicate(&mut rig, object, NULL, session, &plain).expect("duplicate");
    let mut other = buffers(&answer)[1].clone();
    *other.last_mut().expect("a scalar") ^= 1;
    let import = [&[0, 0][..], &public, &other, &[0, 0], &NO_CIPHER].concat();
    rig.call(0x165, &object.to_be_bytes()).expect("flush");
    let template = template(
        0x23,
        0x60 | NO_DA | RESTRICTED | DECRYPT,
        &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10, 0, 0, 0, 0],
    );
    let (private, area) =
        child(&mut rig, parent, &creation(b"", b"", &template)).expect("a parent");
    let moving = load(&mut rig, parent, &private, &area).expect("load");
    assert_eq!(rig.with_passwords(IMPORT, &[parent], &[b""], &import), Err(ResponseCode::BINDING));
    let imported =
        rig.with_passwords(IMPORT, &[moving], &[b""], &import).expect("not yet looked at");
    let loaded = rig.with_passwords(0x157, &[moving], &[b""], &[&imported[..], &public].concat());
    assert_eq!(loaded, Err(ResponseCode::BINDING));
}
