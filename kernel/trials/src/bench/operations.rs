//! The operations that are measured.

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};

use hal::OutOfMemory;
use hal::heap::TryPush;
use hal::memory::{
    Encryption, Frames, KernelStack, SharedPages, StackOwner, User, Window, WindowSize,
    copy_from_user,
};
use tasks::{Affinity, Priority, TaskOptions, TaskRegisters, spawn, yield_now};

use super::others::while_others_are_busy;

/// How often each operation is done. The middle one counts, so that a processor
/// that comes in between does not.
const TIMES: usize = 15;

/// Does something between two marks.
type Measure<'a> = &'a dyn Fn(&mut dyn FnMut());

/// What is measured.
pub(super) struct Operation {
    /// For the table.
    pub(super) name: &'static str,
    /// How many of it are between two marks.
    pub(super) parts: u32,
    /// Does it some times.
    pub(super) run: fn(Measure<'_>) -> Result<(), OutOfMemory>,
}

const OPTIONS: TaskOptions = TaskOptions {
    name: "measured",
    priority: Priority::Service,
    affinity: Affinity::Only(0),
    stack_pages: 2,
    registers: TaskRegisters::Kernel,
};

/// All of them. The first is what every other figure includes as well: from one
/// mark's exit to the next one's is one request to the host.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "request to the host (GHCB page)",
        parts: 1,
        run: |measure| {
            times(|| measure(&mut || ()));
            Ok(())
        },
    },
    Operation { name: "task switch", parts: 2, run: switches },
    Operation { name: "task made, run and joined", parts: 1, run: tasks_come_and_go },
    Operation {
        name: "page fault, recovered",
        parts: 1,
        run: |measure| {
            // Nothing is mapped in the lower half.
            times(|| measure(&mut || assert!(copy_from_user(&mut [0; 8], 0x1000).is_err())));
            Ok(())
        },
    },
    Operation { name: "window opened, read and closed", parts: 1, run: windows },
    Operation { name: "frame taken and given back", parts: 1, run: frames },
    Operation { name: "page unmapped, others rest", parts: 1, run: unmap },
    Operation {
        name: "page unmapped, others are busy (all together)",
        parts: 1,
        run: |measure| {
            let mut result = Ok(());
            while_others_are_busy(|| result = unmap(measure))?;
            result
        },
    },
    Operation { name: "page shared with the host and taken back", parts: 1, run: share },
];

fn times(work: impl FnMut()) {
    core::iter::repeat_n((), TIMES).zip(core::iter::repeat_with(work)).for_each(drop);
}

/// There and back.
fn switches(measure: Measure<'_>) -> Result<(), OutOfMemory> {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    IS_OVER.store(false, Ordering::Relaxed);
    let other = spawn(OPTIONS, || {
        while !IS_OVER.load(Ordering::Relaxed) {
            yield_now();
        }
    });
    let other = other.map_err(|_| OutOfMemory)?;
    times(|| measure(&mut yield_now));
    IS_OVER.store(true, Ordering::Relaxed);
    other.join();
    Ok(())
}

fn tasks_come_and_go(measure: Measure<'_>) -> Result<(), OutOfMemory> {
    let mut result = Ok(());
    times(|| {
        measure(&mut || match spawn(OPTIONS, || ()) {
            Ok(task) => task.join(),
            Err(_) => result = Err(OutOfMemory),
        });
    });
    result
}

fn windows(measure: Measure<'_>) -> Result<(), OutOfMemory> {
    // Memory behind the module's that nobody has accepted: the host's.
    let block = hal::image::boot_block();
    let page = block.region_base.saturating_add(block.region_size);
    times(|| {
        measure(&mut || {
            let window = Window::open(page, WindowSize::Small, Encryption::Shared);
            assert!(window.is_ok_and(|window| window.load(0).is_ok()), "there is memory");
        });
    });
    Ok(())
}

fn frames(measure: Measure<'_>) -> Result<(), OutOfMemory> {
    let mut result = Ok(());
    times(|| measure(&mut || result = Frames::<User>::allocate(1).map(drop)));
    result
}

/// A stack of one page is dropped, so its frame is wiped and given back as well.
fn unmap(measure: Measure<'_>) -> Result<(), OutOfMemory> {
    let mut stacks = Vec::new();
    for _ in 0..TIMES {
        stacks.try_push(KernelStack::allocate(1, StackOwner::Processor(0))?)?;
    }
    times(|| measure(&mut || drop(stacks.pop())));
    Ok(())
}

fn share(measure: Measure<'_>) -> Result<(), OutOfMemory> {
    let mut result = Ok(());
    times(|| {
        measure(&mut || result = SharedPages::allocate(1).map(drop).map_err(|_| OutOfMemory));
    });
    result
}
