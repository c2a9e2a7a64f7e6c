//! Tests of the timer: expiry, counting, modes, division, deadlines.

use proptest::prelude::*;

use super::*;

const DIVIDE_BY_1: u32 = 0b1011;
const HZ: NonZeroU64 = NonZeroU64::new(3_000_000_000).unwrap();

/// A moment of a time stamp counter with three ticks per nanosecond.
fn at(nanoseconds: u64) -> Moment {
    Moment { nanoseconds, time_stamp: nanoseconds * 3 }
}

fn timer(mode: TimerMode) -> Timer {
    let mut timer = Timer::new();
    timer.set_mode(mode);
    timer.set_divide_configuration(DIVIDE_BY_1, at(0));
    timer
}

#[test]
fn divisors_of_all_configurations() {
    for (bits, divisor) in
        [(0, 2), (1, 4), (2, 8), (3, 16), (8, 32), (9, 64), (10, 128), (11, 1u64)]
    {
        let mut timer = Timer::new();
        timer.set_divide_configuration(bits | 0xffff_fff4, at(0));
        assert_eq!(timer.divide_configuration(), bits);
        timer.set_initial_count(10, at(100));
        assert_eq!(timer.next_expiry_ns(at(100), HZ), Some(100 + 10 * divisor));
        assert_eq!(timer.current_count(at(100 + 3 * divisor)), 7);
        assert_eq!(timer.current_count(at(100 + 3 * divisor - 1)), 8);
    }
}

#[test]
fn one_shot_expires_once() {
    let mut timer = timer(TimerMode::OneShot);
    timer.set_initial_count(1000, at(5));
    assert!(!timer.advance(at(1004)));
    assert_eq!(timer.current_count(at(1004)), 1);
    assert!(timer.advance(at(1005)));
    assert_eq!((timer.current_count(at(1005)), timer.initial_count()), (0, 1000));
    assert!(!timer.advance(at(5000)));
    assert_eq!(timer.next_expiry_ns(at(5000), HZ), None);
}

#[test]
fn periodic_keeps_its_rhythm() {
    let mut timer = timer(TimerMode::Periodic);
    timer.set_initial_count(100, at(0));
    assert!(timer.advance(at(130)));
    assert_eq!(timer.current_count(at(130)), 70);
    assert!(!timer.advance(at(199)));
    // Five periods at once are one expiry.
    assert!(timer.advance(at(650)));
    assert!(!timer.advance(at(650)));
    assert_eq!(timer.next_expiry_ns(at(650), HZ), Some(700));
    timer.set_initial_count(0, at(660));
    assert!(!timer.advance(at(10_000)));
}

#[test]
fn new_divisor_counts_on() {
    let mut timer = timer(TimerMode::OneShot);
    timer.set_initial_count(100, at(0));
    timer.set_divide_configuration(0, at(40));
    assert_eq!(timer.current_count(at(40)), 60);
    assert_eq!(timer.next_expiry_ns(at(40), HZ), Some(160));
}

#[test]
fn deadline_is_one_of_the_time_stamp_counter() {
    let mut timer = timer(TimerMode::Deadline);
    timer.set_initial_count(10, at(0));
    assert_eq!((timer.initial_count(), timer.current_count(at(1))), (0, 0));
    timer.set_deadline(3001);
    assert_eq!(timer.next_expiry_ns(at(0), HZ), Some(1001));
    assert!(!timer.advance(at(1000)));
    assert_eq!(timer.deadline(), 3001);
    assert!(timer.advance(at(1001)));
    assert_eq!((timer.deadline(), timer.next_expiry_ns(at(1001), HZ)), (0, None));
    // A deadline in the past expires at once.
    timer.set_deadline(7);
    assert_eq!(timer.next_expiry_ns(at(1001), HZ), Some(1001));
    assert!(timer.advance(at(1001)));
    timer.set_deadline(u64::MAX);
    assert!(timer.next_expiry_ns(at(0), HZ).is_some());
    timer.set_deadline(0);
    assert!(!timer.advance(at(u64::MAX / 3)));
}

#[test]
fn modes_do_not_mix() {
    let mut timer = timer(TimerMode::OneShot);
    timer.set_deadline(50);
    assert_eq!(timer.deadline(), 0);
    timer.set_initial_count(10, at(0));
    timer.set_mode(TimerMode::Deadline);
    assert!(!timer.advance(at(1000)));
    timer.set_deadline(9000);
    timer.set_mode(TimerMode::Periodic);
    assert_eq!((timer.deadline(), timer.initial_count()), (0, 0));
    assert!(!timer.advance(at(9000)));
    // Between one-shot and periodic the counter runs on.
    timer.set_initial_count(10, at(9000));
    timer.set_mode(TimerMode::OneShot);
    assert!(timer.advance(at(9010)));
    timer.set_mode(TimerMode::Reserved);
    timer.set_initial_count(10, at(9010));
    assert!(!timer.advance(at(10_000)));
}

proptest! {
    /// Whoever asks for the next expiry and advances to it sees the timer
    /// expire then and not a nanosecond before.
    #[test]
    fn expires_exactly_when_it_says(
        mode in prop_oneof![
            Just(TimerMode::OneShot), Just(TimerMode::Periodic), Just(TimerMode::Deadline)
        ],
        start in 0..1u64 << 40,
        count in 1u32..,
        divide in any::<u32>(),
        deadline in 1..1u64 << 42,
    ) {
        let mut timer = timer(mode);
        timer.set_divide_configuration(divide, at(start));
        timer.set_initial_count(count, at(start));
        timer.set_deadline(deadline);
        let expiry = timer.next_expiry_ns(at(start), HZ).unwrap();
        prop_assert!(expiry >= start);
        if expiry > start {
            prop_assert!(!timer.clone().advance(at(expiry - 1)));
        }
        prop_assert!(timer.clone().advance(at(expiry)));
    }

    /// Nothing that software or the clock does overflows.
    #[test]
    fn takes_any_values(values in any::<[u64; 6]>(), count: u32, bits: u32) {
        let moment = |index: usize| {
            Moment { nanoseconds: values[index], time_stamp: values[index + 1] }
        };
        let mut timer = Timer::new();
        timer.set_mode(TimerMode::from_bits(bits));
        timer.set_initial_count(count, moment(0));
        timer.set_deadline(values[2]);
        timer.set_divide_configuration(bits >> 2, moment(3));
        timer.advance(moment(1));
        timer.advance(moment(4));
        prop_assert!(timer.current_count(moment(2)) <= timer.initial_count());
        timer.next_expiry_ns(moment(0), NonZeroU64::MIN);
    }
}
