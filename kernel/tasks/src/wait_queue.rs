//! A value that tasks wait to change.

use core::fmt;

use hal::sync::mask;

use crate::dispatcher::Call;
use crate::lock::{Rank, SpinLock};
use crate::monitor::{Inside, Monitor};
use crate::system::{started, system};

/// A value of type `T` that tasks wait to change.
///
/// Conditions and changes run under the queue's lock: they are short, and take
/// no lock of the same or a lower rank (`hal::sync::Rank::WaitQueue`). A
/// condition may also look at other things; whoever changes these calls
/// [`wake_all`](Self::wake_all) afterwards.
///
/// Tasks are woken in the order in which they began to wait. No wake-up is lost,
/// and none is needed for a condition that holds when the task begins to wait.
pub struct WaitQueue<T> {
    monitor: Monitor<T>,
}

impl<T> WaitQueue<T> {
    /// A queue around `value` in which nobody waits.
    pub const fn new(value: T) -> Self {
        let inside = SpinLock::new(Rank::WaitQueue, Inside::new(value));
        Self { monitor: Monitor::new(inside) }
    }

    /// Lets the running task wait until `condition` gives something.
    ///
    /// # Panics
    ///
    /// If a lock is held, preemption is disabled, or no task runs.
    pub fn wait<R>(&self, condition: impl FnMut(&mut T) -> Option<R>) -> R {
        let Some(result) = system().wait(&self.monitor, None, condition) else {
            unreachable!("a wait without a deadline ends by its condition")
        };
        result
    }

    /// As [`wait`](Self::wait), but gives up at `deadline_ns`, in the platform's
    /// time. `None` if `condition` has not given anything by then.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_until<R>(
        &self,
        deadline_ns: u64,
        condition: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        system().wait(&self.monitor, Some(deadline_ns), condition)
    }

    /// Uses the value and wakes nobody.
    pub fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> R {
        self.monitor.with(use_it)
    }

    /// Changes the value and wakes the task that has waited longest, if one
    /// waits. For changes that only one of them can make use of.
    pub fn change_and_wake_one<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let Some(system) = started() else { return self.monitor.with(change) };
        let (result, call) = self.monitor.change_and_wake_one(&system.dispatcher, change);
        if let Some(call) = call {
            system.call(call);
            system.make_way_if_due(&mask());
        }
        result
    }

    /// Changes the value and wakes all tasks that wait.
    pub fn change_and_wake_all<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let Some(system) = started() else { return self.monitor.with(change) };
        let call = |call: Call| system.call(call);
        let result = self.monitor.change_and_wake_all(&system.dispatcher, change, call);
        system.make_way_if_due(&mask());
        result
    }

    /// Wakes all tasks that wait, so that they look again.
    pub fn wake_all(&self) {
        self.change_and_wake_all(|_| ());
    }
}

impl<T> fmt::Debug for WaitQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitQueue").finish_non_exhaustive()
    }
}
