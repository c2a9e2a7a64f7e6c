//! Hierarchies, lockout, clock, audit set.

use super::rig::{Rig, sized};
use crate::ResponseCode;

const OWNER: u32 = 0x4000_0001;
const LOCKOUT: u32 = 0x4000_000A;
const ENDORSEMENT: u32 = 0x4000_000B;
const PLATFORM: u32 = 0x4000_000C;
const CHANGE_AUTH: u32 = 0x129;
const CLEAR: u32 = 0x126;

#[test]
fn a_changed_authorization_is_the_one_that_counts() {
    let mut rig = Rig::started();
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"new\0\0")).expect("change");
    assert_eq!(
        rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"x")),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b"new"], &sized(b"")).expect("zeros do not count");
    assert_eq!(
        rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(&[1; 65])),
        Err(ResponseCode::SIZE.parameter(1))
    );
}

#[test]
fn enables_belong_to_the_platform_and_disabling_to_the_owner_too() {
    let mut rig = Rig::started();
    let set = |enable: u32, state: u8| [&enable.to_be_bytes()[..], &[state]].concat();
    let control = 0x121;
    assert_eq!(
        rig.with_passwords(control, &[OWNER], &[b""], &set(ENDORSEMENT, 0)),
        Err(ResponseCode::AUTH_TYPE)
    );
    rig.with_passwords(control, &[OWNER], &[b""], &set(OWNER, 0)).expect("disable");
    assert_eq!(
        rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"x")),
        Err(ResponseCode::HIERARCHY.handle(1))
    );
    rig.with_passwords(control, &[PLATFORM], &[b""], &set(OWNER, 1)).expect("enable");
    rig.with_passwords(control, &[PLATFORM], &[b""], &set(PLATFORM, 0)).expect("disable");
    assert_eq!(
        rig.with_passwords(CHANGE_AUTH, &[PLATFORM], &[b""], &sized(b"x")),
        Err(ResponseCode::HIERARCHY.handle(1))
    );
    assert_eq!(
        rig.with_passwords(control, &[OWNER], &[b""], &set(LOCKOUT, 0)),
        Err(ResponseCode::VALUE.parameter(1))
    );
}

#[test]
fn clear_forgets_the_owner_unless_it_is_disabled() {
    let mut rig = Rig::started();
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"x")).expect("change");
    rig.with_passwords(0x127, &[LOCKOUT], &[b""], &[1]).expect("clear control");
    assert_eq!(rig.with_passwords(CLEAR, &[LOCKOUT], &[b""], &[]), Err(ResponseCode::DISABLED));
    assert_eq!(rig.with_passwords(0x127, &[LOCKOUT], &[b""], &[0]), Err(ResponseCode::AUTH_FAIL));
    rig.with_passwords(0x127, &[PLATFORM], &[b""], &[0]).expect("clear control");
    let limits = |rig: &mut Rig| {
        rig.call(0x17A, &[6_u32, 0x20E, 4].map(u32::to_be_bytes).concat()).expect("limits")
    };
    let before = limits(&mut rig);
    let parameters = [1_u32, 2, 3].map(u32::to_be_bytes).concat();
    rig.with_passwords(0x13A, &[LOCKOUT], &[b""], &parameters).expect("limits");
    assert_ne!(limits(&mut rig), before);
    rig.locality = 2;
    rig.with_passwords(0x183, &[21], &[b""], &sized(b"pcr")).expect("a PCR's value");
    rig.with_passwords(CLEAR, &[LOCKOUT], &[b""], &[]).expect("clear");
    assert_eq!(limits(&mut rig), before, "they were the owner's too");
    rig.with_passwords(0x183, &[21], &[b""], &sized(b"")).expect("empty again");
    rig.locality = 0;
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"")).expect("empty again");
    assert_eq!(
        rig.with_passwords(CLEAR, &[OWNER], &[b""], &[]),
        Err(ResponseCode::VALUE.handle(1))
    );
}

