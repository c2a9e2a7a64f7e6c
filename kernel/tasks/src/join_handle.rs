//! The end of a task, seen by who made it.

use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use crate::system::system;
use crate::task_list::TaskIndex;
use crate::thread_table::Life;

/// The right to wait for a task's end and to take what its work gave. Dropping
/// it leaves the task alone: what it gives is dropped then.
#[must_use = "dropping it leaves the task alone"]
pub struct JoinHandle<T> {
    task: TaskIndex,
    result: PhantomData<fn() -> T>,
}

impl<T: Send + 'static> JoinHandle<T> {
    /// The handle of a task that gives a `T`. There is one for each task.
    pub(crate) fn new(task: TaskIndex) -> Self {
        Self { task, result: PhantomData }
    }

    /// Lets the running task wait for the task's end, and gives what the task's
    /// work gave.
    ///
    /// # Panics
    ///
    /// If a lock is held, preemption is disabled, or no task runs.
    pub fn join(self) -> T {
        // From here on the place is freed below, not by `drop`.
        let task = ManuallyDrop::new(self).task;
        let system = system();
        let thread = system.threads.of(task);
        let ended = system.wait(&thread.life, None, |life| (*life == Life::Ended).then_some(()));
        assert!(ended.is_some(), "a wait without a deadline ends by its condition");
        let result = thread.result.lock().take();
        system.release(task);
        let result = result.and_then(|result| result.downcast::<Option<T>>().ok());
        let Some(result) = result.and_then(|result| *result) else {
            unreachable!("a task that has ended has left a result of its type")
        };
        result
    }
}

impl<T> JoinHandle<T> {
    /// Whether the task has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        system().threads.of(self.task).life.with(|life| *life == Life::Ended)
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let system = system();
        let ended = system.threads.of(self.task).life.with(|life| {
            let ended = *life == Life::Ended;
            *life = Life::Detached;
            ended
        });
        if ended {
            system.release(self.task);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("task", &self.task).finish_non_exhaustive()
    }
}
