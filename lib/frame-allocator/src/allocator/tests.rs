//! The allocator against a model that knows every frame.

extern crate std;

use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const START: u64 = 0x0123_5000;
const FRAMES: u64 = 3000;
const END: u64 = START + FRAMES * SIZE_4K;
const ONE: Kind = Kind::new(0);
const TWO: Kind = Kind::new(15);

fn entries() -> Vec<FrameEntry> {
    vec![FrameEntry::default(); FRAMES as usize]
}

#[test]
fn frames_are_distinct_and_come_back() {
    let mut entries = entries();
    let mut allocator = FrameAllocator::new(START, &mut entries);
    assert_eq!(allocator.allocate(1, ONE), Err(OutOfFrames));
    allocator.add(START..END).unwrap();
    assert_eq!(u64::from(allocator.free()), FRAMES);
    let mut all: Vec<u64> = (0..FRAMES).map(|_| allocator.allocate(1, ONE).unwrap()).collect();
    assert_eq!(allocator.allocate(1, ONE), Err(OutOfFrames));
    assert_eq!((allocator.free(), u64::from(allocator.used(ONE))), (0, FRAMES));
    all.sort_unstable();
    assert!(all.iter().copied().eq((START..END).step_by(SIZE_4K as usize)));
    for frame in all {
        allocator.release(frame, 1, ONE);
    }
    assert_eq!((u64::from(allocator.free()), allocator.used(ONE)), (FRAMES, 0));
    // All halves found each other again: both blocks of 1024 that fit are back.
    let mut large = [(); 2].map(|()| allocator.allocate(1024, ONE).unwrap());
    large.sort_unstable();
    let first = START.next_multiple_of(1024 * SIZE_4K);
    assert_eq!(large, [first, first + 1024 * SIZE_4K]);
}

#[test]
fn sizes_that_no_block_has_are_refused() {
    let mut entries = entries();
    let mut allocator = FrameAllocator::new(START, &mut entries);
    allocator.add(START..END).unwrap();
    for count in [0, 2048, (1 << HIGHEST_ORDER) + 1, u32::MAX] {
        assert_eq!(allocator.allocate(count, ONE), Err(OutOfFrames), "{count}");
    }
    assert_eq!(u64::from(allocator.free()), FRAMES);
}

#[test]
fn memory_is_added_once_and_whole() {
    let mut entries = entries();
    let mut allocator = FrameAllocator::new(START, &mut entries);
    allocator.add(START..START + SIZE_4K).unwrap();
    let refusals = [
        (START + 1..END, AddError::Unaligned(START + 1)),
        (START..END - 1, AddError::Unaligned(END - 1)),
        (START - SIZE_4K..END, AddError::Outside(START - SIZE_4K)),
        (START + SIZE_4K..END + SIZE_4K, AddError::Outside(END)),
        (START..END, AddError::Twice(START)),
    ];
    for (range, error) in refusals {
        assert_eq!(allocator.add(range), Err(error));
    }
    assert_eq!(allocator.free(), 1);
}

#[test]
#[should_panic(expected = "belongs to who has it")]
fn double_release_is_noticed() {
    let mut entries = entries();
    let mut allocator = FrameAllocator::new(START, &mut entries);
    allocator.add(START..END).unwrap();
    let frame = allocator.allocate(2, ONE).unwrap();
    allocator.release(frame, 1, ONE);
    allocator.release(frame, 2, ONE);
}

#[test]
#[should_panic(expected = "belongs to who has it")]
fn release_as_another_kind_is_noticed() {
    let mut entries = entries();
    let mut allocator = FrameAllocator::new(START, &mut entries);
    allocator.add(START..END).unwrap();
    let frame = allocator.allocate(1, ONE).unwrap();
    allocator.convert(frame, 1, ONE, TWO);
    assert_eq!(allocator.kind_at(frame + 5), Some(TWO));
    allocator.release(frame, 1, ONE);
}

