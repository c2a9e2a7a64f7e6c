//! The heap against a model that knows every object.

extern crate std;

use std::collections::BTreeMap;
use std::vec::Vec;

use proptest::prelude::*;
use zerocopy::FromBytes;

use super::*;
use crate::class::LARGEST_OBJECT;

/// Frames without content; only the slabs' first bytes are there.
#[derive(Default)]
struct Memory {
    /// By address: how many frames.
    taken: BTreeMap<u64, u32>,
    slabs: BTreeMap<u64, Slab>,
    most: u32,
}

impl Memory {
    fn frames(&self) -> u32 {
        self.taken.values().sum()
    }
}

impl SlabMemory for Memory {
    fn allocate(&mut self, frames: u32) -> Option<u64> {
        if self.frames() + frames > self.most {
            return None;
        }
        let behind = |(address, frames): (&u64, &u32)| address + u64::from(*frames) * SIZE_4K;
        let alignment = u64::from(frames.next_power_of_two()) * SIZE_4K;
        let end = self.taken.last_key_value().map_or(0x7000, behind);
        let address = end.next_multiple_of(alignment);
        self.taken.insert(address, frames);
        Some(address)
    }

    fn release(&mut self, address: u64, frames: u32) {
        assert_eq!(self.taken.remove(&address), Some(frames));
        self.slabs.remove(&address);
    }

    fn slab(&mut self, address: u64) -> &mut Slab {
        assert!(self.taken.contains_key(&address));
        // What was there before is of no account.
        self.slabs.entry(address).or_insert_with(|| Slab::read_from_bytes(&[0x77; 64]).unwrap())
    }
}

fn heap(most: u32) -> SlabHeap<Memory> {
    SlabHeap::new(Memory { most, ..Memory::default() })
}

#[test]
fn memory_ends() {
    // Objects, frames of a slab, and what is kept when all objects are back.
    for (size, in_slab, frames, kept) in [(500, 7, 1, 1), (1000, 7, 2, 0), (2000, 7, 4, 0)] {
        let mut heap = heap(frames);
        let mut objects: Vec<u64> = core::iter::from_fn(|| heap.allocate(size, 8)).collect();
        assert_eq!(objects.len(), in_slab, "{size}");
        assert_eq!(heap.allocate(1, 1), None);
        assert_eq!(heap.allocate(5000, 1), None);
        let object = objects.pop().unwrap();
        heap.release(object, size, 8);
        assert_eq!(heap.allocate(size, 8), Some(object));
        for object in objects {
            heap.release(object, size, 8);
        }
        heap.release(object, size, 8);
        assert_eq!(heap.memory.frames(), kept, "{size}");
    }
}

#[test]
fn impossible_requests_are_refused() {
    let mut heap = heap(100);
    for size in [101 * 4096, usize::MAX] {
        assert_eq!(heap.allocate(size, 1), None);
    }
    assert_eq!(heap.allocate(1, 1 << 30), None);
    assert_eq!(heap.memory.frames(), 0);
}

#[test]
#[should_panic(expected = "given back twice")]
fn double_release_is_noticed() {
    let mut heap = heap(10);
    let object = heap.allocate(24, 8).unwrap();
    heap.release(object, 24, 8);
    heap.release(object, 24, 8);
}

#[test]
#[should_panic(expected = "by the address it came with")]
fn release_inside_an_object_is_noticed() {
    let mut heap = heap(10);
    let object = heap.allocate(100, 8).unwrap();
    heap.release(object + 16, 100, 8);
}

#[test]
fn growth_in_place_is_only_claimed_where_it_is_one() {
    assert!(SlabHeap::<Memory>::suits_both(17, 32, 8));
    assert!(!SlabHeap::<Memory>::suits_both(16, 17, 8));
    assert!(!SlabHeap::<Memory>::suits_both(LARGEST_OBJECT, LARGEST_OBJECT + 1, 8));
    assert!(SlabHeap::<Memory>::suits_both(4097, 8192, 8));
    assert!(!SlabHeap::<Memory>::suits_both(8192, 8193, 8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn objects_never_overlap(
        steps in prop::collection::vec(
            // Either a request, or the number of an object to give back.
            prop_oneof![
                3 => (1..3000_usize, 0..13_u32).prop_map(|(size, shift)| Ok((size, 1 << shift))),
                1 => (1..64_usize).prop_map(|size| Ok((size, 8))),
                3 => any::<usize>().prop_map(Err),
            ],
            1..400,
        ),
        most in 20..200_u32,
    ) {
        let mut heap = heap(most);
        let mut objects: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for step in steps {
            match step {
                Ok((size, alignment)) => {
                    let Some(address) = heap.allocate(size, alignment) else { continue };
                    let end = address + size as u64;
                    prop_assert!(address.is_multiple_of(alignment as u64));
                    let below = objects.range(..end).next_back();
                    prop_assert!(below.is_none_or(|(a, (size, _))| a + *size as u64 <= address));
                    let frames = heap.memory.taken.range(..=address).next_back();
                    prop_assert!(frames.is_some_and(|(a, n)| end <= a + u64::from(*n) * SIZE_4K));
                    let headers = heap.memory.slabs.keys().map(|a| (*a, *a + 64));
                    let mut headers = headers.filter(|(start, behind)| address < *behind && *start < end);
                    prop_assert_eq!(headers.next(), None);
                    objects.insert(address, (size, alignment));
                }
                Err(i) => {
                    let Some(address) = objects.keys().nth(i % objects.len().max(1)).copied() else {
                        continue;
                    };
                    if let Some((size, alignment)) = objects.remove(&address) {
                        heap.release(address, size, alignment);
                    }
                }
            }
        }
        for (address, (size, alignment)) in objects {
            heap.release(address, size, alignment);
        }
        // At most one empty slab of each class is left, of one frame.
        prop_assert!(heap.memory.taken.len() <= CLASSES);
        prop_assert!(heap.memory.taken.values().all(|frames| *frames == 1));
    }
}
