//! Entries of a block, beside a plain list.

use proptest::prelude::*;

use super::chunk_part::ChunkPart;
use super::detail::{DetailBlock, Entry};

#[test]
fn a_block_has_the_promised_size() {
    assert_eq!(size_of::<DetailBlock>(), 256 + 8);
}

proptest! {
    #[test]
    fn parts_are_set_and_nothing_else(
        changes in prop::collection::vec((0..512_u64, 1..512_u64, 0..16_u64), 1..8),
        probe in (0..512_u64, 1..512_u64, 0..16_u64),
    ) {
        let block = DetailBlock::new();
        block.fill(Entry::of_bits(5));
        let mut expected = [5; 512];
        let part = |first: u64, count: u64| ChunkPart::new(first, count.min(512 - first)).unwrap();
        for (first, count, bits) in changes {
            let part = part(first, count);
            block.set(part, Entry::of_bits(bits));
            expected[first as usize..][..part.count() as usize].fill(bits);
        }
        for (page, bits) in (0..).zip(expected) {
            prop_assert_eq!(block.get(page).bits(), bits);
        }
        let (first, count, bits) = probe;
        let part = part(first, count);
        // It does not matter which pages are looked at first.
        for bits in [bits, expected[first as usize]] {
            let uniform = expected.iter().all(|found| *found == bits);
            prop_assert_eq!(block.is_uniform(Entry::of_bits(bits), part), uniform);
        }
        let other = (first..first + part.count()).find(|page| expected[*page as usize] != bits);
        let found = block.first_other(part, Entry::of_bits(bits));
        prop_assert_eq!(found.map(|(page, _)| page), other);
        if let Some((page, entry)) = found {
            prop_assert_eq!(entry.bits(), expected[page as usize]);
        }
    }
}
