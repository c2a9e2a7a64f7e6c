//! The protocol under every order of events that `loom` can think of.
//!
//! Page tables are one word, a processor's translations another, which it alone
//! uses: what it has read of the tables, until it forgets.

extern crate std;

use std::vec::Vec;

use loom::cell::UnsafeCell;
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
    /// The memory that was mapped: loom finds uses of the old mapping that are
    /// not ordered before the new use.
    memory: UnsafeCell<()>,
    /// It has another use.
    is_reused: AtomicBool,
}

fn world() -> Arc<World> {
    Arc::new(World {
        table: AtomicU64::new(OLD),
        active: ActiveProcessors(AtomicU64::new(0)),
        requests: [requests(), requests()],
        memory: UnsafeCell::new(()),
        is_reused: AtomicBool::new(false),
    })
}

fn requests() -> FlushRequests {
    FlushRequests { word: AtomicU64::new(0), done: AtomicU64::new(0) }
}

impl World {
    /// Takes the mapping away, as processor 0; then the memory gets another use.
    fn unmap(&self) {
        self.table.store(0, Ordering::Relaxed);
        let asked: Vec<_> = self
            .active
            .all()
            .filter(|number| *number != 0)
            .filter_map(|number| Some((number, self.requests[number as usize].request()?)))
            .collect();
        for (number, ticket) in asked {
            while !self.requests[number as usize].is_done(ticket) {
                thread::yield_now();
            }
        }
        self.memory.with_mut(|_| ());
        self.is_reused.store(true, Ordering::Release);
    }

    /// Uses the mapping as processor 1, by its translation if it has one.
    fn use_once(&self, translation: &mut Option<u64>) {
        let entry = *translation.get_or_insert_with(|| self.table.load(Ordering::Relaxed));
        if entry == OLD {
            assert!(!self.is_reused.load(Ordering::Acquire), "used after it was taken away");
            self.memory.with(|_| ());
        }
    }

    /// Uses the mapping a few times, as processor 1, and looks for requests in
    /// between; then has no translations any more.
    fn use_it(&self, mut translation: Option<u64>) {
        for _ in 0..2 {
            self.use_once(&mut translation);
            self.requests[1].serve(|| translation = None);
        }
        self.active.leave(1);
        self.serve_to_the_end();
    }

    /// Serves requests to processor 1 until nobody asks any more.
    fn serve_to_the_end(&self) {
        while !self.is_reused.load(Ordering::Acquire) {
            self.requests[1].serve(|| ());
            thread::yield_now();
        }
    }
}

fn every_order(test: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(test);
}

/// Takes the mapping away while `user` runs as processor 1, in every order.
fn while_it_is_taken_away(user: fn(&World)) {
    every_order(move || {
        let world = world();
        world.active.enter(0);
        let other = thread::spawn({
            let world = world.clone();
            move || user(&world)
        });
        world.unmap();
        other.join().unwrap();
    });
}

#[test]
fn nobody_uses_what_was_taken_away() {
    every_order(|| {
        let world = world();
        world.active.enter(0);
        world.active.enter(1);
        let user = thread::spawn({
            let world = world.clone();
            move || world.use_it(None)
        });
        world.unmap();
        user.join().unwrap();
    });
}

#[test]
fn who_enters_late_sees_the_new_tables_or_is_asked() {
    while_it_is_taken_away(|world| {
        world.active.enter(1);
        world.use_it(None);
    });
}

#[test]
fn nobody_waits_for_who_is_away() {
    while_it_is_taken_away(|world| {
        world.active.enter(1);
        let mut translation = None;
        world.use_once(&mut translation);
        world.requests[1].leave(|| translation = None);
        while !world.is_reused.load(Ordering::Acquire) {
            thread::yield_now();
        }
        world.requests[1].come_back(|| translation = None);
        world.use_it(translation);
    });
}

#[test]
fn who_comes_back_at_any_time_uses_nothing_old() {
    while_it_is_taken_away(|world| {
        world.active.enter(1);
        let mut translation = None;
        world.use_once(&mut translation);
        world.requests[1].leave(|| translation = None);
        world.requests[1].come_back(|| translation = None);
        world.use_it(translation);
    });
}

#[test]
fn two_that_ask_each_other_both_end() {
    every_order(|| {
        let world = world();
        let ask = |world: &World, own: usize, other: usize| {
            let Some(ticket) = world.requests[other].request() else { return };
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
    let (first, second) = (requests.request().unwrap(), requests.request().unwrap());
    assert!(requests.is_pending() && !requests.is_done(first));
    let mut flushes = 0;
    requests.serve(|| flushes += 1);
    requests.serve(|| flushes += 1);
    assert_eq!(flushes, 1);
    assert!(!requests.is_pending() && requests.is_done(first) && requests.is_done(second));
    assert!(!requests.is_done(requests.request().unwrap()));
}

#[test]
fn requests_to_who_is_away_are_one_mark() {
    let requests = super::FlushRequests::new();
    let ticket = requests.request().unwrap();
    let mut flushes = 0;
    requests.leave(|| flushes += 1);
    assert!(requests.is_done(ticket) && requests.is_away(), "what came before is served");
    assert_eq!((requests.request(), requests.request()), (None, None));
    assert!(!requests.is_pending());
    requests.come_back(|| flushes += 1);
    assert_eq!(flushes, 2);
    assert!(!requests.is_away() && requests.request().is_some());
    requests.leave(|| flushes += 1);
    requests.come_back(|| panic!("nobody asked since it left"));
    assert_eq!(flushes, 3);
}

#[test]
#[should_panic(expected = "leaves once")]
fn who_is_away_does_not_leave() {
    let requests = super::FlushRequests::new();
    requests.leave(|| ());
    requests.leave(|| ());
}

#[test]
#[should_panic(expected = "has been away")]
fn who_is_here_does_not_come_back() {
    super::FlushRequests::new().come_back(|| ());
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
