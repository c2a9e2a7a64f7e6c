//! The machine as tasks need it.

use hal::interrupts::{has_timer, is_timer_set};
use hal::processor::{ProcessorIndex, current};
use tasks::Platform;

/// The machine that the kernel runs on.
#[derive(Debug)]
pub(crate) struct Machine;

impl Platform for Machine {
    fn processor(&self) -> usize {
        current().index().number() as usize
    }

    fn now_ns(&self) -> u64 {
        hal::time::now_ns()
    }

    fn has_come(&self, deadline_ns: u64) -> bool {
        hal::time::has_come(deadline_ns)
    }

    fn call(&self, processor: usize) {
        if let Some(index) = u32::try_from(processor).ok().and_then(ProcessorIndex::new) {
            hal::processors::wake(index);
        }
    }

    fn set_alarm(&self, deadline_ns: Option<u64>) {
        hal::interrupts::set_timer(deadline_ns);
    }

    fn wait(&self) {
        // Nothing but looking at the time ends a rest where there is no timer.
        if is_timer_set() && !has_timer() {
            core::hint::spin_loop();
        } else {
            hal::processors::wait();
        }
    }
}
