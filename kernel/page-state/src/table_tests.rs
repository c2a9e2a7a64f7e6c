//! One processor: what is refused, what is kept, and a plain model beside it.

extern crate std;

use std::vec::Vec;

use proptest::prelude::*;

use super::chunk_part::ChunkPart;
use super::detail::DetailBlock;
use super::fixed_blocks::FixedBlocks;
use super::refusal::Refusal;
use super::state::{GuestLevel, Owner, PageState};
use super::table::PageStates;
use super::word::ChunkWord;
use super::work::Work;

const MODULE: PageState = PageState::Validated(Owner::Module);
const GUEST: PageState = PageState::Validated(Owner::Guest(GuestLevel::One));

/// Memory for a table.
struct Memory {
    words: Vec<ChunkWord>,
    blocks: Vec<DetailBlock>,
}

impl Memory {
    fn new(chunks: usize, blocks: usize) -> Self {
        Self {
            words: (0..chunks).map(|_| ChunkWord::new()).collect(),
            blocks: (0..blocks).map(|_| DetailBlock::new()).collect(),
        }
    }

    fn table(&self) -> PageStates<'_, FixedBlocks<'_>> {
        PageStates::new(&self.words, FixedBlocks::new(&self.blocks))
    }
}

fn part(first: u64, count: u64) -> ChunkPart {
    ChunkPart::new(first, count).unwrap()
}

#[test]
fn runs_end_where_pages_differ_and_with_their_chunk() {
    let runs = [
        (0, PageState::Absent, 5),
        (3, PageState::Absent, 2),
        (5, PageState::Unvalidated, 507),
        (512, PageState::Unvalidated, 188),
        (700, PageState::Absent, 324),
    ];
    let memory = Memory::new(2, 2);
    let mut table = memory.table();
    table.declare(5..700, PageState::Unvalidated).unwrap();
    for (page, state, count) in runs {
        assert_eq!(table.run_from(page), Some((state, part(page, count))), "page {page}");
    }
    assert_eq!((table.end(), table.run_from(1024)), (1024, None));
}

#[test]
fn pages_change_when_committed_and_not_before() {
    let memory = Memory::new(4, 1);
    let mut table = memory.table();
    table.declare(0..2048, PageState::Unvalidated).unwrap();
    let claim = table.claim(part(7, 3), PageState::Unvalidated, GUEST).unwrap();
    assert_eq!(
        (claim.part(), claim.expected(), claim.next()),
        (part(7, 3), PageState::Unvalidated, GUEST)
    );
    assert_eq!((table.state(8), table.count(GUEST)), (PageState::Unvalidated, 0));
    claim.commit();
    assert_eq!([6, 7, 9, 10].map(|page| table.state(page) == GUEST), [false, true, true, false]);
    assert_eq!((table.count(GUEST), table.count(PageState::Unvalidated)), (3, 2045));
    assert_eq!(table.blocks().taken(), 1);

    drop(table.claim(part(7, 3), GUEST, PageState::Shared).unwrap());
    assert_eq!((table.state(8), table.count(GUEST)), (GUEST, 3));
    table.claim(part(7, 3), GUEST, PageState::Unvalidated).unwrap().commit();
    assert_eq!(table.blocks().taken(), 0, "all pages of the chunk are alike again");
}

#[test]
fn whole_chunks_take_no_block() {
    let memory = Memory::new(2, 0);
    let mut table = memory.table();
    table.declare(0..1024, PageState::Unvalidated).unwrap();
    for chunk in 0..2 {
        let whole = ChunkPart::chunk(chunk).unwrap();
        table.claim(whole, PageState::Unvalidated, MODULE).unwrap().commit();
        drop(table.claim(whole, MODULE, PageState::Shared).unwrap());
    }
    assert_eq!(table.count(MODULE), 1024);
    let single = table.claim(ChunkPart::page(5), MODULE, PageState::Shared);
    assert_eq!(single.unwrap_err(), Refusal::OutOfBlocks);
    assert_eq!(table.state(5), MODULE);
}

#[test]
fn what_would_be_wrong_is_refused_from_the_table() {
    let memory = Memory::new(2, 2);
    let mut table = memory.table();
    table.declare(0..512, PageState::Unvalidated).unwrap();
    table.declare(0..16, MODULE).unwrap();
    table.declare(16..17, PageState::Shared).unwrap();
    table.declare(17..18, GUEST).unwrap();
    let validate = |first, count| {
        table.claim(part(first, count), PageState::Unvalidated, GUEST).map(drop).unwrap_err()
    };
    let other = |page, found| Refusal::State { page, found, expected: PageState::Unvalidated };
    assert_eq!(validate(17, 1), other(17, GUEST), "validated twice");
    assert_eq!(validate(3, 1), other(3, MODULE), "the module's page");
    assert_eq!(validate(16, 1), other(16, PageState::Shared), "a shared page as a private one");
    assert_eq!(validate(512, 1), other(512, PageState::Absent), "not of this VM");
    assert_eq!(validate(1024, 512), other(1024, PageState::Absent), "above the table");
    assert_eq!(validate(u64::MAX, 1), other(u64::MAX, PageState::Absent), "above all");
    assert_eq!(validate(0, 512), other(0, MODULE), "a chunk that has some of each");
    assert_eq!(
        table.claim(part(17, 2), GUEST, PageState::Shared).unwrap_err(),
        Refusal::State { page: 18, found: PageState::Unvalidated, expected: GUEST }
    );
    for (from, to) in [
        (GUEST, GUEST),
        (PageState::Absent, GUEST),
        (PageState::Shared, PageState::SaveArea),
        (PageState::SaveArea, PageState::Shared),
    ] {
        let refusal = table.claim(ChunkPart::page(17), from, to).unwrap_err();
        assert_eq!(refusal, Refusal::Transition { from, to });
    }
}

