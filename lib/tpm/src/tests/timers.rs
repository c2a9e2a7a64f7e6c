//! Authenticated countdown timers.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::rig::{Answer, Rig, sized};
use crate::ResponseCode;

const PLATFORM: u32 = 0x4000_000C;
const NULL: u32 = 0x4000_0007;
const TIMER_0: u32 = 0x4000_0110;
const TIMER_1: u32 = 0x4000_0111;
const TIMER_A: u32 = 0x4000_011A;
const OFF: u32 = u32::MAX;

fn set(rig: &mut Rig, timer: u32, seconds: u32, password: &[u8]) -> Answer {
    rig.with_passwords(0x198, &[timer], &[password], &seconds.to_be_bytes())
}

/// Seconds left and whether it is signaled.
fn state(rig: &mut Rig, timer: u32) -> (u32, u32) {
    let asked = [&[0, 0, 0, 10][..], &timer.to_be_bytes(), &[0, 0, 0, 1]].concat();
    let answer = rig.call(0x17A, &asked).expect("the timers");
    assert_eq!(answer[1..13], [&[0, 0, 0, 10, 0, 0, 0, 1][..], &timer.to_be_bytes()].concat());
    let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|index| answer[at + index]));
    (word(13), word(17))
}

fn signaled(rig: &mut Rig) -> u16 {
    rig.device.signaled_timers(&rig.clock)
}

fn pass(rig: &Rig, seconds: u64) {
    rig.clock.0.set(rig.clock.0.get() + seconds * 1000);
}

#[test]
fn a_timer_counts_down_and_then_asks_for_the_platform() {
    let mut rig = Rig::started();
    assert_eq!(state(&mut rig, TIMER_A), (0, 0));
    set(&mut rig, TIMER_A, 10, b"").expect("set");
    pass(&rig, 9);
    assert_eq!(state(&mut rig, TIMER_A), (1, 0));
    assert_eq!(signaled(&mut rig), 0);
    pass(&rig, 1);
    assert_eq!(signaled(&mut rig), 1 << 0xA);
    assert_eq!(state(&mut rig, TIMER_A), (0, 1));
    assert_eq!(state(&mut rig, TIMER_0), (0, 0), "the other one does not count");
    set(&mut rig, TIMER_A, 5, b"").expect("set");
    assert_eq!(state(&mut rig, TIMER_A), (5, 0), "a new count ends the signal");
    set(&mut rig, TIMER_A, 0, b"").expect("set");
    assert_eq!(state(&mut rig, TIMER_A), (0, 1), "zero ends the count");
}

#[test]
fn only_a_signal_can_be_switched_off() {
    let mut rig = Rig::started();
    assert_eq!(set(&mut rig, TIMER_0, OFF, b""), Err(ResponseCode::VALUE.parameter(1)));
    set(&mut rig, TIMER_0, 1, b"").expect("set");
    assert_eq!(set(&mut rig, TIMER_0, OFF, b""), Err(ResponseCode::VALUE.parameter(1)));
    pass(&rig, 1);
    set(&mut rig, TIMER_0, OFF, b"").expect("switched off");
    assert_eq!(state(&mut rig, TIMER_0), (OFF, 0));
    pass(&rig, u64::from(OFF));
    assert_eq!(signaled(&mut rig), 0);
}

#[test]
fn the_longest_time_is_told_as_it_was_set() {
    let mut rig = Rig::started();
    set(&mut rig, TIMER_0, OFF - 1, b"").expect("set");
    assert_eq!(state(&mut rig, TIMER_0), (OFF - 1, 0));
}

#[test]
fn the_platform_authorizes_timers_that_there_are() {
    let mut rig = Rig::started();
    rig.with_passwords(0x129, &[PLATFORM], &[b""], &sized(b"platform")).expect("a password");
    assert_eq!(set(&mut rig, TIMER_0, 1, b""), Err(ResponseCode::BAD_AUTH.session(1)));
    set(&mut rig, TIMER_0, 1, b"platform").expect("set");
    assert_eq!(set(&mut rig, TIMER_1, 1, b"platform"), Err(ResponseCode::VALUE.handle(1)));
    assert_eq!(set(&mut rig, PLATFORM, 1, b"platform"), Err(ResponseCode::VALUE.handle(1)));
    let asked = [&[0, 0, 0, 10][..], &PLATFORM.to_be_bytes(), &[0, 0, 0, 1]].concat();
    assert_eq!(rig.call(0x17A, &asked), Err(ResponseCode::VALUE.parameter(2)));
    let disable = [&PLATFORM.to_be_bytes()[..], &[0]].concat();
    rig.with_passwords(0x121, &[PLATFORM], &[b"platform"], &disable).expect("disabled");
    assert_eq!(
        set(&mut rig, TIMER_0, 1, b"platform"),
        Err(ResponseCode::AUTH_UNAVAILABLE.session(1))
    );
}

#[test]
fn a_policy_sets_a_timer() {
    let mut rig = Rig::started();
    // A policy that needs nothing but this command.
    let code = 0x198_u32.to_be_bytes();
    let policy = HashAlgorithm::Sha256.digest(&[&[0; 32], &0x16C_u32.to_be_bytes(), &code]);
    let adopt = [&sized(policy.as_bytes())[..], &[0, 0x0B]].concat();
    rig.with_passwords(0x12E, &[TIMER_0], &[b""], &adopt).expect("a policy");
    let start = [
        &NULL.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&[7; 16]),
        &[0, 0, 1, 0, 0x10, 0, 0x0B],
    ];
    let session: Vec<u8> = rig.call(0x176, &start.concat()).expect("session")[..4].to_vec();
    let area = [&session[..], &[0, 0, 1, 0, 0]].concat();
    let seconds = 7_u32.to_be_bytes();
    let refused = rig.with_area(0x198, &[TIMER_0], &area, &seconds);
    assert_eq!(refused, Err(ResponseCode::POLICY_FAIL.session(1)));
    rig.call(0x16C, &[&session[..], &code].concat()).expect("the command");
    rig.with_area(0x198, &[TIMER_0], &area, &seconds).expect("set");
    assert_eq!(state(&mut rig, TIMER_0), (7, 0));
    let other = rig.with_area(0x198, &[TIMER_A], &area, &seconds);
    assert_eq!(other, Err(ResponseCode::AUTH_UNAVAILABLE.session(1)), "it has no policy");
}

#[test]
fn timers_go_on_after_an_orderly_shutdown() {
    let mut rig = Rig::started();
    let cycle = |rig: &mut Rig, kind: u8| {
        rig.call(0x145, &[0, 1]).expect("shutdown");
        rig.power_cycle();
        rig.call(0x144, &[0, kind]).expect("startup");
    };
    set(&mut rig, TIMER_0, 100, b"").expect("set");
    pass(&rig, 40);
    cycle(&mut rig, 1);
    assert_eq!(state(&mut rig, TIMER_0), (60, 0), "without power no time passes");
    pass(&rig, 20);
    cycle(&mut rig, 1);
    assert_eq!(state(&mut rig, TIMER_0), (20, 0), "half of what was not set again");
    pass(&rig, 20);
    cycle(&mut rig, 1);
    assert_eq!(state(&mut rig, TIMER_0), (0, 1));
    cycle(&mut rig, 0);
    assert_eq!(state(&mut rig, TIMER_0), (0, 0), "a restart ends it");
}
