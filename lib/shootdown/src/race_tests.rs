//! The protocol under every order of events that `loom` can think of.
//!
//! Page tables are one word, a processor's translations another, which it alone
//! uses: what it has read of the tables, until it forgets.

extern crate std;

use std::vec::Vec;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use loom::thread;

use active::ActiveProcessors;
use requests::FlushRequests;

/// What the protocol stands on here.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering, fence};
}

#[allow(
    clippy::duplicate_mod,
    dead_code,
    unreachable_pub,
    reason = "the same protocol over other atomics"
)]
#[path = "active.rs"]
mod active;
#[allow(
    clippy::duplicate_mod,
    dead_code,
    unreachable_pub,
    reason = "the same protocol over other atomics"
)]
#[path = "requests.rs"]
mod requests;

/// The old mapping.
const OLD: u64 = 1;

struct World {
    /// The page table's entry.
    table: AtomicU64,
    active: ActiveProcessors,
    requests: [FlushRequests; 2],
    /// The memory that was mapped has another use.
    is_reused: AtomicBool,
}

fn world() -> Arc<World> {
    Arc::new(World {
        table: AtomicU64::new(OLD),
        active: ActiveProcessors(AtomicU64::new(0)),
        requests: [requests(), requests()],
        is_reused: AtomicBool::new(false),
    })
}

fn requests() -> FlushRequests {
    FlushRequests { requested: AtomicU64::new(0), done: AtomicU64::new(0) }
}

impl World {
    /// Takes the mapping away, as processor 0; then the memory gets another use.
    fn unmap(&self) {
        self.table.store(0, Ordering::Relaxed);
        let asked: Vec<_> = self
            .active
            .all()
            .filter(|number| *number != 0)
            .map(|number| (number, self.requests[number as usize].request()))
            .collect();
        for (number, ticket) in asked {
            while !self.requests[number as usize].is_done(ticket) {
                thread::yield_now();
            }
        }
        self.is_reused.store(true, Ordering::Release);
    }

    /// Uses the mapping a few times, as processor 1, and looks for requests in
    /// between.
    fn use_it(&self) {
        let mut translation = None;
        for _ in 0..2 {
            let entry = *translation.get_or_insert_with(|| self.table.load(Ordering::Relaxed));
            if entry == OLD {
                assert!(!self.is_reused.load(Ordering::Acquire), "used after it was taken away");
            }
            self.requests[1].serve(|| translation = None);
        }
        // It goes away, without translations.
        let _ = translation;
        self.active.leave(1);
        self.requests[1].serve(|| ());
    }
}

fn every_order(test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(test);
}

#[test]
fn nobody_uses_what_was_taken_away() {
    every_order(|| {
        let world = world();
        world.active.enter(0);
        world.active.enter(1);
        let user = thread::spawn({
            let world = world.clone();
            move || {
                world.use_it();
                // Requests that came before the end was seen are served too.
                while !world.is_reused.load(Ordering::Acquire) {
                    world.requests[1].serve(|| ());
                    thread::yield_now();
                }
            }
        });
        world.unmap();
        user.join().unwrap();
    });
}

#[test]
fn who_enters_late_sees_the_new_tables_or_is_asked() {
    every_order(|| {
        let world = world();
        world.active.enter(0);
        let user = thread::spawn({
            let world = world.clone();
            move || {
                world.active.enter(1);
                world.use_it();
                while !world.is_reused.load(Ordering::Acquire) {
                    world.requests[1].serve(|| ());
                    thread::yield_now();
                }
            }
        });
        world.unmap();
        user.join().unwrap();
    });
}

#[test]
fn two_that_ask_each_other_both_end() {
    every_order(|| {
        let world = world();
        let ask = |world: &World, own: usize, other: usize| {
            let ticket = world.requests[other].request();
            while !world.requests[other].is_done(ticket) {
                world.requests[own].serve(|| ());
                thread::yield_now();
            }
        };
        let second = thread::spawn({
            let world = world.clone();
            move || {
                ask(&world, 1, 0);
                world.requests[1].serve(|| ());
                world.is_reused.store(true, Ordering::Release);
            }
        });
        ask(&world, 0, 1);
        while !world.is_reused.load(Ordering::Acquire) {
            world.requests[0].serve(|| ());
            thread::yield_now();
        }
        second.join().unwrap();
    });
}

#[test]
fn requests_that_come_together_are_done_together() {
    let requests = super::FlushRequests::new();
    assert!(!requests.is_pending());
    requests.serve(|| panic!("nobody asked"));
    let (first, second) = (requests.request(), requests.request());
    assert!(requests.is_pending() && !requests.is_done(first));
    let mut flushes = 0;
    requests.serve(|| flushes += 1);
    requests.serve(|| flushes += 1);
    assert_eq!(flushes, 1);
    assert!(!requests.is_pending() && requests.is_done(first) && requests.is_done(second));
    assert!(!requests.is_done(requests.request()));
}

#[test]
fn sets_hold_who_entered() {
    let active = super::ActiveProcessors::new();
    for number in [63, 0, 5] {
        active.enter(number);
    }
    active.leave(5);
    active.leave(6);
    assert_eq!(active.all().collect::<Vec<_>>(), [0, 63]);
}
