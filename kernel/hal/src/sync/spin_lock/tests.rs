//! The lock from outside: exclusion, interrupts, order.

extern crate std;

use std::thread;

use super::*;
use crate::sync::interrupt_flag::is_set;

#[test]
fn threads_take_turns() {
    let lock = SpinLock::new(Rank::Heap, 0_u32);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let mut value = lock.lock();
                    let seen = *value;
                    thread::yield_now();
                    *value = seen + 1;
                }
            });
        }
    });
    assert_eq!(lock.into_inner(), 4000);
}

#[test]
fn interrupts_are_masked_while_it_is_held() {
    let lock = SpinLock::new(Rank::Heap, ());
    assert!(is_set());
    let guard = lock.lock();
    assert!(!is_set());
    assert!(lock.try_lock().is_none());
    assert!(!is_set());
    drop(guard);
    assert!(is_set());
}

#[test]
fn rising_ranks_are_fine_in_any_order_of_ends() {
    let outer = SpinLock::new(Rank::RunQueue, ());
    let inner = SpinLock::new(Rank::Frames, ());
    let first = outer.lock();
    let second = inner.lock();
    drop(first);
    drop(second);
    // Nothing is left noted.
    drop(outer.lock());
    with_state(|state| assert!(state.ranks.is_empty()));
}

#[test]
#[should_panic(expected = "lock order: RunQueue")]
fn falling_ranks_are_a_fault() {
    let outer = SpinLock::new(Rank::RunQueue, ());
    let inner = SpinLock::new(Rank::Frames, ());
    let _second = inner.lock();
    let _first = outer.lock();
}

#[test]
#[should_panic(expected = "lock order: Frames")]
fn equal_ranks_are_a_fault() {
    let one = SpinLock::new(Rank::Frames, ());
    let other = SpinLock::new(Rank::Frames, ());
    let _one = one.lock();
    let _other = other.lock();
}

#[test]
fn trying_may_break_the_order() {
    let low = SpinLock::new(Rank::RunQueue, 1);
    let high = SpinLock::new(Rank::Frames, 2);
    let equal = SpinLock::new(Rank::Frames, 3);
    let held = high.lock();
    let tried = low.try_lock();
    let same = equal.try_lock();
    assert_eq!((*held, tried.as_deref(), same.as_deref()), (2, Some(&1), Some(&3)));
    drop(same);
    // The end of the second lock of a rank does not forget the first.
    with_state(|state| assert!(!state.ranks.add_out_of_order(Rank::Frames)));
    drop((held, tried));
    with_state(|state| assert!(state.ranks.is_empty()));
}
