//! Where a task runs.

/// Which processor a task runs on. It stays on that processor for its life: its
/// memory is near, and whoever wakes it knows where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Affinity {
    /// The one that has the fewest tasks when the task is made.
    Any,
    /// The one with this index.
    Only(usize),
}
