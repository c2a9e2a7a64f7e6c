//! Registers that the kernel does not use, of tasks that have them.

use core::sync::atomic::{AtomicU32, Ordering};

use hal::extended_state::VectorRegisters;
use hal::time::now_ns;
use tasks::{Affinity, JoinHandle, Priority, TaskOptions, TaskRegisters, spawn, yield_now};

use super::every_processor::on_all;
use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "registers::are_initial_for_each_task", run: are_initial },
    Trial { name: "registers::survive_the_turns_of_others", run: || on_all(survive_turns) },
    Trial { name: "registers::survive_interrupts", run: survive_interrupts },
];

fn options(processor: u32, registers: TaskRegisters) -> TaskOptions {
    TaskOptions {
        name: "with registers",
        priority: Priority::Service,
        affinity: Affinity::Only(processor as usize),
        stack_pages: 4,
        registers,
    }
}

fn made<T: Send + 'static>(
    options: TaskOptions,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    spawn(options, work).map_err(|_| failure("a task was not made"))
}

fn read() -> Result<VectorRegisters, Failure> {
    VectorRegisters::read().map_err(|_| failure("there are registers, and memory to read them"))
}

/// Whether the processor has registers of 256 bits, which the kernel then uses.
fn has_upper_halves() -> bool {
    /// In ECX of leaf 1.
    const XSAVE_AND_AVX: u32 = 1 << 26 | 1 << 28;
    hal::cpuid::query(1, 0).ecx & XSAVE_AND_AVX == XSAVE_AND_AVX
}

/// Writes values that tell who has written them, and returns them.
fn write_values_of(number: u32) -> Result<VectorRegisters, Failure> {
    let word = |index: usize| u64::from(number) << 32 | (index as u64 + 1);
    let mine = VectorRegisters {
        values: core::array::from_fn(|register| {
            core::array::from_fn(|part| word(4 * register + part))
        }),
        rounding: (number % 4) as u8,
    };
    mine.write().map_err(|_| failure("there are registers to write"))?;
    Ok(mine)
}

/// The same for a task that has such registers: returns what they then hold, the
/// upper halves only where there are some.
fn values_of(number: u32) -> Result<VectorRegisters, Failure> {
    let mine = write_values_of(number)?;
    let seen = read()?;
    for (seen, mine) in seen.values.iter().zip(&mine.values) {
        equal(&seen[..2], &mine[..2], "a lower half")?;
        let upper = if has_upper_halves() { &mine[2..] } else { &[0; 2] };
        equal(&seen[2..], upper, "an upper half")?;
    }
    equal(seen.rounding, mine.rounding, "the rounding control")?;
    Ok(seen)
}

fn are_initial() -> Outcome {
    let initial = VectorRegisters { values: [[0; 4]; 16], rounding: 0 };
    for number in 1..4 {
        let task = made(options(0, TaskRegisters::Extended), move || {
            let before = read();
            values_of(number)?;
            before
        })?;
        equal(task.join()?, initial, "what a task begins with")?;
    }
    Ok(())
}

/// Two tasks with values of their own, and one that has no such registers and
/// writes to them all the same.
fn survive_turns(processor: u32) -> Outcome {
    let keep = |number| {
        move || {
            let mine = values_of(number)?;
            for _ in 0..50 {
                yield_now();
                equal(read()?, mine, "registers after the turns of others")?;
            }
            Ok(())
        }
    };
    let extended = options(processor, TaskRegisters::Extended);
    let one = made(extended, keep(processor * 4 + 1))?;
    let two = made(extended, keep(processor * 4 + 2))?;
    let spoiler = made(options(processor, TaskRegisters::Kernel), move || {
        for _ in 0..50 {
            write_values_of(processor * 4 + 3)?;
            yield_now();
        }
        Ok(())
    })?;
    let [one, two, spoiler] = [one.join(), two.join(), spoiler.join()];
    one.and(two).and(spoiler)
}

/// Two tasks on the first processor that do not make way unless a timer makes
/// them, until each has seen some turns of the other.
fn survive_interrupts() -> Outcome {
    const TURNS: u32 = 3;
    /// Far more than any turns take, on a machine that has other things to do.
    const LIMIT_NS: u64 = 20_000_000_000;
    /// Who has run last, and how often that has changed.
    static LAST: AtomicU32 = AtomicU32::new(0);
    static CHANGES: AtomicU32 = AtomicU32::new(0);
    if !hal::interrupts::has_timer() {
        return Ok(());
    }
    CHANGES.store(0, Ordering::Relaxed);
    let keep = |number| {
        move || {
            let mine = values_of(number)?;
            let end = now_ns() + LIMIT_NS;
            while CHANGES.load(Ordering::Relaxed) <= 2 * TURNS {
                if LAST.swap(number, Ordering::Relaxed) != number {
                    CHANGES.fetch_add(1, Ordering::Relaxed);
                }
                equal(read()?, mine, "registers while others have their turns")?;
                check(now_ns() < end, "the timer ends turns")?;
            }
            Ok(())
        }
    };
    let extended = options(0, TaskRegisters::Extended);
    let one = made(extended, keep(201))?;
    let two = made(extended, keep(202))?;
    let [one, two] = [one.join(), two.join()];
    one.and(two)
}
