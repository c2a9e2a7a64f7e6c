//! A value that tasks wait to change, and the list of those that do.
//!
//! Conditions are looked at and tasks put into the list under one lock, which
//! whoever wakes them takes as well. So there is no moment between the two in
//! which a wake-up could be lost. Wake-ups happen under the lock, too: once a
//! task has taken itself out of the list, none is under way to it.

use super::dispatcher::{Call, Dispatcher};
use super::lock::SpinLock;
use crate::task_list::{TaskIndex, TaskList};

/// A value and the tasks that wait for it to change.
#[derive(Debug)]
pub(crate) struct Monitor<T> {
    inside: SpinLock<Inside<T>>,
}

/// What the lock of a [`Monitor`] guards.
#[derive(Debug)]
pub(crate) struct Inside<T> {
    value: T,
    waiting: TaskList,
}

impl<T> Inside<T> {
    /// A value that nobody waits for.
    pub(crate) const fn new(value: T) -> Self {
        Self { value, waiting: TaskList::new() }
    }
}

/// What a task that looked at the value does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look<R> {
    /// Its condition holds; it is in no list.
    Holds(R),
    /// It is in the list and may park.
    Waits,
    /// Its time is over; it is in no list.
    TooLate,
}

/// Whether a task may go on waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It may.
    Left,
    /// Its deadline has come.
    Over,
}

impl<T> Monitor<T> {
    /// A monitor around a lock of rank [`Rank::WaitQueue`](hal::sync::Rank).
    pub(crate) const fn new(inside: SpinLock<Inside<T>>) -> Self {
        Self { inside }
    }

    /// Uses the value, and wakes nobody.
    pub(crate) fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> R {
        use_it(&mut self.inside.lock().value)
    }

    /// Looks whether `condition` gives something for the running task `task`,
    /// and puts it into the list if not.
    pub(crate) fn look<R>(
        &self,
        dispatcher: &Dispatcher,
        task: TaskIndex,
        patience: Patience,
        condition: impl FnOnce(&mut T) -> Option<R>,
    ) -> Look<R> {
        let mut inside = self.inside.lock();
        let links = dispatcher.wait_links();
        let listed = links[task.place()].is_linked();
        let result = condition(&mut inside.value);
        if result.is_some() || patience == Patience::Over {
            if listed {
                inside.waiting.remove(links, task);
            }
            return result.map_or(Look::TooLate, Look::Holds);
        }
        if !listed {
            dispatcher.get_ready_to_wait(task);
            inside.waiting.push_back(links, task);
        }
        Look::Waits
    }

    /// Changes the value, then wakes the first of the tasks that wait.
    pub(crate) fn change_and_wake_one<R>(
        &self,
        dispatcher: &Dispatcher,
        change: impl FnOnce(&mut T) -> R,
    ) -> (R, Option<Call>) {
        let mut inside = self.inside.lock();
        let result = change(&mut inside.value);
        let first = inside.waiting.pop_front(dispatcher.wait_links());
        (result, first.and_then(|task| dispatcher.wake(task)))
    }

    /// Changes the value, then wakes all tasks that wait; `call` gets the
    /// processors that should look at their queues.
    pub(crate) fn change_and_wake_all<R>(
        &self,
        dispatcher: &Dispatcher,
        change: impl FnOnce(&mut T) -> R,
        mut call: impl FnMut(Call),
    ) -> R {
        let mut inside = self.inside.lock();
        let result = change(&mut inside.value);
        while let Some(task) = inside.waiting.pop_front(dispatcher.wait_links()) {
            if let Some(processor) = dispatcher.wake(task) {
                call(processor);
            }
        }
        result
    }
}
