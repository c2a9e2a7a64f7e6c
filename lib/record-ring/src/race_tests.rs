//! A writer and a reader under every order of events that `loom` can think of.

extern crate std;

use std::vec::Vec;

use loom::sync::Arc;
use loom::thread;

use crate::record::Cursor;

use self::atomic::{AtomicU32, AtomicU64};
use self::ring::Ring;

/// What `ring.rs` stands on here.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}

#[allow(clippy::duplicate_mod, unreachable_pub, reason = "the same protocol over other atomics")]
#[path = "ring.rs"]
mod ring;

/// Words of the ring: room for two of the records here, of four words each.
const WORDS: usize = 8;

/// Records that the writer writes; the first one is overwritten.
const RECORDS: u64 = 3;

/// Most times that loom takes the processor away from a thread that could go
/// on.
const MOST_PREEMPTIONS: usize = 2;

fn empty() -> Ring<WORDS> {
    Ring {
        words: std::array::from_fn(|_| AtomicU64::new(0)),
        oldest: AtomicU64::new(0),
        reserved: AtomicU64::new(0),
        published: AtomicU64::new(0),
        writing: AtomicU32::new(0),
        unfinished: AtomicU64::new(0),
    }
}

/// The record that has the number `n`: time, tag and content all say so.
fn write(ring: &Ring<WORDS>, n: u64) {
    ring.write(n, n as u8, &[n as u8; 12]).unwrap();
}

/// Reads what is there, checks that no record is torn, and returns the numbers
/// of the records; lost ones are counted in.
fn read(ring: &Ring<WORDS>, cursor: &mut Cursor, next: &mut u64) {
    let mut buffer = [0; 16];
    while let Some(record) = ring.read(cursor, &mut buffer) {
        let n = record.time;
        assert_eq!(u64::from(record.lost), n - *next, "lost before {n}");
        assert_eq!((u64::from(record.tag), record.content), (n, &[n as u8; 12][..]), "torn");
        *next = n + 1;
    }
}

#[test]
fn reader_gets_whole_records_and_counts_what_it_missed() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(MOST_PREEMPTIONS);
    model.check(|| {
        let ring = Arc::new(empty());
        let writer = thread::spawn({
            let ring = ring.clone();
            move || (0..RECORDS).for_each(|n| write(&ring, n))
        });
        let (mut cursor, mut next) = (Cursor::default(), 0);
        read(&ring, &mut cursor, &mut next);
        writer.join().unwrap();
        read(&ring, &mut cursor, &mut next);
        assert_eq!(next, RECORDS, "the newest record is there in the end");
    });
}

#[test]
fn readers_do_not_disturb_each_other() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(MOST_PREEMPTIONS);
    model.check(|| {
        let ring = Arc::new(empty());
        write(&ring, 0);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let ring = ring.clone();
                thread::spawn(move || {
                    let (mut cursor, mut next) = (Cursor::default(), 0);
                    read(&ring, &mut cursor, &mut next);
                    assert!(next >= 1);
                })
            })
            .collect();
        write(&ring, 1);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}
