//! Tasks run, wait, take turns and end.

extern crate alloc;

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, Ordering};

use hal::heap::TryPush;
use hal::memory::statistics;
use tasks::{
    Affinity, JoinHandle, Priority, TaskOptions, TaskRegisters, WaitQueue, sleep_until, spawn,
    yield_now,
};

use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "tasks::give_a_result", run: give_a_result },
    Trial { name: "tasks::higher_priorities_go_first", run: higher_priorities_go_first },
    Trial { name: "tasks::pass_a_ball", run: pass_a_ball },
    Trial { name: "tasks::run_on_every_processor", run: run_on_every_processor },
    Trial { name: "tasks::waits_end_by_deadline", run: waits_end_by_deadline },
    Trial { name: "tasks::a_turn_ends_where_there_is_a_timer", run: a_turn_ends },
    Trial { name: "tasks::return_what_they_took", run: return_what_they_took },
    Trial { name: "tasks::too_many_are_refused", run: too_many_are_refused },
];

const OPTIONS: TaskOptions = TaskOptions {
    name: "trial",
    priority: Priority::Service,
    affinity: Affinity::Only(0),
    stack_pages: 2,
    registers: TaskRegisters::Kernel,
};

fn made<T: Send + 'static>(
    options: TaskOptions,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    spawn(options, work).map_err(|_| failure("a task was not made"))
}

fn give_a_result() -> Outcome {
    let numbers = [1_u32, 2, 3];
    let task = made(OPTIONS, move || numbers.iter().sum::<u32>())?;
    equal(task.join(), 6, "the result")
}

fn higher_priorities_go_first() -> Outcome {
    static ORDER: AtomicU32 = AtomicU32::new(0);
    let note = |digit: u32| {
        move || ORDER.store(ORDER.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed)
    };
    ORDER.store(0, Ordering::Relaxed);
    let low = made(TaskOptions { priority: Priority::Background, ..OPTIONS }, note(3))?;
    let same = made(OPTIONS, note(2))?;
    let high = made(TaskOptions { priority: Priority::Urgent, ..OPTIONS }, note(1))?;
    low.join();
    same.join();
    high.join();
    equal(ORDER.load(Ordering::Relaxed), 123, "the order")
}

/// Whose turn it is, and how often it has changed.
static BALL: WaitQueue<(bool, u32)> = WaitQueue::new((false, 0));
const PASSES: u32 = 1000;

fn player(mine: bool) {
    for _ in 0..PASSES {
        BALL.wait(|(turn, _)| (*turn == mine).then_some(()));
        BALL.change_and_wake_all(|(turn, count)| {
            *turn = !mine;
            *count += 1;
        });
    }
}

fn pass_a_ball() -> Outcome {
    BALL.with(|ball| *ball = (false, 0));
    let other = TaskOptions { affinity: Affinity::Any, ..OPTIONS };
    let one = made(OPTIONS, || player(false))?;
    let two = made(other, || player(true))?;
    one.join();
    two.join();
    equal(BALL.with(|(_, count)| *count), 2 * PASSES, "passes of the ball")
}

fn run_on_every_processor() -> Outcome {
    let mut all = Vec::new();
    let mut index = 0;
    // Refused behind the last processor.
    while let Ok(task) = spawn(TaskOptions { affinity: Affinity::Only(index), ..OPTIONS }, || {
        hal::processor::current().index().number()
    }) {
        all.try_push(task).map_err(|_| failure("there was no memory"))?;
        index += 1;
    }
    check(index > 0, "there is a processor")?;
    for (expected, task) in (0_u32..).zip(all) {
        equal(task.join(), expected, "the processor that the task has run on")?;
    }
    Ok(())
}

fn waits_end_by_deadline() -> Outcome {
    const REST_NS: u64 = 2_000_000;
    let begin = hal::time::now_ns();
    sleep_until(begin + REST_NS);
    check(hal::time::now_ns() >= begin + REST_NS, "a rest is long enough")?;
    let never: WaitQueue<()> = WaitQueue::new(());
    let deadline = hal::time::now_ns() + REST_NS;
    let result: Option<()> = never.wait_until(deadline, |()| None);
    check(result.is_none() && hal::time::now_ns() >= deadline, "a wait for nothing ends")
}

fn a_turn_ends() -> Outcome {
    static OTHERS_TURN: AtomicU32 = AtomicU32::new(0);
    OTHERS_TURN.store(0, Ordering::Relaxed);
    let other = made(OPTIONS, || OTHERS_TURN.store(1, Ordering::Relaxed))?;
    let has_timer = hal::interrupts::has_timer();
    let end = hal::time::now_ns() + 500_000_000;
    while hal::time::now_ns() < end && OTHERS_TURN.load(Ordering::Relaxed) == 0 {
        if !has_timer {
            yield_now();
        }
    }
    let had_its_turn = OTHERS_TURN.load(Ordering::Relaxed) == 1;
    other.join();
    check(had_its_turn, "the other task had its turn while this one was busy")
}

fn return_what_they_took() -> Outcome {
    made(OPTIONS, || ())?.join();
    let before = statistics().free;
    for _ in 0..20 {
        made(TaskOptions { stack_pages: 8, ..OPTIONS }, || [0_u8; 64])?.join();
    }
    // One frame may stay in a processor's cache.
    check(before.saturating_sub(statistics().free) <= 64 * 1024, "memory came back")
}

fn too_many_are_refused() -> Outcome {
    static GATE: WaitQueue<bool> = WaitQueue::new(false);
    GATE.with(|open| *open = false);
    let mut all = Vec::new();
    while let Ok(task) = spawn(TaskOptions { stack_pages: 1, ..OPTIONS }, || {
        GATE.wait(|open| open.then_some(()));
    }) {
        all.try_push(task).map_err(|_| failure("there was no memory"))?;
    }
    let count = all.len();
    GATE.change_and_wake_all(|open| *open = true);
    for task in all {
        task.join();
    }
    check(count > 100, "many tasks, and an end of them")?;
    equal(made(OPTIONS, || 7)?.join(), 7, "a task afterwards")
}
