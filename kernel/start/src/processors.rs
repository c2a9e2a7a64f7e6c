//! All processors run tasks.

use core::sync::atomic::{AtomicBool, Ordering};

use abi_boot::BootBlock;
use hal::interrupts::{on_call, on_timer, unmask_for_the_first_time};
use hal::processor::ProcessorIndex;
use hal::processors::{identifiers, start_others, wait, wake};
use hal::{StartError, stop};
use kernel_log::log_for_tenant;

use crate::logging;
use crate::machine::Machine;

/// Most tasks at a time.
const MOST_TASKS: u32 = 256;

/// Tasks can be run. Set once, by the first processor.
static TASKS_ARE_READY: AtomicBool = AtomicBool::new(false);

/// Starts the processors that the host lists, as many as the image allows, and
/// makes room for tasks on them. Returns how many run. Each of the others runs
/// tasks from here on.
pub(crate) fn start(block: &BootBlock<'_>) -> u32 {
    let most = block.max_vcpus as usize;
    let started =
        identifiers().and_then(|all| start_others(all.get(..most).unwrap_or(&all), enter));
    let processors = match started {
        Ok(count) => count,
        Err(StartError::Host(reason)) => stop(reason),
        Err(error) => {
            log_for_tenant!(Warning, "other processors do not run: {error}");
            1
        }
    };
    logging::spread(processors);
    if let Err(error) = tasks::start(&Machine, processors as usize, MOST_TASKS) {
        panic!("{error}");
    }
    on_call(tasks::leave_interrupt);
    on_timer(|| {
        tasks::tick();
        tasks::leave_interrupt();
    });
    TASKS_ARE_READY.store(true, Ordering::Release);
    (1..processors).filter_map(ProcessorIndex::new).for_each(wake);
    prepare();
    processors
}

/// Prepares this processor for tasks. A task has interrupts as its maker has, so
/// this comes before the first.
fn prepare() {
    hal::extended_state::start();
    unmask_for_the_first_time();
}

/// Where the other processors enter.
fn enter() -> ! {
    while !TASKS_ARE_READY.load(Ordering::Acquire) {
        wait();
    }
    prepare();
    tasks::run_processor()
}
