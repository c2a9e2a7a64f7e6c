//! Pieces of a range.

use proptest::prelude::*;

use super::chunk_part::ChunkPart;
use super::work::Work;

#[test]
fn pieces_are_chunks() {
    let work = Work::new(500..1500);
    let pieces = core::array::from_fn(|_| work.next());
    let expected =
        [(500, 12), (512, 512), (1024, 476)].map(|(first, count)| ChunkPart::new(first, count));
    assert_eq!(pieces, [expected[0], expected[1], expected[2], None, None]);
    let last = Work::new(u64::MAX - 1..u64::MAX);
    assert_eq!(last.next(), ChunkPart::new(u64::MAX - 1, 1));
    assert_eq!(last.next(), None);
}

proptest! {
    #[test]
    fn every_page_is_given_out_once(start in 0..2000_u64, count in 0..3000_u64) {
        let work = Work::new(start..start + count);
        let mut expected = start;
        while let Some(part) = work.next() {
            prop_assert_eq!(part.first(), expected);
            expected += part.count();
        }
        prop_assert_eq!(expected, start + count);
    }
}
