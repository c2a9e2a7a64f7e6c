//! Page states: claims in any order do what a plain list of states does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use page_state::{
    ChunkPart, ChunkWord, DetailBlock, FixedBlocks, GuestLevel, Owner, PageState, PageStates,
    Refusal,
};

const STATES: [PageState; 8] = [
    PageState::Absent,
    PageState::Shared,
    PageState::Unvalidated,
    PageState::Validated(Owner::Module),
    PageState::Validated(Owner::Guest(GuestLevel::One)),
    PageState::Validated(Owner::Guest(GuestLevel::Two)),
    PageState::Validated(Owner::Guest(GuestLevel::Three)),
    PageState::SaveArea,
];
const PAGES: usize = 1024;

// Five bytes: states, first page, number of pages. Claims are held until
// another one needs their pages, and then dropped or committed.
fuzz_target!(|input: &[u8]| {
    let words = [ChunkWord::new(), ChunkWord::new()];
    let blocks = [DetailBlock::new()];
    let mut table = PageStates::new(&words, FixedBlocks::new(&blocks));
    let mut list = [PageState::Unvalidated; PAGES];
    table.declare(0..PAGES as u64, PageState::Unvalidated).expect("chunks that are whole");
    let mut held = None;
    for step in input.chunks_exact(5) {
        let (expected, next) =
            (STATES[usize::from(step[0] & 7)], STATES[usize::from(step[0] >> 3 & 7)]);
        let first = u64::from(u16::from_le_bytes([step[1], step[2]])) % PAGES as u64;
        let count = u64::from(u16::from_le_bytes([step[3], step[4]])) % 513;
        let Some(part) = ChunkPart::new(first, count) else { continue };
        let claim = match table.claim(part, expected, next) {
            Err(Refusal::Claimed { .. }) => {
                held = None;
                table.claim(part, expected, next)
            }
            other => other,
        };
        let pages = first as usize..(first + count) as usize;
        let fits = list[pages.clone()].iter().all(|state| *state == expected);
        match claim {
            Ok(claim) => {
                assert!(fits && expected.can_become(next));
                if step[0] & 0x40 != 0 {
                    claim.commit();
                    list[pages].fill(next);
                } else {
                    held = Some(claim);
                }
            }
            Err(Refusal::OutOfBlocks) => {}
            Err(_) => assert!(!fits || !expected.can_become(next)),
        }
    }
    drop(held);
    for (page, state) in (0..).zip(list) {
        assert_eq!(table.state(page), state);
    }
    for state in STATES {
        let count = list.iter().filter(|found| **found == state).count();
        assert_eq!(table.count(state), count as u64);
    }
});
