//! Headers, handles and areas that are wrong.

use alloc::format;
use alloc::vec::Vec;

use super::rig::{Rig, command, split};
use crate::ResponseCode;

fn refused(rig: &mut Rig, bytes: &[u8]) -> ResponseCode {
    split(&rig.raw(bytes)).expect_err("refused")
}

#[test]
fn headers_are_checked() {
    let mut rig = Rig::started();
    assert_eq!(refused(&mut rig, &[]), ResponseCode::COMMAND_SIZE);
    assert_eq!(refused(&mut rig, &[0x80, 0x01, 0, 0, 0, 10]), ResponseCode::COMMAND_SIZE);
    assert_eq!(refused(&mut rig, &command(0x1234, 0x17B, &[0, 1])), ResponseCode::BAD_TAG);
    assert_eq!(refused(&mut rig, &command(0x8001, 0xFFFF, &[])), ResponseCode::COMMAND_CODE);
    let mut long = command(0x8001, 0x17B, &[0, 1]);
    long.push(0);
    assert_eq!(refused(&mut rig, &long), ResponseCode::COMMAND_SIZE);
}

#[test]
fn a_bad_tag_is_answered_in_the_old_way() {
    let response = Rig::started().raw(&command(0x00C1, 0x17B, &[0, 1]));
    assert_eq!(response, [0x00, 0xC4, 0, 0, 0, 10, 0, 0, 0, 0x1E]);
}

#[test]
fn parameters_are_named_by_number() {
    let mut rig = Rig::started();
    // No byte of the one parameter; then one too many.
    assert_eq!(rig.call(0x17B, &[0]), Err(ResponseCode::INSUFFICIENT.parameter(1)));
    assert_eq!(rig.call(0x17B, &[0, 1, 0]), Err(ResponseCode::SIZE));
    assert_eq!(ResponseCode::INSUFFICIENT.parameter(1), ResponseCode(0x1DA));
    // TPM2_Hash with an unknown algorithm as its second parameter.
    assert_eq!(
        rig.call(0x17D, &[0, 0, 0x12, 0x34, 0x40, 0, 0, 7]),
        Err(ResponseCode::HASH.parameter(2))
    );
}

#[test]
fn handles_are_named_by_number() {
    let mut rig = Rig::started();
    // PCR_Reset of something that is no PCR, and of nothing.
    assert_eq!(rig.call(0x13D, &[0x40, 0, 0, 1]), Err(ResponseCode::VALUE.handle(1)));
    assert_eq!(rig.call(0x13D, &[0]), Err(ResponseCode::INSUFFICIENT.handle(1)));
    // PolicySecret of a vendor's entity: both handles could be, then the first is
    // looked for.
    let vendors = [0x40, 0, 0, 0x17];
    let both = [&vendors[..], &[3, 0, 0, 0]].concat();
    assert_eq!(rig.call(0x151, &both), Err(ResponseCode::VALUE.handle(1)));
    let second = [&vendors[..], &[0x40, 0, 0, 9]].concat();
    assert_eq!(rig.call(0x151, &second), Err(ResponseCode::VALUE.handle(2)));
    // A policy session that was never started.
    assert_eq!(rig.call(0x180, &[3, 0, 0, 0]), Err(ResponseCode::REFERENCE_H0));
    // An NV index that was never defined.
    assert_eq!(rig.call(0x169, &[1, 0, 0, 0]), Err(ResponseCode::HANDLE.handle(1)));
}

#[test]
fn authorization_areas_are_checked() {
    let mut rig = Rig::started();
    let pcr = [0, 0, 0, 16];
    assert_eq!(rig.call(0x13D, &pcr), Err(ResponseCode::AUTH_MISSING));
    let with = |area: &[u8]| -> Vec<u8> {
        let size = (area.len() as u32).to_be_bytes();
        command(0x8002, 0x13D, &[&pcr[..], &size, area].concat())
    };
    let password = [0x40, 0, 0, 9, 0, 0, 0, 0, 0];
    assert_eq!(refused(&mut rig, &with(&[])), ResponseCode::SIZE);
    assert_eq!(refused(&mut rig, &with(&password[..8])), ResponseCode::SIZE);
    let mut beyond = with(&password);
    // The area's size leaves the command.
    beyond[17] = 10;
    assert_eq!(refused(&mut rig, &beyond), ResponseCode::SIZE);
    let nonce = [0x40, 0, 0, 9, 0, 1, 7, 0, 0, 0];
    assert_eq!(refused(&mut rig, &with(&nonce)), ResponseCode::NONCE.session(1));
    let audit = [0x40, 0, 0, 9, 0, 0, 0x80, 0, 0];
    assert_eq!(refused(&mut rig, &with(&audit)), ResponseCode::ATTRIBUTES.session(1));
    let reserved = [0x40, 0, 0, 9, 0, 0, 0x08, 0, 0];
    assert_eq!(refused(&mut rig, &with(&reserved)), ResponseCode::RESERVED_BITS.session(1));
    let unknown = [0x02, 0, 0, 5, 0, 0, 0, 0, 0];
    assert_eq!(refused(&mut rig, &with(&unknown)), ResponseCode::reference_session(1));
    let no_session = [0x80, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(refused(&mut rig, &with(&no_session)), ResponseCode::VALUE.session(1));
    let wrong = [0x40, 0, 0, 9, 0, 0, 0, 0, 1, 7];
    assert_eq!(refused(&mut rig, &with(&wrong)), ResponseCode::BAD_AUTH.session(1));
    // A second password has no handle to authorize.
    let two = [password, password].concat();
    assert_eq!(refused(&mut rig, &with(&two)), ResponseCode::HANDLE.session(2));
    assert!(split(&rig.raw(&with(&password))).is_ok());
}

#[test]
fn startup_takes_no_sessions() {
    let mut rig = Rig::powered();
    let body = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(refused(&mut rig, &command(0x8002, 0x144, &body)), ResponseCode::AUTH_CONTEXT);
}

#[test]
fn codes_read_well() {
    assert_eq!(format!("{}", ResponseCode::VALUE.parameter(2)), "VALUE (parameter 2)");
    assert_eq!(format!("{}", ResponseCode::BAD_AUTH.session(1)), "BAD_AUTH (session 1)");
    assert_eq!(format!("{}", ResponseCode::HANDLE.handle(3)), "HANDLE (handle 3)");
    assert_eq!(format!("{}", ResponseCode::INITIALIZE), "INITIALIZE");
}

#[test]
fn the_table_is_in_order() {
    let codes: Vec<u32> = crate::table::COMMANDS.iter().map(|command| command.code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b));
}