/// What to do next: frames are named by a number modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Allocate(u32, Kind),
    Release(usize),
    ReleasePart(usize, u32),
    Convert(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(ONE), Just(TWO)];
    prop_oneof![
        3 => (1..600_u32, kind.clone()).prop_map(|(count, kind)| Step::Allocate(count, kind)),
        3 => (1..4_u32, kind).prop_map(|(count, kind)| Step::Allocate(count, kind)),
        3 => any::<usize>().prop_map(Step::Release),
        1 => (any::<usize>(), any::<u32>()).prop_map(|(i, n)| Step::ReleasePart(i, n)),
        1 => any::<usize>().prop_map(Step::Convert),
    ]
}

/// Every frame's entry says what the model says, blocks are aligned, complete
/// and as large as they can be, and the lists hold each of them once.
fn check(allocator: &FrameAllocator<'_>, used: &BTreeMap<u64, (u32, Kind)>) {
    let mut model: Vec<Option<Kind>> = vec![None; FRAMES as usize];
    for (address, (count, kind)) in used {
        for frame in 0..u64::from(*count) {
            let place = &mut model[((address - START) / SIZE_4K + frame) as usize];
            assert_eq!(place.replace(*kind), None, "handed out twice");
        }
    }
    let of = |kind| model.iter().filter(|k| **k == Some(kind)).count() as u32;
    assert_eq!((allocator.used(ONE), allocator.used(TWO)), (of(ONE), of(TWO)));
    assert_eq!(allocator.free(), FRAMES as u32 - of(ONE) - of(TWO));

    let mut listed = 0;
    for (order, list) in allocator.lists.iter().enumerate() {
        let mut next = *list;
        let mut expected_previous = None;
        while let Some(index) = next {
            let FrameState::FreeFirst(block) = allocator.state(index) else { panic!("bad link") };
            assert_eq!((usize::from(block.order), block.previous), (order, expected_previous));
            let frame = allocator.first + u64::from(index);
            assert!(frame.is_multiple_of(1 << order));
            let half = allocator.index(frame ^ 1 << order).map(|half| allocator.state(half));
            let mergeable =
                matches!(half, Some(FrameState::FreeFirst(h)) if h.order == block.order);
            assert!(order == usize::from(HIGHEST_ORDER) || !mergeable, "not merged");
            for other in index + 1..index + (1 << order) {
                assert_eq!(allocator.state(other), FrameState::FreeOther);
            }
            for frame in index..index + (1 << order) {
                assert_eq!(model[frame as usize], None, "free and in use");
            }
            listed += 1_u32 << order;
            expected_previous = Some(index);
            next = block.next;
        }
    }
    assert_eq!(listed, allocator.free());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn behaves_like_the_model(steps in prop::collection::vec(step(), 1..120)) {
        let mut entries = entries();
        let mut allocator = FrameAllocator::new(START, &mut entries);
        allocator.add(START..END).unwrap();
        let mut used: BTreeMap<u64, (u32, Kind)> = BTreeMap::new();
        for step in steps {
            let pick = |i: usize| used.iter().nth(i % used.len().max(1)).map(|(a, u)| (*a, *u));
            match step {
                Step::Allocate(count, kind) => {
                    if let Ok(address) = allocator.allocate(count, kind) {
                        let alignment = u64::from(count.next_power_of_two()) * SIZE_4K;
                        prop_assert!(address.is_multiple_of(alignment));
                        used.insert(address, (count, kind));
                    }
                }
                Step::Release(i) => if let Some((address, (count, kind))) = pick(i) {
                    allocator.release(address, count, kind);
                    used.remove(&address);
                },
                Step::ReleasePart(i, n) => if let Some((address, (count, kind))) = pick(i) {
                    let part = n % count;
                    allocator.release(address + u64::from(part) * SIZE_4K, count - part, kind);
                    used.remove(&address);
                    if part > 0 {
                        used.insert(address, (part, kind));
                    }
                },
                Step::Convert(i) => if let Some((address, (count, kind))) = pick(i) {
                    let to = if kind == ONE { TWO } else { ONE };
                    allocator.convert(address, count, kind, to);
                    used.insert(address, (count, to));
                },
            }
            check(&allocator, &used);
        }
        for (address, (count, kind)) in core::mem::take(&mut used) {
            allocator.release(address, count, kind);
        }
        check(&allocator, &used);
    }
}
