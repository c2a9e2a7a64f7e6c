//! What tasks need of the machine.

use core::fmt::Debug;

/// The machine under the tasks, by what they need of it.
///
/// All methods are called with interrupts masked and return with interrupts
/// masked.
pub trait Platform: Sync + Debug {
    /// Index of the running processor, below the number given to
    /// [`start`](crate::start).
    fn processor(&self) -> usize;

    /// Nanoseconds since some moment, the same on all processors. Never less
    /// than before.
    fn now_ns(&self) -> u64;

    /// Whether a time has come. A look that is taken often, so it may cost less
    /// than [`now_ns`](Self::now_ns).
    fn has_come(&self, deadline_ns: u64) -> bool {
        self.now_ns() >= deadline_ns
    }

    /// Makes another processor call [`leave_interrupt`](crate::leave_interrupt)
    /// soon, or return from [`wait`](Self::wait). Where processors cannot be
    /// interrupted, it is enough that `wait` returns.
    fn call(&self, processor: usize);

    /// Makes the running processor call [`tick`](crate::tick) not before
    /// `deadline_ns` and soon after it, in place of what was asked for before.
    /// Platforms without a timer do nothing: deadlines are then looked at
    /// whenever a task makes way, and while the processor is idle.
    fn set_alarm(&self, deadline_ns: Option<u64>);

    /// Lets the idle processor rest until an interrupt, a call or an alarm. May
    /// return at any time; must return at once if a call came since the
    /// processor masked interrupts.
    fn wait(&self);
}
