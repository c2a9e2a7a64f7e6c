//! Lists of tasks that take no memory of their own.
//!
//! Every task has one [`Link`] for each kind of list, so that a task can be put
//! into one of them without an allocation that could fail. A link is guarded by
//! the lock of the list that its task is in.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A task, by its place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TaskIndex(pub(crate) u32);

impl TaskIndex {
    /// The place, for tables.
    pub(crate) fn place(self) -> usize {
        self.0 as usize
    }
}

/// Stands for no task in a link.
const NONE: u32 = u32::MAX;

/// A task's neighbours in a list.
#[derive(Debug)]
pub(crate) struct Link {
    linked: AtomicBool,
    before: AtomicU32,
    behind: AtomicU32,
}

impl Link {
    /// In no list.
    pub(crate) const fn new() -> Self {
        Self {
            linked: AtomicBool::new(false),
            before: AtomicU32::new(NONE),
            behind: AtomicU32::new(NONE),
        }
    }

    /// Whether the task is in a list.
    pub(crate) fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Relaxed)
    }
}

/// A list of tasks, by their links in a table that the methods are given.
#[derive(Debug)]
pub(crate) struct TaskList {
    first: u32,
    last: u32,
}

impl TaskList {
    pub(crate) const fn new() -> Self {
        Self { first: NONE, last: NONE }
    }

    /// Whether no task is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// Puts a task behind all others.
    pub(crate) fn push_back(&mut self, links: &[Link], task: TaskIndex) {
        let link = link(links, task.0);
        assert!(!link.linked.swap(true, Ordering::Relaxed), "a task is in one list of a kind");
        link.before.store(self.last, Ordering::Relaxed);
        link.behind.store(NONE, Ordering::Relaxed);
        match self.last {
            NONE => self.first = task.0,
            last => self::link(links, last).behind.store(task.0, Ordering::Relaxed),
        }
        self.last = task.0;
    }

    /// Puts a task before all others.
    pub(crate) fn push_front(&mut self, links: &[Link], task: TaskIndex) {
        let link = link(links, task.0);
        assert!(!link.linked.swap(true, Ordering::Relaxed), "a task is in one list of a kind");
        link.before.store(NONE, Ordering::Relaxed);
        link.behind.store(self.first, Ordering::Relaxed);
        match self.first {
            NONE => self.last = task.0,
            first => self::link(links, first).before.store(task.0, Ordering::Relaxed),
        }
        self.first = task.0;
    }

    /// Takes the first task out.
    pub(crate) fn pop_front(&mut self, links: &[Link]) -> Option<TaskIndex> {
        if self.is_empty() {
            return None;
        }
        let task = TaskIndex(self.first);
        self.remove(links, task);
        Some(task)
    }

    /// Takes `task` out, which must be in this list.
    pub(crate) fn remove(&mut self, links: &[Link], task: TaskIndex) {
        let link = link(links, task.0);
        assert!(link.linked.swap(false, Ordering::Relaxed), "the task is in the list");
        let before = link.before.load(Ordering::Relaxed);
        let behind = link.behind.load(Ordering::Relaxed);
        match before {
            NONE => self.first = behind,
            before => self::link(links, before).behind.store(behind, Ordering::Relaxed),
        }
        match behind {
            NONE => self.last = before,
            behind => self::link(links, behind).before.store(before, Ordering::Relaxed),
        }
    }
}

/// The link of a task, which exists for every index that is ever made.
fn link(links: &[Link], task: u32) -> &Link {
    &links[task as usize]
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::VecDeque;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The list behaves like a queue.
        #[test]
        fn behaves_like_a_queue(steps in proptest::collection::vec((0..4, 0_u32..8), 0..200)) {
            let links: Vec<Link> = (0..8).map(|_| Link::new()).collect();
            let mut list = TaskList::new();
            let mut queue = VecDeque::new();
            for (step, task) in steps {
                let task = TaskIndex(task);
                let linked = queue.contains(&task);
                prop_assert_eq!(links[task.place()].is_linked(), linked);
                match step {
                    0 if !linked => {
                        list.push_back(&links, task);
                        queue.push_back(task);
                    }
                    1 if !linked => {
                        list.push_front(&links, task);
                        queue.push_front(task);
                    }
                    2 if linked => {
                        list.remove(&links, task);
                        queue.retain(|other| *other != task);
                    }
                    _ => prop_assert_eq!(list.pop_front(&links), queue.pop_front()),
                }
                prop_assert_eq!(list.is_empty(), queue.is_empty());
            }
        }
    }
}
