//! Pools against a list of single frames.

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn range(start: u64, end: u64) -> AddressRange {
    AddressRange { start, end }
}

#[test]
fn hands_out_from_the_lowest_address_on() {
    let mut pool = FramePool::<4>::new();
    assert_eq!(pool.add(range(0x10_0000, 0x10_3000)), Ok(()));
    assert_eq!(pool.add(range(0x1000, 0x2000)), Ok(()));
    assert_eq!(pool.free(), 0x4000);
    assert_eq!(pool.take(1), Some(0x1000));
    assert_eq!(pool.take(2), Some(0x10_0000));
    assert_eq!(pool.take(2), None);
    assert_eq!(pool.take(1), Some(0x10_2000));
    assert_eq!((pool.take(1), pool.free()), (None, 0));
}

#[test]
fn only_whole_frames_count() {
    let mut pool = FramePool::<4>::new();
    assert_eq!(pool.add(range(0x0fff, 0x3001)), Ok(()));
    assert_eq!(pool.add(range(0x5001, 0x5fff)), Ok(()));
    assert_eq!(pool.free(), 0x2000);
    assert_eq!(pool.reserve(range(0x1fff, 0x2001)), Ok(()));
    assert_eq!(pool.free(), 0);
    assert_eq!(pool.add(range(u64::MAX - 1, u64::MAX)), Ok(()));
    assert_eq!(pool.free(), 0);
}

#[test]
fn a_reservation_can_split_a_range() {
    let mut pool = FramePool::<2>::new();
    assert_eq!(pool.add(range(0x1000, 0x9000)), Ok(()));
    assert_eq!(pool.reserve(range(0x3000, 0x4000)), Ok(()));
    assert_eq!(pool.take(3), Some(0x4000));
    assert_eq!(pool.take(2), Some(0x1000));
    assert_eq!(pool.take(2), Some(0x7000));
}

#[test]
fn aligned_frames_leave_what_is_before_them() {
    let mut pool = FramePool::<4>::new();
    assert_eq!(pool.add(range(0x1000, 0x9000)), Ok(()));
    assert_eq!(pool.take_aligned(2, 0x4000), Some(0x4000));
    assert_eq!(pool.take_aligned(2, 0x4000), None);
    assert_eq!(pool.take_aligned(1, 0x4000), Some(0x8000));
    assert_eq!(pool.take(0), None);
    assert_eq!(pool.take(4), None);
    assert_eq!(pool.take(3), Some(0x1000));
    assert_eq!(pool.take(2), Some(0x6000));
    assert_eq!(pool.free(), 0);
}

#[test]
fn frames_that_come_back_join_their_neighbours() {
    let mut pool = FramePool::<2>::new();
    assert_eq!(pool.add(range(0x1000, 0x4000)), Ok(()));
    for _ in 0..3 {
        assert!(pool.take(1).is_some());
    }
    for start in [0x1000, 0x3000, 0x2000] {
        assert_eq!(pool.add(AddressRange::of_size(start, 0x1000)), Ok(()));
    }
    assert_eq!(pool.take(3), Some(0x1000));
}

#[test]
fn reserving_nothing_changes_nothing() {
    let mut pool = FramePool::<1>::new();
    assert_eq!(pool.add(range(0x1000, 0x3000)), Ok(()));
    assert_eq!(pool.reserve(range(0x2000, 0x2000)), Ok(()));
    assert_eq!(pool.free(), 0x2000);
}

#[test]
fn what_finds_no_place_is_lost_not_handed_out() {
    let mut pool = FramePool::<1>::new();
    assert_eq!(pool.add(range(0x1000, 0x9000)), Ok(()));
    assert_eq!(pool.add(range(0xa000, 0xb000)), Err(TooManyRanges));
    assert_eq!(pool.reserve(range(0x3000, 0x4000)), Err(TooManyRanges));
    assert_eq!(pool.free(), 0x2000);
    assert_eq!((pool.take(2), pool.take(1)), (Some(0x1000), None));
}

proptest! {
    #[test]
    fn agrees_with_a_set_of_frames(
        reserved in prop::collection::vec((0..0x4_0000_u64, 0..0x3000_u64), 0..8),
        counts in prop::collection::vec(1..5_u64, 0..80),
    ) {
        let mut pool = FramePool::<16>::new();
        prop_assert_eq!(pool.add(range(0x1_0000, 0x2_0800)), Ok(()));
        prop_assert_eq!(pool.add(range(0x2_8000, 0x3_0000)), Ok(()));
        let mut free: BTreeSet<u64> = (0x10..0x20).chain(0x28..0x30).collect();
        for (start, size) in reserved {
            prop_assert_eq!(pool.reserve(AddressRange::of_size(start, size)), Ok(()));
            let touched = |frame: u64| frame * 0x1000 < start + size && start < (frame + 1) * 0x1000;
            free.retain(|frame| size == 0 || !touched(*frame));
        }
        prop_assert_eq!(pool.free(), free.len() as u64 * 0x1000);
        for count in counts {
            match pool.take(count) {
                Some(first) => {
                    for frame in first / 0x1000..first / 0x1000 + count {
                        prop_assert!(free.remove(&frame), "{frame:#x} was not free");
                    }
                }
                None => {
                    let frames: Vec<u64> = free.iter().copied().collect();
                    let side_by_side = |frames: &[u64]| frames.last() == Some(&(frames[0] + count - 1));
                    prop_assert!(!frames.windows(count as usize).any(side_by_side));
                }
            }
        }
    }
}
