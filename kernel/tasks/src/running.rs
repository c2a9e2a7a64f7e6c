//! What the running task does about its own turn, and what interrupts do.

use core::marker::PhantomData;

use hal::sync::mask;

use crate::dispatcher::Turn;
use crate::lock::{Rank, SpinLock};
use crate::monitor::{Inside, Monitor};
use crate::system::{started, system};

/// Makes the processor that calls this run tasks, for ever. While none is
/// ready, the stack of the caller is that of the idle processor.
///
/// # Panics
///
/// If tasks were not started for this processor, or it runs them already.
pub fn run_processor() -> ! {
    system().run()
}

/// Ends the running task's turn: others of its priority, or higher, run before
/// it runs again. Returns at once if there are none.
///
/// # Panics
///
/// If a lock is held.
pub fn yield_now() {
    let masked = mask();
    assert!(masked.is_the_only_one(), "a task makes way without a lock");
    system().make_way(Turn::Over, &masked);
}

/// Lets others run if one has become more urgent, or the running task's turn is
/// over. Takes no lock if there is nothing to do, so that a task can call it
/// often where no interrupt would end its turn.
///
/// # Panics
///
/// If a lock is held.
pub fn look_for_others() {
    let system = system();
    if system.is_due() {
        let masked = mask();
        assert!(masked.is_the_only_one(), "a task makes way without a lock");
        system.look_for_others(&masked);
    }
}

/// Lets the running task rest until `deadline_ns`, in the platform's time.
///
/// # Panics
///
/// If a lock is held, preemption is disabled, or no task runs.
pub fn sleep_until(deadline_ns: u64) {
    let nothing = Monitor::new(SpinLock::new(Rank::WaitQueue, Inside::new(())));
    let none: Option<()> = system().wait(&nothing, Some(deadline_ns), |()| None);
    debug_assert!(none.is_none());
}

/// Tells that the alarm of the running processor has come: deadlines are looked
/// at, and whether the running task's turn is over. For the handler of the timer's
/// interrupt; the turn ends at [`leave_interrupt`].
pub fn tick() {
    if let Some(system) = started() {
        let _masked = mask();
        system.tick();
    }
}

/// Goes on with another task, if one has become more urgent or the turn of the
/// running one is over. For the end of every interrupt's handler, on the stack of
/// the interrupted task, when the interrupt is acknowledged: it returns when the
/// interrupted task goes on.
///
/// Does nothing where the interrupted code had interrupts masked.
pub fn leave_interrupt() {
    if let Some(system) = started() {
        let masked = mask();
        system.make_way_if_due(&masked);
    }
}

/// Keeps the processor on the running task until the guard is dropped, though
/// interrupts are handled. The task must not wait meanwhile.
pub fn disable_preemption() -> PreemptionDisabled {
    if let Some(system) = started() {
        system.change_preemption_disabled(|reasons| reasons.saturating_add(1));
    }
    PreemptionDisabled { not_send: PhantomData }
}

/// The running task goes on running while this lives; guards nest.
#[derive(Debug)]
#[must_use = "preemption is enabled again when it is dropped"]
pub struct PreemptionDisabled {
    /// It belongs to the task that made it.
    not_send: PhantomData<*const ()>,
}

impl Drop for PreemptionDisabled {
    fn drop(&mut self) {
        if let Some(system) = started() {
            system.change_preemption_disabled(|reasons| reasons.saturating_sub(1));
            let masked = mask();
            system.make_way_if_due(&masked);
        }
    }
}

/// Name of the task that runs on this processor, for messages; `None` if none
/// does, or it cannot be told at present.
#[must_use]
pub fn current_name() -> Option<&'static str> {
    let system = started()?;
    let masked = mask();
    let task = system.current(&masked)?;
    system.threads.of(task).name.try_lock().map(|name| *name)
}
