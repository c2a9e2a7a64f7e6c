//! One after the other: what a reader gets from a ring that nobody disturbs.

extern crate std;

use std::collections::VecDeque;
use std::vec::Vec;

use proptest::prelude::*;

use crate::{Cursor, Record, Ring, TooLong};

/// Words of the rings here: small, so that they wrap often.
const WORDS: usize = 32;
type Small = Ring<WORDS>;

/// Everything that `cursor` has not seen yet: time, tag, content, lost.
fn rest(ring: &Small, cursor: &mut Cursor) -> Vec<(u64, u8, Vec<u8>, u32)> {
    let mut buffer = [0; Small::MAX_CONTENT];
    let mut records = Vec::new();
    while let Some(record) = ring.read(cursor, &mut buffer) {
        let Record { time, tag, content, lost } = record;
        records.push((time, tag, content.to_vec(), lost));
    }
    records
}

#[test]
fn empty_ring_has_no_record() {
    let ring = Small::new();
    assert_eq!(rest(&ring, &mut Cursor::default()), []);
}

#[test]
fn records_come_in_order_and_once() {
    let ring = Small::new();
    let mut cursor = Cursor::default();
    ring.write(10, 1, b"one").unwrap();
    ring.write(20, 2, b"").unwrap();
    let first = rest(&ring, &mut cursor);
    assert_eq!(first, [(10, 1, b"one".to_vec(), 0), (20, 2, Vec::new(), 0)]);
    assert_eq!(rest(&ring, &mut cursor), []);
    ring.write(u64::MAX, 255, b"nine byte").unwrap();
    assert_eq!(rest(&ring, &mut cursor), [(u64::MAX, 255, b"nine byte".to_vec(), 0)]);
}

#[test]
fn too_long_content_is_refused_whole() {
    let ring = Small::new();
    let most = Small::MAX_CONTENT;
    assert_eq!(most, 64);
    assert_eq!(ring.write(0, 0, &[7; 65]), Err(TooLong { size: 65, most }));
    assert_eq!(rest(&ring, &mut Cursor::default()), []);
    ring.write(0, 0, &[7; 64]).unwrap();
    assert_eq!(rest(&ring, &mut Cursor::default()), [(0, 0, [7; 64].to_vec(), 0)]);
}

#[test]
fn small_buffer_gets_the_beginning() {
    let ring = Small::new();
    ring.write(0, 0, b"a longer line").unwrap();
    let mut buffer = [0; 10];
    let mut cursor = Cursor::default();
    let record = ring.read(&mut cursor, &mut buffer).unwrap();
    assert_eq!(record.content, b"a longer l");
    assert_eq!(ring.read(&mut cursor, &mut buffer), None);
}

#[test]
fn numbers_wrap_around() {
    let ring = Ring::<8>::new();
    let mut cursor = Cursor::default();
    for _ in 0..(1 << 24) + 5 {
        ring.write(0, 0, b"").unwrap();
    }
    let first = ring.read(&mut cursor, &mut []).unwrap();
    // Four records fit; the count of lost ones has 24 bits.
    assert_eq!(first.lost, 1);
    assert_eq!(ring.read(&mut cursor, &mut []).unwrap().lost, 0);
}

#[derive(Clone, Debug)]
enum Step {
    Write(u8, Vec<u8>),
    Read,
}

fn step() -> impl Strategy<Value = Step> {
    let content = proptest::collection::vec(any::<u8>(), 0..=Small::MAX_CONTENT);
    prop_oneof![
        3 => (any::<u8>(), content).prop_map(|(tag, content)| Step::Write(tag, content)),
        2 => Just(Step::Read),
    ]
}

proptest! {
    /// The ring behaves like a queue of records that fit into its words.
    #[test]
    fn behaves_like_a_bounded_queue(steps in proptest::collection::vec(step(), 0..200)) {
        let ring = Small::new();
        let mut cursor = Cursor::default();
        let mut queue: VecDeque<(u64, u8, Vec<u8>)> = VecDeque::new();
        let words = |content: &Vec<u8>| 2 + content.len().div_ceil(8);
        let mut unread_lost = 0;
        let mut read_until = 0;
        for (time, step) in (0..).zip(steps) {
            match step {
                Step::Write(tag, content) => {
                    ring.write(time, tag, &content).unwrap();
                    queue.push_back((time, tag, content));
                    while queue.iter().map(|(_, _, content)| words(content)).sum::<usize>() > WORDS {
                        let (time, _, _) = queue.pop_front().unwrap();
                        unread_lost += u32::from(time >= read_until);
                    }
                }
                Step::Read => {
                    let mut buffer = [0; Small::MAX_CONTENT];
                    let expected = queue.iter().find(|(time, _, _)| *time >= read_until);
                    let found = ring.read(&mut cursor, &mut buffer);
                    let expected = expected.map(|(time, tag, content)| {
                        read_until = time + 1;
                        Record { time: *time, tag: *tag, content, lost: unread_lost }
                    });
                    if expected.is_some() {
                        unread_lost = 0;
                    }
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}
