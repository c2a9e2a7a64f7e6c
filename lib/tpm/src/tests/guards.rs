//! Presence, and PCRs with an authorization of their own.

use super::rig::{Rig, sized};
use crate::ResponseCode;
use crate::platform::PhysicalPresence;

const PLATFORM: u32 = 0x4000_000C;
const PRESENCE_COMMANDS: u32 = 0x12D;
const CLOCK_SET: u32 = 0x128;

fn list(codes: &[u32]) -> alloc::vec::Vec<u8> {
    let count = codes.len() as u32;
    count.to_be_bytes().into_iter().chain(codes.iter().flat_map(|c| c.to_be_bytes())).collect()
}

#[test]
fn the_platform_may_need_someone_to_be_there() {
    let mut rig = Rig::started();
    let set = [list(&[CLOCK_SET, 0x17B]), list(&[])].concat();
    let clear = [list(&[]), list(&[CLOCK_SET, PRESENCE_COMMANDS])].concat();
    let passwords: [&[u8]; 1] = [b""];
    assert_eq!(
        rig.with_passwords(PRESENCE_COMMANDS, &[PLATFORM], &passwords, &set),
        Err(ResponseCode::PP.session(1))
    );
    rig.presence = PhysicalPresence::Asserted;
    rig.with_passwords(PRESENCE_COMMANDS, &[PLATFORM], &passwords, &set).expect("set");
    let listed = rig.call(0x17A, &[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9]).expect("list");
    assert_eq!(listed[5..], list(&[CLOCK_SET, PRESENCE_COMMANDS]), "GetRandom cannot need it");
    rig.presence = PhysicalPresence::Absent;
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    let clock = (1_u64 << 40).to_be_bytes();
    assert_eq!(
        rig.with_passwords(CLOCK_SET, &[PLATFORM], &passwords, &clock),
        Err(ResponseCode::PP.session(1))
    );
    rig.with_passwords(CLOCK_SET, &[0x4000_0001], &passwords, &clock).expect("the owner's word");
    rig.presence = PhysicalPresence::Asserted;
    rig.with_passwords(PRESENCE_COMMANDS, &[PLATFORM], &passwords, &clear).expect("clear");
    let listed = rig.call(0x17A, &[0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9]).expect("list");
    assert_eq!(listed[5..], list(&[PRESENCE_COMMANDS]));
}

#[test]
fn three_pcrs_take_a_value_and_a_policy() {
    let mut rig = Rig::started();
    rig.locality = 2;
    let passwords: [&[u8]; 1] = [b""];
    rig.with_passwords(0x183, &[21], &passwords, &sized(b"pw")).expect("value");
    assert_eq!(
        rig.with_passwords(0x183, &[16], &passwords, &sized(b"pw")),
        Err(ResponseCode::VALUE)
    );
    let digest = [&[0, 0, 0, 1, 0, 0x0B][..], &[1; 32]].concat();
    assert_eq!(
        rig.with_passwords(0x182, &[22], &passwords, &digest),
        Err(ResponseCode::BAD_AUTH.session(1)),
        "all three share it"
    );
    rig.with_passwords(0x182, &[22], &[b"pw"], &digest).expect("extend");
    let policy =
        |digest: &[u8], hash: u8, pcr: u8| [&sized(digest)[..], &[0, hash, 0, 0, 0, pcr]].concat();
    let set = |rig: &mut Rig, parameters: &[u8]| {
        rig.with_passwords(0x12C, &[PLATFORM], &[b""], parameters)
    };
    assert_eq!(set(&mut rig, &policy(&[0; 31], 0x0B, 20)), Err(ResponseCode::SIZE.parameter(1)));
    assert_eq!(set(&mut rig, &policy(&[0; 32], 0x0B, 19)), Err(ResponseCode::VALUE.parameter(3)));
    // The policy that asks for nothing.
    set(&mut rig, &policy(&[0; 32], 0x0B, 20)).expect("policy");
    let start =
        [&[0x40, 0, 0, 7, 0x40, 0, 0, 7][..], &sized(&[7; 16]), &[0, 0, 1, 0, 0x10, 0, 0x0B]]
            .concat();
    let session = rig.call(0x176, &start).expect("session");
    let area = [&session[..4], &[0, 0, 1, 0, 0]].concat();
    rig.with_area(0x182, &[20], &area, &digest).expect("extend by policy");
    // The value ends with a reset, the policy does not.
    rig.power_cycle();
    rig.locality = 0;
    rig.call(0x144, &[0, 0]).expect("startup");
    rig.locality = 2;
    assert_eq!(
        rig.with_passwords(0x182, &[22], &passwords, &digest),
        Err(ResponseCode::AUTH_TYPE),
        "a PCR with a policy takes nothing else"
    );
    let session = rig.call(0x176, &start).expect("session");
    let area = [&session[..4], &[0, 0, 1, 0, 0]].concat();
    rig.with_area(0x182, &[20], &area, &digest).expect("extend by policy");
    set(&mut rig, &policy(&[], 0x10, 20)).expect("no policy");
    rig.with_passwords(0x182, &[22], &passwords, &digest).expect("extend");
    assert_eq!(
        rig.with_area(0x182, &[22], &area, &digest).map(|_| ()),
        Err(ResponseCode::POLICY_FAIL.session(1)),
        "there is none to fulfil"
    );
}
