//! The lock protocol under every order of events that `loom` can think of.

extern crate std;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use tickets::Tickets;

/// What `tickets.rs` stands on here.
mod atomic {
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::atomic::{AtomicU32, Ordering};
}

#[allow(clippy::duplicate_mod, reason = "the same protocol over other atomics")]
#[path = "tickets.rs"]
mod tickets;

/// A counter that only the one inside may touch; loom reports every access that
/// is not ordered after the one before.
struct Shared {
    tickets: Tickets,
    count: UnsafeCell<u32>,
}

fn shared(first_ticket: u32) -> Arc<Shared> {
    Arc::new(Shared {
        tickets: Tickets {
            next: atomic::AtomicU32::new(first_ticket),
            serving: atomic::AtomicU32::new(first_ticket),
        },
        count: UnsafeCell::new(0),
    })
}

fn count_up(shared: &Shared) {
    // SAFETY: loom itself checks that no two of these accesses race.
    shared.count.with_mut(|count| unsafe { *count += 1 });
}

/// Most times that loom takes the processor away from a thread that could go
/// on. A lock's faults show with few; every further one makes the test slower
/// by orders of magnitude.
const MOST_PREEMPTIONS: usize = 3;

/// Runs `work` on a second thread and this one, in every order, with tickets
/// that start at `first_ticket`; `check` gets the count.
fn every_order(first_ticket: u32, work: fn(&Shared), check: fn(u32)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(MOST_PREEMPTIONS);
    model.check(move || {
        let shared = shared(first_ticket);
        let other = thread::spawn({
            let shared = shared.clone();
            move || work(&shared)
        });
        work(&shared);
        other.join().unwrap();
        // SAFETY: the other thread has ended.
        check(shared.count.with(|count| unsafe { *count }));
    });
}

fn wait_and_count(shared: &Shared) {
    shared.tickets.enter();
    count_up(shared);
    shared.tickets.leave();
}

#[test]
fn one_at_a_time_gets_in_and_sees_what_the_other_did() {
    every_order(0, wait_and_count, |count| assert_eq!(count, 2));
}

#[test]
fn numbers_wrap_around() {
    every_order(u32::MAX, wait_and_count, |count| assert_eq!(count, 2));
}

#[test]
fn trying_gets_in_alone_or_not_at_all() {
    let try_to_count = |shared: &Shared| {
        if shared.tickets.try_enter() {
            count_up(shared);
            shared.tickets.leave();
        }
    };
    every_order(0, try_to_count, |count| assert!(matches!(count, 1 | 2), "{count}"));
}
