//! What each task has besides its place in the queues.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;

use hal::OutOfMemory;
use hal::heap::TryPush;
use hal::thread::Context;

use crate::lock::{Rank, SpinLock};
use crate::monitor::{Inside, Monitor};
use crate::task_list::TaskIndex;

/// A task's thread, and what is left of it at its end.
#[derive(Debug)]
pub(crate) struct TaskThread {
    pub(crate) context: Context,
    pub(crate) life: Monitor<Life>,
    /// What the task's work gave, until somebody takes it.
    pub(crate) result: SpinLock<Option<Box<dyn Any + Send>>>,
    /// For messages.
    pub(crate) name: SpinLock<&'static str>,
}

/// Where a task stands between its maker and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It lives, and somebody can join it.
    Joinable,
    /// It lives, and nobody waits for its end.
    Detached,
    /// It has ended, and whoever can join it has not done so.
    Ended,
}

/// The threads of all places for tasks.
#[derive(Debug)]
pub(crate) struct ThreadTable(Vec<TaskThread>);

impl ThreadTable {
    /// For `tasks` tasks.
    pub(crate) fn new(tasks: u32) -> Result<Self, OutOfMemory> {
        let mut threads = Vec::new();
        for _ in 0..tasks {
            threads.try_push(TaskThread {
                context: Context::new(),
                life: Monitor::new(SpinLock::new(Rank::WaitQueue, Inside::new(Life::Detached))),
                result: SpinLock::new(Rank::Task, None),
                name: SpinLock::new(Rank::Task, ""),
            })?;
        }
        Ok(Self(threads))
    }

    /// The thread of a task, which exists for every index that is ever made.
    pub(crate) fn of(&self, task: TaskIndex) -> &TaskThread {
        &self.0[task.place()]
    }
}
