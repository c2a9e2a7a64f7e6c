//! Several processors do the same thing at the same time.

extern crate alloc;

use alloc::vec::Vec;

use hal::OutOfMemory;
use hal::heap::TryPush;
use hal::memory::{Frames, KernelStack, StackOwner, User, statistics};
use hal::sync::mask;
use tasks::yield_now;

use super::every_processor::on_all;
use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial {
        name: "processors::take_mappings_away_while_interrupts_are_masked",
        run: || on_all(take_mappings_away),
    },
    Trial { name: "processors::have_frames_for_themselves", run: have_frames_for_themselves },
    Trial { name: "processors::share_the_last_frames", run: share_the_last_frames },
];

fn out_of_memory(_: OutOfMemory) -> Failure {
    failure("there was no memory")
}

/// Each asks all others to forget, while all others ask it: with interrupts
/// masked, as a processor does that buries a task.
fn take_mappings_away(number: u32) -> Outcome {
    for _ in 0..100 {
        let stack = KernelStack::allocate(1, StackOwner::Processor(number));
        let stack = stack.map_err(out_of_memory)?;
        let masked = mask();
        drop(stack);
        drop(masked);
    }
    Ok(())
}

fn have_frames_for_themselves() -> Outcome {
    let free = statistics().free;
    on_all(|number| {
        let mark = (number + 1).to_le_bytes()[0];
        for _ in 0..50 {
            let mut frames = Vec::new();
            for count in [1, 1, 3, 1, 1, 1, 1] {
                let mut these = Frames::<User>::allocate(count).map_err(out_of_memory)?;
                check(these.bytes().iter().all(|byte| *byte == 0), "frames are zeros")?;
                these.bytes_mut().fill(mark);
                frames.try_push(these).map_err(out_of_memory)?;
            }
            yield_now();
            let is_own = |frames: &Frames<User>| frames.bytes().iter().all(|byte| *byte == mark);
            check(frames.iter().all(is_own), "nobody else writes to the frames")?;
        }
        Ok(())
    })?;
    equal(statistics().free, free, "free bytes afterwards")
}

/// What processors have at hand is missing when memory runs out: whoever needs it
/// takes it.
fn share_the_last_frames() -> Outcome {
    let free = statistics().free;
    let mut all = Vec::new();
    all.try_reserve_exact(4096).map_err(|_| failure("there was no memory for the list"))?;
    // Afterwards each has some at hand.
    on_all(|_| Frames::<User>::allocate(1).map(drop).map_err(out_of_memory))?;
    while let Ok(frames) = Frames::<User>::allocate(1) {
        all.try_push(frames).map_err(out_of_memory)?;
    }
    let least = statistics().free;
    drop(all);
    equal(least, 0, "bytes that are left when there are none to be had")?;
    equal(statistics().free, free, "free bytes afterwards")
}