#[test]
fn a_policy_fits_its_hash() {
    let mut rig = Rig::started();
    let policy = |length: usize, hash: u8| [sized(&[7; 64][..length]), [0, hash].to_vec()].concat();
    let set = 0x12E;
    assert_eq!(
        rig.with_passwords(set, &[OWNER], &[b""], &policy(20, 0x0B)),
        Err(ResponseCode::SIZE.parameter(1))
    );
    assert_eq!(
        rig.with_passwords(set, &[OWNER], &[b""], &policy(32, 0x10)),
        Err(ResponseCode::SIZE.parameter(1))
    );
    rig.with_passwords(set, &[OWNER], &[b""], &policy(32, 0x0B)).expect("policy");
    let policies = rig.call(0x17A, &[0, 0, 0, 9, 0x40, 0, 0, 0, 0, 0, 0, 9]).expect("policies");
    assert_eq!(policies[5..15], [0, 0, 0, 6, 0x40, 0, 0, 1, 0, 0x0B]);
    // Lockout, endorsement, platform and two timers have none.
    let none = [0x0A, 0x0B, 0x0C].map(|handle| [0x40, 0, 0, handle, 0, 0x10]).concat();
    let timers = [0x10, 0x1A].map(|handle| [0x40, 0, 1, handle, 0, 0x10]).concat();
    assert_eq!(policies[15 + 32..], [none, timers].concat());
    rig.with_passwords(set, &[OWNER], &[b""], &policy(0, 0x10)).expect("no policy");
}

#[test]
fn seeds_change_only_for_the_platform() {
    let mut rig = Rig::started();
    for code in [0x124, 0x125] {
        let before = rig.store.records[&0].clone();
        assert_eq!(
            rig.with_passwords(code, &[OWNER], &[b""], &[]),
            Err(ResponseCode::VALUE.handle(1))
        );
        let counter = |rig: &mut Rig| rig.call(0x17E, &[0; 4]).expect("PCRs")[..4].to_vec();
        let pcrs = counter(&mut rig);
        rig.with_passwords(code, &[PLATFORM], &[b""], &[]).expect("new seed");
        assert_eq!(counter(&mut rig), pcrs, "only TPM2_Clear counts as a change of PCRs");
        assert_ne!(rig.store.records[&0], before);
    }
}

#[test]
fn a_wrong_lockout_authorization_locks_itself_out() {
    let mut rig = Rig::started();
    rig.with_passwords(CHANGE_AUTH, &[LOCKOUT], &[b""], &sized(b"pw")).expect("change");
    assert_eq!(
        rig.with_passwords(0x139, &[LOCKOUT], &[b"no"], &[]),
        Err(ResponseCode::AUTH_FAIL.session(1))
    );
    assert_eq!(rig.with_passwords(0x139, &[LOCKOUT], &[b"pw"], &[]), Err(ResponseCode::LOCKOUT));
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    assert_eq!(
        rig.with_passwords(0x139, &[LOCKOUT], &[b"pw"], &[]),
        Err(ResponseCode::LOCKOUT),
        "power does not help"
    );
    rig.clock.0.set(86_400_000);
    rig.with_passwords(0x139, &[LOCKOUT], &[b"pw"], &[]).expect("time does");
}

#[test]
fn the_clock_goes_forwards_only() {
    let mut rig = Rig::started();
    let set = |clock: u64| clock.to_be_bytes();
    rig.with_passwords(0x128, &[OWNER], &[b""], &set(1_000_000)).expect("set");
    assert_eq!(
        rig.with_passwords(0x128, &[OWNER], &[b""], &set(999_999)),
        Err(ResponseCode::VALUE.parameter(1))
    );
    assert_eq!(
        rig.with_passwords(0x128, &[OWNER], &[b""], &set(u64::MAX)),
        Err(ResponseCode::VALUE.parameter(1))
    );
    rig.with_passwords(0x130, &[OWNER], &[b""], &[0xFD]).expect("slower");
    assert_eq!(
        rig.with_passwords(0x130, &[OWNER], &[b""], &[4]),
        Err(ResponseCode::VALUE.parameter(1))
    );
}

