//! Processors have room to spare on their stacks.

use hal::processor::ProcessorIndex;
use hal::processors::running;
use hal::stack_use::of_processor;

use crate::trial::{Outcome, Trial, check, equal};

/// The tests. They come last, when all others have used the stacks.
pub(super) const TRIALS: &[Trial] =
    &[Trial { name: "stacks::of_processors_have_room_to_spare", run: have_room_to_spare }];

/// What the report of a fault takes on top of what was used, in bytes: 2 KiB, by
/// what it has left on the stack for exceptions.
const REPORT: u64 = 2048;

fn have_room_to_spare() -> Outcome {
    for processor in running() {
        let index = processor.index();
        // The first one started on the image's stack, and rests on a task's.
        let expected = if index == ProcessorIndex::FIRST { 1 } else { 2 };
        equal(of_processor(index).count(), expected, "stacks of a processor")?;
        for stack in of_processor(index) {
            check(stack.used + REPORT <= stack.size, "a report of a fault has room")?;
        }
        let used = of_processor(index).filter(|stack| stack.used != 0).count();
        // Without a fault the one for exceptions stays as it was.
        equal(used, expected - 1, "stacks that were used")?;
    }
    Ok(())
}
