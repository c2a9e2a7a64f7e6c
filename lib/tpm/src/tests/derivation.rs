//! `TPM2_CreateLoaded`: primary objects, children, derived objects.

use alloc::vec::Vec;

use super::objects::{
    COMMON, DECRYPT, GIVEN, NO_DA, OWNER, RESTRICTED, SIGN, load, primary, signing, storage,
    template,
};
use super::rig::{Answer, Rig, sized};
use crate::ResponseCode;

const CREATE_LOADED: u32 = 0x191;

fn create(rig: &mut Rig, parent: u32, data: &[u8], public: &[u8]) -> Answer {
    let sensitive = [sized(b""), sized(data)].concat();
    let parameters = [sized(&sensitive), sized(public)].concat();
    rig.with_passwords(CREATE_LOADED, &[parent], &[b""], &parameters)
}

/// Private and public area of an answer, each with its size.
fn areas(answer: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let size = |at: usize| 2 + usize::from(u16::from_be_bytes([answer[at], answer[at + 1]]));
    let public = 4 + size(4);
    (answer[4..public].to_vec(), answer[public..public + size(public)].to_vec())
}

/// From what other keys are derived.
fn derivation_parent() -> Vec<u8> {
    template(8, COMMON | NO_DA | RESTRICTED | DECRYPT, &[0, 0x0A, 0, 0x0B, 0, 0x22, 0, 0])
}

/// A template for a derived signing key, with this label and context.
fn derived(label: &[u8], context: &[u8]) -> Vec<u8> {
    let details = [0, 0x10, 0, 0x18, 0, 0x0B, 0, 3, 0, 0x10];
    let unique = [sized(label), sized(context)].concat();
    template(0x23, GIVEN | NO_DA | SIGN, &[&details[..], &unique].concat())
}

#[test]
fn a_primary_object_is_the_one_that_create_primary_makes() {
    let mut rig = Rig::started();
    let (_, public) = primary(&mut rig, OWNER, &storage());
    let (private, made) = areas(&create(&mut rig, OWNER, b"", &storage()).expect("create"));
    assert_eq!(private, [0, 0]);
    assert_eq!(made, sized(&public));
}

#[test]
fn a_child_can_be_loaded_again() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &storage());
    let answer = create(&mut rig, parent, b"", &signing(0)).expect("create");
    let (private, public) = areas(&answer);
    load(&mut rig, parent, &private, &public).expect("load");
    assert_eq!(create(&mut rig, parent, b"", &signing(0)), Err(ResponseCode::OBJECT_MEMORY));
    rig.call(0x165, &answer[..4]).expect("flush");
    let signer = create(&mut rig, parent, b"", &signing(0)).expect("create");
    rig.call(0x165, &0x8000_0001_u32.to_be_bytes()).expect("flush");
    let signer = u32::from_be_bytes(signer[..4].try_into().expect("a handle"));
    let other = if signer == 0x8000_0001 { 0x8000_0002 } else { signer };
    assert_eq!(create(&mut rig, other, b"", &signing(0)), Err(ResponseCode::TYPE.handle(1)));
}

#[test]
fn label_and_context_decide_what_is_derived() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &derivation_parent());
    let mut public = |label: &[u8], context: &[u8], data: &[u8]| {
        let answer = create(&mut rig, parent, data, &derived(label, context)).expect("derive");
        rig.call(0x165, &answer[..4]).expect("flush");
        let (private, public) = areas(&answer);
        assert_eq!(private, [0, 0]);
        public
    };
    let first = public(b"label", b"context", b"");
    assert_eq!(public(b"label", b"context", b""), first);
    assert_ne!(public(b"label", b"other", b""), first);
    assert_ne!(public(b"other", b"context", b""), first);
    // What the template leaves empty comes from the sensitive part.
    let hidden = [sized(b"label"), sized(b"unused")].concat();
    assert_eq!(public(b"", b"context", &hidden), first);
}

#[test]
fn what_cannot_be_derived_is_refused() {
    let mut rig = Rig::started();
    let (parent, _) = primary(&mut rig, OWNER, &derivation_parent());
    let rsa = template(1, GIVEN | SIGN, &[0, 0x10, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(create(&mut rig, parent, b"", &rsa), Err(ResponseCode::TYPE.parameter(2)));
    let mut made_here = derived(b"", b"");
    made_here[7] |= 0x20;
    assert_eq!(
        create(&mut rig, parent, b"", &made_here),
        Err(ResponseCode::ATTRIBUTES.parameter(2))
    );
    assert_eq!(
        create(&mut rig, parent, b"", &derived(&[1; 33], b"")),
        Err(ResponseCode::SIZE.parameter(2))
    );
    assert_eq!(
        create(&mut rig, parent, b"\0", &derived(b"", b"")),
        Err(ResponseCode::INSUFFICIENT.parameter(1))
    );
    // It is no storage parent.
    let sensitive = [sized(b""), sized(b"")].concat();
    let parameters =
        [sized(&sensitive), sized(&signing(0)), sized(b""), alloc::vec![0; 4]].concat();
    assert_eq!(
        rig.with_passwords(0x153, &[parent], &[b""], &parameters),
        Err(ResponseCode::TYPE.handle(1))
    );
}
