//! Frames come, are of one kind, and go back.

use hal::OutOfMemory;
use hal::heap::TryPush;
use hal::memory::{Frames, KernelData, Secret, SharedPages, SharedWithHost, User, statistics};

use alloc::vec::Vec;

use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "frames::are_counted_by_kind", run: are_counted_by_kind },
    Trial { name: "frames::are_zeros_when_taken", run: are_zeros_when_taken },
    Trial { name: "frames::lie_at_multiples_of_their_size", run: lie_at_multiples },
    Trial { name: "frames::run_out_and_come_back", run: run_out_and_come_back },
    Trial { name: "frames::impossible_numbers_are_refused", run: impossible_numbers },
    Trial { name: "frames::secrets_are_wiped", run: secrets_are_wiped },
    Trial { name: "shared::pages_are_zeros_and_hold_bytes", run: shared_pages_hold_bytes },
    Trial { name: "shared::content_does_not_survive_the_way_back", run: shared_pages_come_back },
    Trial { name: "shared::a_large_run_is_possible", run: a_large_run_is_shared },
];

fn out_of_memory(_: OutOfMemory) -> Failure {
    failure("there was no memory")
}

fn used(kind: &str) -> u64 {
    let found = statistics().kinds.into_iter().find(|(name, _)| *name == kind);
    found.map_or(0, |(_, bytes)| bytes)
}

fn are_counted_by_kind() -> Outcome {
    let before = (statistics().free, used("user"));
    let frames = Frames::<User>::allocate(3).map_err(out_of_memory)?;
    equal(used("user") - before.1, 3 * 4096, "bytes of user memory")?;
    let data: Frames<KernelData> = frames.convert();
    equal(used("user"), before.1, "bytes of user memory after a conversion")?;
    drop(data);
    equal(statistics().free, before.0, "free bytes afterwards")
}

fn are_zeros_when_taken() -> Outcome {
    let mut frames = Frames::<KernelData>::allocate(2).map_err(out_of_memory)?;
    frames.bytes_mut().fill(0xa5);
    let place = frames.address();
    drop(frames);
    let frames = Frames::<KernelData>::allocate(2).map_err(out_of_memory)?;
    equal(frames.address(), place, "the frames that were given back last")?;
    check(frames.bytes().iter().all(|byte| *byte == 0), "frames are zeros")
}

fn lie_at_multiples() -> Outcome {
    for count in [1, 2, 3, 8, 100, 512] {
        let frames = Frames::<User>::allocate(count).map_err(out_of_memory)?;
        let multiple = u64::from(count.next_power_of_two()) * 4096;
        equal(frames.address() % multiple, 0, "offset of frames from a multiple of their size")?;
    }
    Ok(())
}

fn run_out_and_come_back() -> Outcome {
    let before = statistics().free;
    let mut all = Vec::new();
    all.try_reserve_exact(2048).map_err(|_| failure("there was no memory for the list"))?;
    while all.len() < all.capacity() {
        // Large pieces first, then whatever is left.
        let size = if all.len() < 256 { 64 } else { 1 };
        match Frames::<User>::allocate(size) {
            Ok(frames) => all.try_push(frames).map_err(out_of_memory)?,
            Err(OutOfMemory) if size == 1 => break,
            Err(OutOfMemory) => {
                let Ok(frames) = Frames::<User>::allocate(1) else { break };
                all.try_push(frames).map_err(out_of_memory)?;
            }
        }
    }
    let least = statistics().free;
    drop(all);
    check(least < before / 2, "most memory was taken")?;
    let lists = 2048 * size_of::<Frames<User>>() as u64;
    check(before - statistics().free <= lists.next_multiple_of(4096) * 2, "and came back")
}

fn impossible_numbers() -> Outcome {
    check(Frames::<User>::allocate(0).is_err(), "no frame at all is refused")?;
    check(Frames::<User>::allocate(u32::MAX).is_err(), "more than there can be is refused")?;
    check(Frames::<User>::allocate(4097).is_err(), "more than 4096 are refused")
}

fn secrets_are_wiped() -> Outcome {
    let mut secret = Frames::<Secret>::allocate(1).map_err(out_of_memory)?;
    secret.bytes_mut().fill(0x5e);
    let place = secret.address();
    drop(secret);
    // Frames of this kind show what their last owner has left.
    let frames = Frames::<SharedWithHost>::allocate(1).map_err(out_of_memory)?;
    equal(frames.address(), place, "the frame that was given back last")?;
    check(frames.bytes().iter().all(|byte| *byte == 0), "the secret is gone")
}

fn shared_pages_hold_bytes() -> Outcome {
    let pages = SharedPages::allocate(2).map_err(|_| failure("pages cannot be shared"))?;
    let zeros = pages.words().iter();
    check(zeros.map(|w| w.load(core::sync::atomic::Ordering::Relaxed)).all(|w| w == 0), "zeros")?;
    pages.write(4090, b"across the border");
    let mut read = [0; 17];
    pages.read(4090, &mut read);
    equal(&read, b"across the border", "bytes of shared pages")
}

fn shared_pages_come_back() -> Outcome {
    let free = statistics().free;
    let pages = SharedPages::allocate(1).map_err(|_| failure("pages cannot be shared"))?;
    let address = pages.address();
    pages.write(0, &[0xff; 4096]);
    let frames = pages.take_back().map_err(|_| failure("the host did not give it back"))?;
    equal(frames.address(), address, "the page is the same")?;
    check(frames.bytes().iter().all(|byte| *byte == 0), "what the host could write is gone")?;
    drop(frames);
    // A page table stays, if a large page had to be split.
    check(free - statistics().free <= 4096, "memory came back")?;
    equal(used("lost"), 0, "bytes that are lost")
}

fn a_large_run_is_shared() -> Outcome {
    let before = used("shared with host");
    for _ in 0..3 {
        let pages = SharedPages::allocate(512).map_err(|_| failure("pages cannot be shared"))?;
        pages.write(511 * 4096, b"last");
    }
    equal(used("shared with host"), before, "bytes that are shared afterwards")
}
