//! The heap gives, takes back, and can run out without harm.

use alloc::vec::Vec;

use hal::heap::{TryPush, try_box};

use crate::trial::{Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "heap::boxes_of_all_sizes_keep_their_content", run: boxes_keep_their_content },
    Trial { name: "heap::vectors_grow", run: vectors_grow },
    Trial { name: "heap::too_much_is_an_error", run: too_much_is_an_error },
    Trial { name: "heap::runs_out_and_recovers", run: runs_out_and_recovers },
];

fn boxes_keep_their_content() -> Outcome {
    let none = |_| failure("there was no memory");
    let small = try_box(0x11_u8).map_err(none)?;
    let word = try_box(0x2222_u64).map_err(none)?;
    let medium = try_box([0x33_u8; 700]).map_err(none)?;
    let large = try_box([0x44_u8; 5000]).map_err(none)?;
    let empty = try_box(()).map_err(none)?;
    equal((*small, *word, *empty), (0x11, 0x2222, ()), "small boxes")?;
    check(medium.iter().all(|byte| *byte == 0x33), "a box of 700 bytes")?;
    check(large.iter().all(|byte| *byte == 0x44), "a box of 5000 bytes")
}

fn vectors_grow() -> Outcome {
    let mut numbers = Vec::new();
    for number in 0..10_000_u32 {
        numbers.try_push(number).map_err(|_| failure("there was no memory"))?;
    }
    equal(numbers.iter().map(|n| u64::from(*n)).sum(), 49_995_000_u64, "sum of the elements")
}

fn too_much_is_an_error() -> Outcome {
    let mut bytes = Vec::<u8>::new();
    check(bytes.try_reserve_exact(1 << 40).is_err(), "a TiB is refused")?;
    check(bytes.try_reserve_exact(usize::MAX).is_err(), "all addresses are refused")?;
    bytes.try_push(7).map_err(|_| failure("a byte is there all the same"))?;
    equal(bytes.as_slice(), &[7], "the vector")
}

fn runs_out_and_recovers() -> Outcome {
    const PIECE: usize = 64 * 1024;
    for _ in 0..2 {
        let mut pieces: [Vec<u8>; 512] = [const { Vec::new() }; 512];
        let full = pieces.iter_mut().position(|piece| piece.try_reserve_exact(PIECE).is_err());
        check(full.is_some_and(|pieces| pieces > 32), "a good part of the region, and an end")?;
    }
    Ok(())
}
