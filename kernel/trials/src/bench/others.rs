//! Other processors that have something to do.

extern crate alloc;

use alloc::vec::Vec;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hal::OutOfMemory;
use hal::heap::TryPush;
use hal::sync::mask;
use tasks::{Affinity, Priority, SpawnError, TaskOptions, TaskRegisters, spawn};

/// Whether they are to go on.
static IS_WANTED: AtomicBool = AtomicBool::new(false);

/// How many have begun.
static BEGUN: AtomicUsize = AtomicUsize::new(0);

/// Does `work` while every other processor runs a task that never rests.
pub(super) fn while_others_are_busy(work: impl FnOnce()) -> Result<(), OutOfMemory> {
    IS_WANTED.store(true, Ordering::Relaxed);
    BEGUN.store(0, Ordering::Relaxed);
    let mut all = Vec::new();
    for number in 1.. {
        let options = TaskOptions {
            name: "busy",
            priority: Priority::Service,
            affinity: Affinity::Only(number),
            stack_pages: 2,
            registers: TaskRegisters::Kernel,
        };
        match spawn(options, be_busy) {
            Ok(task) => all.try_push(task)?,
            Err(SpawnError::NoProcessor(_)) => break,
            Err(_) => return Err(OutOfMemory),
        }
    }
    while BEGUN.load(Ordering::Relaxed) < all.len() {
        spin_loop();
    }
    work();
    IS_WANTED.store(false, Ordering::Relaxed);
    all.into_iter().for_each(|task| task.join());
    Ok(())
}

fn be_busy() {
    BEGUN.fetch_add(1, Ordering::Relaxed);
    while IS_WANTED.load(Ordering::Relaxed) {
        // Its end is where requests are looked for without interrupts.
        drop(mask());
        spin_loop();
    }
}
