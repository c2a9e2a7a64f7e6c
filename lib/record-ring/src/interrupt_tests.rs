//! A writer that is interrupted at every single access, by handlers that write
//! to the same ring.

extern crate std;

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::record::Cursor;

use self::atomic::{HANDLER, PLAN};
use self::ring::Ring;

#[allow(clippy::duplicate_mod, unreachable_pub, reason = "the same protocol over other atomics")]
#[path = "ring.rs"]
mod ring;

/// Atomics that are interrupted according to a plan.
mod atomic {
    extern crate std;

    use std::cell::{Cell, RefCell};
    use std::collections::VecDeque;

    pub(super) use core::sync::atomic::{Ordering, fence};

    std::thread_local! {
        /// How many accesses pass before each of the interrupts. Handlers' own
        /// accesses count, so handlers are interrupted, too.
        pub(super) static PLAN: RefCell<VecDeque<u8>> = const { RefCell::new(VecDeque::new()) };
        /// What an interrupt does.
        pub(super) static HANDLER: Cell<fn()> = const { Cell::new(|| ()) };
    }

    /// Comes before each access.
    fn interrupt() {
        let due = PLAN.with_borrow_mut(|plan| match plan.front_mut() {
            Some(0) => plan.pop_front().is_some(),
            Some(passing) => {
                *passing -= 1;
                false
            }
            None => false,
        });
        if due {
            HANDLER.get()();
        }
    }

    #[derive(Debug, Default)]
    pub(super) struct AtomicU32(core::sync::atomic::AtomicU32);

    #[derive(Debug, Default)]
    pub(super) struct AtomicU64(core::sync::atomic::AtomicU64);

    impl AtomicU32 {
        pub(super) fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
            interrupt();
            self.0.fetch_add(value, order)
        }

        pub(super) fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
            interrupt();
            self.0.fetch_sub(value, order)
        }
    }

    impl AtomicU64 {
        pub(super) fn load(&self, order: Ordering) -> u64 {
            interrupt();
            self.0.load(order)
        }

        pub(super) fn store(&self, value: u64, order: Ordering) {
            interrupt();
            self.0.store(value, order);
        }

        pub(super) fn fetch_max(&self, value: u64, order: Ordering) -> u64 {
            interrupt();
            self.0.fetch_max(value, order)
        }

        pub(super) fn compare_exchange(
            &self,
            current: u64,
            new: u64,
            success: Ordering,
            failure: Ordering,
        ) -> Result<u64, u64> {
            interrupt();
            self.0.compare_exchange(current, new, success, failure)
        }
    }
}

/// Words of the ring: small, so that handlers come into each other's way.
const WORDS: usize = 32;

/// A ring, a reader, and what both should agree on.
struct Scene {
    ring: Ring<WORDS>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    cursor: Cursor,
    /// Records that were begun, which names them.
    written: u64,
    seen: BTreeSet<u64>,
    lost: u64,
}

std::thread_local! {
    static SCENE: Scene = Scene {
        ring: Ring {
            words: Default::default(),
            oldest: Default::default(),
            reserved: Default::default(),
            published: Default::default(),
            writing: Default::default(),
            unfinished: Default::default(),
        },
        state: RefCell::default(),
    };
}

/// Content of the record with name `n`.
fn content(n: u64) -> std::vec::Vec<u8> {
    std::vec![n as u8; (n * 7 % 61) as usize]
}

/// Writes one more record.
fn write() {
    SCENE.with(|scene| {
        let n = {
            let mut state = scene.state.borrow_mut();
            state.written += 1;
            state.written
        };
        scene.ring.write(n, n as u8, &content(n)).unwrap();
    });
}

/// Reads all there is and checks that no record is torn or comes twice. The
/// reader is not interrupted: that is what `race_tests.rs` is about.
fn read() {
    let plan = PLAN.take();
    SCENE.with(|scene| {
        let mut state = scene.state.borrow_mut();
        let mut buffer = [0; Ring::<WORDS>::MAX_CONTENT];
        while let Some(record) = scene.ring.read(&mut state.cursor, &mut buffer) {
            let n = record.time;
            assert_eq!((record.tag, record.content), (n as u8, &*content(n)), "torn");
            assert!(state.seen.insert(n), "record {n} comes twice");
            state.lost += u64::from(record.lost);
        }
    });
    PLAN.set(plan);
}

proptest! {
    /// However handlers interrupt: no record is torn, and each is seen or
    /// counted as lost.
    #[test]
    fn handlers_may_write_at_any_point(
        plan in proptest::collection::vec(0_u8..30, 0..60),
        writes in 1..20,
    ) {
        SCENE.with(|scene| {
            // A fresh reader of a ring that other runs have used: it begins where
            // they have ended.
            let mut state = scene.state.borrow_mut();
            state.seen.clear();
            state.lost = 0;
        });
        let before = SCENE.with(|scene| scene.state.borrow().written);
        HANDLER.set(|| {
            write();
            read();
        });
        PLAN.set(plan.into());
        for _ in 0..writes {
            write();
        }
        // What is lost shows at the next record.
        PLAN.take();
        write();
        read();
        SCENE.with(|scene| {
            let state = scene.state.borrow();
            assert_eq!(state.written - before, state.seen.len() as u64 + state.lost);
            assert!(state.seen.contains(&state.written), "the last one is there");
        });
    }
}