#[test]
fn the_set_of_audited_commands_changes() {
    let mut rig = Rig::started();
    let none = [0, 0, 0, 0];
    let random = [0, 0, 0, 1, 0, 0, 1, 0x7B];
    let read = |rig: &mut Rig| rig.call(0x17A, &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9]).expect("set");
    assert_eq!(read(&mut rig)[5..], [0, 0, 0, 1, 0, 0, 1, 0x40]);
    let set = [&[0, 0x10][..], &random, &none].concat();
    rig.with_passwords(0x140, &[OWNER], &[b""], &set).expect("set");
    assert_eq!(read(&mut rig)[5..9], [0, 0, 0, 2]);
    let clear = [&[0, 0x10][..], &none, &random].concat();
    rig.with_passwords(0x140, &[OWNER], &[b""], &clear).expect("clear");
    assert_eq!(read(&mut rig)[5..9], [0, 0, 0, 1]);
    let both = [&[0, 0x0B][..], &random, &none].concat();
    assert_eq!(
        rig.with_passwords(0x140, &[OWNER], &[b""], &both),
        Err(ResponseCode::VALUE.parameter(1))
    );
}

#[test]
fn capabilities_page() {
    let mut rig = Rig::started();
    let ask = |capability: u8, first: u32, count: u32| {
        [&[0, 0, 0, capability][..], &first.to_be_bytes(), &count.to_be_bytes()].concat()
    };
    let commands = rig.call(0x17A, &ask(2, 0, 2)).expect("commands");
    assert_eq!(commands[..9], [1, 0, 0, 0, 2, 0, 0, 0, 2]);
    assert_eq!(commands[9..13], [0x04, 0x40, 0x01, 0x1F], "two handles, writes NV");
    let last = rig.call(0x17A, &ask(2, 0x193, 9)).expect("commands");
    assert_eq!(last[..9], [0, 0, 0, 0, 2, 0, 0, 0, 4]);
    let family = rig.call(0x17A, &ask(6, 0x100, 1)).expect("properties");
    assert_eq!(family[9..], [0, 0, 1, 0, b'2', b'.', b'0', 0]);
    let banks = rig.call(0x17A, &ask(5, 0, 1)).expect("banks");
    assert_eq!(banks[5..15], [0, 0, 0, 4, 0, 4, 3, 0xFF, 0xFF, 0xFF]);
    assert_eq!(rig.call(0x17A, &ask(0x7F, 0, 1)), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(rig.call(0x17A, &ask(1, 0x9900_0000, 1)), Err(ResponseCode::HANDLE.parameter(2)));
    for capability in 0..9 {
        assert!(rig.call(0x17A, &ask(capability, 0, 1000)).is_ok());
    }
    assert!(rig.call(0x17A, &ask(9, OWNER, 1000)).is_ok());
    assert_eq!(rig.call(0x17A, &ask(9, 0, 1)), Err(ResponseCode::VALUE.parameter(2)));
}

#[test]
fn all_commands_fit_into_one_answer_and_no_answer_is_larger_than_the_buffer() {
    let mut rig = Rig::started();
    let ask = |capability: u32| [capability.to_be_bytes(), [0; 4], [0xFF; 4]].concat();
    let count = |answer: &[u8]| u32::from_be_bytes([answer[5], answer[6], answer[7], answer[8]]);
    let commands = rig.call(0x17A, &ask(2)).expect("commands");
    assert_eq!((commands[0], count(&commands) as usize), (0, crate::table::COMMANDS.len()));
    for capability in 0..=8 {
        let answer = rig.call(0x17A, &ask(capability)).expect("a capability");
        assert!(answer.len() <= 1 + 1024, "{capability}");
    }
}
