//! Where parts end.

use super::chunk_part::ChunkPart;

#[test]
fn parts_stay_in_one_chunk() {
    for (first, count) in [(0, 0), (0, 513), (1, 512), (511, 2), (u64::MAX, 2), (7, u64::MAX)] {
        assert_eq!(ChunkPart::new(first, count), None);
    }
    let last = ChunkPart::new(1023, 1).unwrap();
    assert_eq!((last.chunk_number(), last.first_in_chunk()), (1, 511));
    assert!(ChunkPart::new(512, 512).unwrap().is_whole());
    assert_eq!(ChunkPart::chunk(1), ChunkPart::new(512, 512));
    assert_eq!(ChunkPart::chunk(u64::MAX / 2), None);
    assert_eq!(ChunkPart::new(u64::MAX, 1), Some(ChunkPart::page(u64::MAX)));
}
