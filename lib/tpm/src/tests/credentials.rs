//! Credentials: made for a key, opened beside it.

use alloc::vec::Vec;

use super::objects::{OWNER, primary, signing, storage};
use super::rig::{Rig, sized};
use crate::ResponseCode;

const NULL: u32 = 0x4000_0007;
const MAKE: u32 = 0x168;
const ACTIVATE: u32 = 0x147;

fn name(rig: &mut Rig, handle: u32) -> Vec<u8> {
    let answer = rig.call(0x173, &handle.to_be_bytes()).expect("public");
    let public = 2 + usize::from(u16::from_be_bytes([answer[0], answer[1]]));
    answer[public..public + 36].to_vec()
}

#[test]
fn a_credential_is_for_one_object_under_one_key() {
    let mut rig = Rig::started();
    let (key, _) = primary(&mut rig, OWNER, &storage());
    let (object, _) = primary(&mut rig, OWNER, &signing(0));
    let name = name(&mut rig, object);
    let make = [&key.to_be_bytes()[..], &sized(b"a credential"), &name].concat();
    let made = rig.call(MAKE, &make).expect("made");
    let passwords: [&[u8]; 2] = [b"", b""];
    let opened = rig.with_passwords(ACTIVATE, &[object, key], &passwords, &made);
    assert_eq!(opened, Ok(sized(b"a credential")));
    // Another object; a changed blob; a changed secret.
    assert_eq!(
        rig.with_passwords(ACTIVATE, &[key, key], &passwords, &made),
        Err(ResponseCode::INTEGRITY.parameter(1))
    );
    let mut changed = made.clone();
    changed[10] ^= 1;
    assert_eq!(
        rig.with_passwords(ACTIVATE, &[object, key], &passwords, &changed),
        Err(ResponseCode::INTEGRITY.parameter(1))
    );
    let mut changed = made.clone();
    *changed.last_mut().expect("a point") ^= 1;
    assert_eq!(
        rig.with_passwords(ACTIVATE, &[object, key], &passwords, &changed),
        Err(ResponseCode::ECC_POINT.parameter(2))
    );
    assert_eq!(
        rig.with_passwords(ACTIVATE, &[object, object], &passwords, &made),
        Err(ResponseCode::TYPE.handle(2))
    );
    let (stranger, _) = primary(&mut rig, NULL, &storage());
    assert_eq!(
        rig.with_passwords(ACTIVATE, &[object, stranger], &passwords, &made),
        Err(ResponseCode::INTEGRITY.parameter(1))
    );
}

#[test]
fn what_cannot_protect_makes_none() {
    let mut rig = Rig::started();
    let (signer, _) = primary(&mut rig, OWNER, &signing(0));
    let (key, _) = primary(&mut rig, OWNER, &storage());
    let make = |key: u32, size: usize| {
        [&key.to_be_bytes()[..], &sized(&alloc::vec![1; size]), &sized(&[0; 34])].concat()
    };
    assert_eq!(rig.call(MAKE, &make(signer, 8)), Err(ResponseCode::TYPE.handle(1)));
    assert_eq!(rig.call(MAKE, &make(key, 33)), Err(ResponseCode::SIZE.parameter(1)));
    assert!(rig.call(MAKE, &make(key, 32)).is_ok());
}
