//! When tasks are to be woken: a heap with the earliest deadline on top.
//!
//! Every processor has room for deadlines of all tasks. So that this takes little,
//! its heap has the tasks alone; their times lie in one table for all processors,
//! in nanoseconds since the start, whose entries belong to the heap that the task
//! is in: they change under its lock.

use core::sync::atomic::{AtomicU64, Ordering};

use alloc::vec::Vec;

use hal::OutOfMemory;

use crate::task_list::TaskIndex;

/// The times of all tasks' deadlines, by task.
pub(crate) type Times = [AtomicU64];

/// Deadlines of tasks, at most one for each.
#[derive(Debug)]
pub(crate) struct Deadlines {
    /// A heap: each element is at least as early as the two that lie at twice
    /// its place plus one and plus two.
    heap: Vec<TaskIndex>,
}

impl Deadlines {
    /// Room for `capacity` deadlines.
    pub(crate) fn with_capacity(capacity: usize) -> Result<Self, OutOfMemory> {
        let mut heap = Vec::new();
        heap.try_reserve_exact(capacity).map_err(|_| OutOfMemory)?;
        Ok(Self { heap })
    }

    /// The earliest deadline.
    pub(crate) fn earliest_ns(&self, times: &Times) -> Option<u64> {
        self.heap.first().map(|task| time_of(times, *task))
    }

    /// Adds the deadline of a task that has none.
    pub(crate) fn add(&mut self, times: &Times, task: TaskIndex, time_ns: u64) {
        assert!(self.heap.len() < self.heap.capacity(), "there is room for one for each task");
        times[task.place()].store(time_ns, Ordering::Relaxed);
        let place = self.heap.len();
        #[expect(clippy::disallowed_methods, reason = "there is room, as was just checked")]
        self.heap.push(task);
        self.move_up(times, place);
    }

    /// Takes the deadline of `task` away, if it has one.
    pub(crate) fn remove(&mut self, times: &Times, task: TaskIndex) {
        if let Some(place) = self.heap.iter().position(|other| *other == task) {
            self.remove_at(times, place);
        }
    }

    /// Takes out a task whose deadline is not after `now_ns`.
    pub(crate) fn pop_due(&mut self, times: &Times, now_ns: u64) -> Option<TaskIndex> {
        let task = *self.heap.first().filter(|task| time_of(times, **task) <= now_ns)?;
        self.remove_at(times, 0);
        Some(task)
    }

    fn remove_at(&mut self, times: &Times, place: usize) {
        self.heap.swap_remove(place);
        // What came from the end may belong further up or further down.
        let mut place = self.move_up(times, place);
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let child = if self.earlier(times, right, left) { right } else { left };
            if !self.earlier(times, child, place) {
                break;
            }
            self.heap.swap(child, place);
            place = child;
        }
    }

    /// Moves what is at a place up to where it belongs; the place that it has then.
    fn move_up(&mut self, times: &Times, mut place: usize) -> usize {
        while let Some(parent) = place.checked_sub(1).map(|place| place / 2)
            && self.earlier(times, place, parent)
        {
            self.heap.swap(place, parent);
            place = parent;
        }
        place
    }

    /// Whether the deadline at one place is earlier than that at another; not if
    /// there is none at the one.
    fn earlier(&self, times: &Times, one: usize, other: usize) -> bool {
        let key = |task: &TaskIndex| (time_of(times, *task), *task);
        match (self.heap.get(one), self.heap.get(other)) {
            (Some(one), Some(other)) => key(one) < key(other),
            _ => false,
        }
    }
}

fn time_of(times: &Times, task: TaskIndex) -> u64 {
    times[task.place()].load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The heap behaves like a sorted set.
        #[test]
        fn earliest_comes_first(
            steps in proptest::collection::vec((0..3, 0_u32..16, 0_u64..20), 0..200),
        ) {
            let times = [const { AtomicU64::new(0) }; 16];
            let mut deadlines = Deadlines::with_capacity(16).unwrap();
            let mut set = BTreeSet::new();
            for (step, task, time_ns) in steps {
                let task = TaskIndex(task);
                match step {
                    0 => if !set.iter().any(|(_, other)| *other == task) {
                        deadlines.add(&times, task, time_ns);
                        set.insert((time_ns, task));
                    },
                    1 => {
                        deadlines.remove(&times, task);
                        set.retain(|(_, other)| *other != task);
                    }
                    _ => {
                        let due = set.first().copied().filter(|(at, _)| *at <= time_ns);
                        prop_assert_eq!(deadlines.pop_due(&times, time_ns), due.map(|(_, task)| task));
                        due.map(|due| set.remove(&due));
                    }
                }
                prop_assert_eq!(deadlines.earliest_ns(&times), set.first().map(|(at, _)| *at));
            }
        }
    }
}
