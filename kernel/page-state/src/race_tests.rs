//! Several processors under every order of events that `loom` can think of.
//!
//! Chunks are small here, so that there are not too many orders.

extern crate std;

use loom::sync::Arc;
use loom::thread;
use std::boxed::Box;
use std::vec::Vec;

use self::chunk_part::ChunkPart;
use self::chunk_size::PAGES_PER_CHUNK;
use self::detail::DetailBlock;
use self::fixed_blocks::FixedBlocks;
use self::refusal::Refusal;
use self::state::{Owner, PageState};
use self::table::PageStates;
use self::word::ChunkWord;
use self::work::Work;

/// What the table stands on here.
mod atomic {
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

/// The size of a chunk here.
mod chunk_size {
    pub(super) const PAGES_PER_CHUNK: u64 = 32;
}

#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "chunk_part.rs"]
mod chunk_part;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "claim.rs"]
mod claim;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "counts.rs"]
mod counts;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "detail.rs"]
mod detail;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "fixed_blocks.rs"]
mod fixed_blocks;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "locked_chunk.rs"]
mod locked_chunk;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "refusal.rs"]
mod refusal;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "state.rs"]
mod state;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "table.rs"]
mod table;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "word.rs"]
mod word;
#[allow(clippy::duplicate_mod, dead_code, unreachable_pub, reason = "the same over other atomics")]
#[path = "work.rs"]
mod work;

const MODULE: PageState = PageState::Validated(Owner::Module);

type Table = PageStates<'static, FixedBlocks<'static>>;

/// Tries orders with up to three changes of the running processor where it
/// could go on: more of them find nothing in so short programs, and take long.
fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(test);
}

/// A table of unvalidated chunks. Its memory is not returned: the process is
/// short.
fn table(chunks: usize, blocks: usize) -> Arc<Table> {
    let words: Vec<ChunkWord> = (0..chunks).map(|_| ChunkWord::new()).collect();
    let blocks: Vec<DetailBlock> = (0..blocks).map(|_| DetailBlock::new()).collect();
    let mut table =
        PageStates::new(Box::leak(words.into()), FixedBlocks::new(Box::leak(blocks.into())));
    table.declare(0..chunks as u64 * PAGES_PER_CHUNK, PageState::Unvalidated).unwrap();
    Arc::new(table)
}

/// Validates, as a processor does that may come too late.
fn validate(table: &Table, part: ChunkPart) -> bool {
    match table.claim(part, PageState::Unvalidated, MODULE) {
        Ok(claim) => {
            claim.commit();
            true
        }
        Err(Refusal::Claimed { .. } | Refusal::State { found: MODULE, .. }) => false,
        Err(refusal) => panic!("{refusal}"),
    }
}

#[test]
fn a_chunk_is_validated_by_one() {
    model(|| {
        let table = table(1, 0);
        let whole = ChunkPart::chunk(0).unwrap();
        let other = {
            let table = table.clone();
            thread::spawn(move || validate(&table, whole))
        };
        let here = validate(&table, whole);
        let there = other.join().unwrap();
        assert!(here ^ there, "validated once: {here} {there}");
        assert_eq!(table.count(MODULE), PAGES_PER_CHUNK);
    });
}

#[test]
fn different_pages_of_a_chunk_are_validated_by_both() {
    model(|| {
        let table = table(1, 1);
        let other = {
            let table = table.clone();
            thread::spawn(move || validate(&table, ChunkPart::page(1)))
        };
        assert!(validate(&table, ChunkPart::page(20)));
        assert!(other.join().unwrap());
        assert_eq!([1, 2, 20].map(|page| table.state(page) == MODULE), [true, false, true]);
        assert_eq!((table.count(MODULE), table.blocks().taken()), (2, 1));
    });
}

#[test]
fn halves_make_a_whole() {
    model(|| {
        let table = table(1, 1);
        let half = PAGES_PER_CHUNK / 2;
        let other = {
            let table = table.clone();
            thread::spawn(move || validate(&table, ChunkPart::new(0, half).unwrap()))
        };
        assert!(validate(&table, ChunkPart::new(half, half).unwrap()));
        assert!(other.join().unwrap());
        assert_eq!((table.count(MODULE), table.blocks().taken()), (PAGES_PER_CHUNK, 0));
    });
}

#[test]
fn a_dropped_claim_leaves_the_page_to_the_other() {
    model(|| {
        let table = table(1, 1);
        let other = {
            let table = table.clone();
            thread::spawn(move || validate(&table, ChunkPart::page(3)))
        };
        if let Ok(claim) = table.claim(ChunkPart::page(3), PageState::Unvalidated, MODULE) {
            drop(claim);
        }
        let validated = other.join().unwrap();
        assert_eq!(table.state(3) == MODULE, validated);
        assert_eq!(table.blocks().taken(), usize::from(validated));
    });
}

#[test]
fn one_block_serves_one_chunk_at_a_time() {
    model(|| {
        let table = table(2, 1);
        let try_one = |table: &Table, page| match table.claim(
            ChunkPart::page(page),
            PageState::Unvalidated,
            MODULE,
        ) {
            Ok(claim) => {
                drop(claim);
                true
            }
            Err(refusal) => {
                assert_eq!(refusal, Refusal::OutOfBlocks);
                false
            }
        };
        let other = {
            let table = table.clone();
            thread::spawn(move || try_one(&table, 0))
        };
        let here = try_one(&table, PAGES_PER_CHUNK);
        assert!(other.join().unwrap() || here, "someone got the block");
        assert_eq!((table.count(MODULE), table.blocks().taken()), (0, 0));
    });
}

#[test]
fn readers_see_a_state_that_the_page_had() {
    model(|| {
        let table = table(1, 1);
        let other = {
            let table = table.clone();
            thread::spawn(move || validate(&table, ChunkPart::page(4)))
        };
        let seen = table.state(4);
        assert!(seen == PageState::Unvalidated || seen == MODULE);
        assert_eq!(table.state(5), PageState::Unvalidated);
        assert!(other.join().unwrap());
    });
}

#[test]
fn work_is_given_out_once() {
    model(|| {
        let work = Arc::new(Work::new(0..3 * PAGES_PER_CHUNK));
        let count = |work: &Work| core::iter::from_fn(|| work.next()).count();
        let other = {
            let work = work.clone();
            thread::spawn(move || count(&work))
        };
        let here = count(&work);
        assert_eq!(here + other.join().unwrap(), 3);
    });
}