#[test]
fn claimed_pages_are_not_claimed_again() {
    let memory = Memory::new(1, 1);
    let mut table = memory.table();
    table.declare(0..512, PageState::Unvalidated).unwrap();
    let whole = ChunkPart::chunk(0).unwrap();
    let claim = |part| table.claim(part, PageState::Unvalidated, GUEST);
    let held = claim(whole).unwrap();
    assert_eq!(claim(part(9, 1)).unwrap_err(), Refusal::Claimed { page: 9 });
    drop(held);
    let held = claim(part(100, 2)).unwrap();
    assert_eq!(claim(whole).unwrap_err(), Refusal::Claimed { page: 100 });
    assert_eq!(claim(part(101, 3)).unwrap_err(), Refusal::Claimed { page: 101 });
    claim(part(102, 410)).unwrap().commit();
    claim(part(0, 100)).unwrap().commit();
    held.commit();
    assert_eq!((table.count(GUEST), table.blocks().taken()), (512, 0));
}

#[test]
fn runs_are_found_between_others() {
    let memory = Memory::new(1, 1);
    let mut table = memory.table();
    table.declare(10..500, PageState::Unvalidated).unwrap();
    table.declare(20..30, MODULE).unwrap();
    let _held = table.claim(part(40, 1), PageState::Unvalidated, GUEST).unwrap();
    let run = |first, count| table.first_run(part(first, count), PageState::Unvalidated);
    assert_eq!(run(0, 512), Some(part(10, 10)));
    assert_eq!(run(20, 492), Some(part(30, 10)));
    assert_eq!(run(40, 472), Some(part(41, 459)));
    assert_eq!(run(15, 2), Some(part(15, 2)));
    assert_eq!(run(500, 12), None);
    assert_eq!(table.first_run(part(512, 1), PageState::Unvalidated), None);
}

#[test]
fn a_range_is_validated_in_pieces() {
    let memory = Memory::new(4, 4);
    let mut table = memory.table();
    table.declare(100..1600, PageState::Unvalidated).unwrap();
    table.declare(600..1200, MODULE).unwrap();
    let work = Work::new(0..2048);
    while let Some(mut rest) = work.next() {
        while let Some(run) = table.first_run(rest, PageState::Unvalidated) {
            table.claim(run, PageState::Unvalidated, GUEST).unwrap().commit();
            let behind = run.first() + run.count();
            let Some(next) = ChunkPart::new(behind, rest.first() + rest.count() - behind) else {
                break;
            };
            rest = next;
        }
    }
    assert_eq!((table.count(GUEST), table.count(MODULE)), (900, 600));
    assert_eq!(table.count(PageState::Unvalidated), 0);
}

#[test]
fn tables_are_as_long_as_memory() {
    type Table<'a> = PageStates<'a, FixedBlocks<'a>>;
    assert_eq!([0, 1, 1 << 21, (1 << 21) + 1].map(Table::words_for), [0, 1, 1, 2]);
    assert_eq!(Table::words_for(1 << 30), 512);
    let memory = Memory::new(1, 0);
    let mut table = memory.table();
    let refusal = table.declare(0..513, PageState::Shared).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::State { page: 512, found: PageState::Absent, expected: PageState::Shared }
    );
}

fn states() -> impl Strategy<Value = PageState> {
    prop::sample::select(&PageState::ALL)
}

proptest! {
    /// The table does what a plain list of states does.
    #[test]
    fn table_and_list_agree(
        steps in prop::collection::vec((0..3_u64, 0..512_u64, 1..=512_u64, states(), states(), any::<bool>()), 1..40),
        blocks in 0..3_usize,
    ) {
        let memory = Memory::new(2, blocks);
        let mut table = memory.table();
        let mut list = [PageState::Absent; 1536];
        for (pages, state) in [(0..700, PageState::Unvalidated), (512..1024, PageState::Shared)] {
            if table.declare(pages.clone(), state).is_ok() {
                list[pages.start as usize..pages.end as usize].fill(state);
            } else {
                // The first chunk is set, and then there was no block.
                list[..512].fill(state);
            }
        }
        for (chunk, first, count, expected, next, commits) in steps {
            let (first, count) = (chunk * 512 + first, count.min(512 - first));
            let pages = &mut list[first as usize..(first + count) as usize];
            let fits = pages.iter().all(|state| *state == expected) && expected.can_become(next);
            match table.claim(part(first, count), expected, next) {
                Ok(claim) => {
                    prop_assert!(fits);
                    if commits {
                        claim.commit();
                        pages.fill(next);
                    }
                }
                Err(refusal) => prop_assert!(!fits || refusal == Refusal::OutOfBlocks),
            }
        }
        for (page, state) in (0..).zip(list) {
            prop_assert_eq!(table.state(page), state);
        }
        for state in PageState::ALL {
            let count = list[..1024].iter().filter(|found| **found == state).count() as u64;
            prop_assert_eq!(table.count(state), count);
        }
        let mixed = list[..1024].chunks(512).filter(|chunk| chunk.iter().any(|state| *state != chunk[0]));
        prop_assert_eq!(table.blocks().taken(), mixed.count());
    }
}
