//! When tasks are to be woken: a heap with the earliest deadline on top.

use alloc::vec::Vec;

use hal::OutOfMemory;

use crate::task_list::TaskIndex;

/// A task and when it is to be woken, in nanoseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    time_ns: u64,
    task: TaskIndex,
}

/// Deadlines of tasks, at most one for each.
#[derive(Debug)]
pub(crate) struct Deadlines {
    /// A heap: each element is at least as early as the two that lie at twice
    /// its place plus one and plus two.
    heap: Vec<Deadline>,
}

impl Deadlines {
    /// Room for `capacity` deadlines.
    pub(crate) fn with_capacity(capacity: usize) -> Result<Self, OutOfMemory> {
        let mut heap = Vec::new();
        heap.try_reserve_exact(capacity).map_err(|_| OutOfMemory)?;
        Ok(Self { heap })
    }

    /// The earliest deadline.
    pub(crate) fn earliest_ns(&self) -> Option<u64> {
        self.heap.first().map(|deadline| deadline.time_ns)
    }

    /// Adds the deadline of a task that has none.
    pub(crate) fn add(&mut self, task: TaskIndex, time_ns: u64) {
        assert!(self.heap.len() < self.heap.capacity(), "there is room for one for each task");
        let mut place = self.heap.len();
        #[expect(clippy::disallowed_methods, reason = "there is room, as was just checked")]
        self.heap.push(Deadline { time_ns, task });
        while let Some(parent) = place.checked_sub(1).map(|place| place / 2)
            && self.heap[place] < self.heap[parent]
        {
            self.heap.swap(place, parent);
            place = parent;
        }
    }

    /// Takes the deadline of `task` away, if it has one.
    pub(crate) fn remove(&mut self, task: TaskIndex) {
        if let Some(place) = self.heap.iter().position(|deadline| deadline.task == task) {
            self.remove_at(place);
        }
    }

    /// Takes out a task whose deadline is not after `now_ns`.
    pub(crate) fn pop_due(&mut self, now_ns: u64) -> Option<TaskIndex> {
        let task = self.heap.first().filter(|deadline| deadline.time_ns <= now_ns)?.task;
        self.remove_at(0);
        Some(task)
    }

    fn remove_at(&mut self, place: usize) {
        self.heap.swap_remove(place);
        // What came from the end may belong further up or further down.
        let mut place = place;
        while let Some(parent) = place.checked_sub(1).map(|place| place / 2)
            && self.earlier(place, parent)
        {
            self.heap.swap(place, parent);
            place = parent;
        }
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let child = if self.earlier(right, left) { right } else { left };
            if !self.earlier(child, place) {
                break;
            }
            self.heap.swap(child, place);
            place = child;
        }
    }

    /// Whether the deadline at one place is earlier than that at another; not if
    /// there is none at the one.
    fn earlier(&self, one: usize, other: usize) -> bool {
        match (self.heap.get(one), self.heap.get(other)) {
            (Some(one), Some(other)) => one < other,
            _ => false,
        }
    }
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
            let mut deadlines = Deadlines::with_capacity(16).unwrap();
            let mut set = BTreeSet::new();
            for (step, task, time_ns) in steps {
                let task = TaskIndex(task);
                match step {
                    0 => if !set.iter().any(|(_, other)| *other == task) {
                        deadlines.add(task, time_ns);
                        set.insert((time_ns, task));
                    },
                    1 => {
                        deadlines.remove(task);
                        set.retain(|(_, other)| *other != task);
                    }
                    _ => {
                        let due = set.first().copied().filter(|(at, _)| *at <= time_ns);
                        prop_assert_eq!(deadlines.pop_due(time_ns), due.map(|(_, task)| task));
                        due.map(|due| set.remove(&due));
                    }
                }
                prop_assert_eq!(deadlines.earliest_ns(), set.first().map(|(at, _)| *at));
            }
        }
    }
}
