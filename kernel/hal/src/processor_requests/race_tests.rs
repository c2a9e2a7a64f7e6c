//! The word of requests under every order of events that `loom` can think of.

extern crate std;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use word::{Request, RequestWord};

/// What `word.rs` stands on here.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU32, Ordering};
}

#[allow(
    clippy::duplicate_mod,
    dead_code,
    unreachable_pub,
    reason = "the same protocol over other atomics"
)]
#[path = "word.rs"]
mod word;

struct World {
    word: RequestWord,
    /// There is something to do.
    is_ready: AtomicBool,
}

/// Waits for something to do, as a processor that serves requests between its
/// decision to wait and the wait. Returns how often it served one.
fn wait(world: &World) -> u32 {
    let mut served = 0;
    while !world.is_ready.load(Ordering::Relaxed) {
        // The end of a masking.
        served += u32::from(world.word.take_served().contains(Request::Flush));
        // The wait; `loom` reports one that nothing ends.
        while !world.word.is_pending() {
            thread::yield_now();
        }
        world.word.take_wake();
    }
    served
}

fn every_order(others: fn(&World), check: impl Fn(&World, u32) + Clone + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let world = Arc::new(World {
            word: RequestWord(atomic::AtomicU32::new(0)),
            is_ready: AtomicBool::new(false),
        });
        let other = thread::spawn({
            let world = world.clone();
            move || others(&world)
        });
        let served = wait(&world);
        other.join().unwrap();
        check(&world, served);
    });
}

#[test]
fn a_wake_up_ends_the_wait_and_shows_why_it_came() {
    every_order(
        |world| {
            world.is_ready.store(true, Ordering::Relaxed);
            world.word.add(Request::Wake);
        },
        |_, served| assert_eq!(served, 0),
    );
}

#[test]
fn a_wake_up_stays_while_others_ask_for_more() {
    every_order(
        |world| {
            world.is_ready.store(true, Ordering::Relaxed);
            world.word.add(Request::Wake);
            world.word.add(Request::Flush);
        },
        |world, served| {
            // Asked for once: served by now, or still to be served.
            let left = world.word.take_served().contains(Request::Flush);
            assert_eq!(served + u32::from(left), 1);
        },
    );
}

#[test]
fn requests_are_taken_one_kind_at_a_time() {
    let word = super::word::RequestWord::new();
    assert!(!word.is_pending());
    for request in
        [super::word::Request::Wake, super::word::Request::Flush, super::word::Request::Stop]
    {
        word.add(request);
    }
    let asked = word.take_served();
    assert!(
        asked.contains(super::word::Request::Flush) && asked.contains(super::word::Request::Stop)
    );
    assert!(word.is_pending(), "the wake-up is for the next wait");
    assert!(!word.take_served().contains(super::word::Request::Flush));
    word.take_wake();
    assert!(!word.is_pending());
}
