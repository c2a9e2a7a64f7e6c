//! A test's work on every processor at the same time.

extern crate alloc;

use alloc::vec::Vec;

use hal::heap::TryPush;
use tasks::{Affinity, Priority, SpawnError, TaskOptions, TaskRegisters, WaitQueue, spawn};

use crate::trial::{Outcome, failure};

/// Runs `work` on every processor, with its number; none begins before all can.
pub(super) fn on_all(work: fn(u32) -> Outcome) -> Outcome {
    static GATE: WaitQueue<bool> = WaitQueue::new(false);
    GATE.with(|open| *open = false);
    let mut all = Vec::new();
    for number in 0_u32.. {
        let options = TaskOptions {
            name: "one of all",
            priority: Priority::Service,
            affinity: Affinity::Only(number as usize),
            stack_pages: 2,
            registers: TaskRegisters::Kernel,
        };
        let task = spawn(options, move || {
            GATE.wait(|open| open.then_some(()));
            work(number)
        });
        match task {
            Ok(task) => all.try_push(task).map_err(|_| failure("there was no memory"))?,
            Err(SpawnError::NoProcessor(_)) => break,
            Err(_) => return Err(failure("a task was not made")),
        }
    }
    GATE.change_and_wake_all(|open| *open = true);
    all.into_iter().try_for_each(|task| task.join())
}
