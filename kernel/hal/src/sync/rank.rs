//! Ranks of locks.

/// Place of a lock in the lock order: a processor takes locks in rising rank.
///
/// From the outermost to the innermost:
///
/// | rank | guards | takes inside |
/// |---|---|---|
/// | [`Subsystem`](Self::Subsystem) | tables of a subsystem above the tasks | anything |
/// | [`PageState`](Self::PageState) | claims on ranges of the guest's pages | wake-ups, memory |
/// | [`WaitQueue`](Self::WaitQueue) | tasks that wait for one condition | run queues |
/// | [`Task`](Self::Task) | a task's result and its resources | run queues, memory |
/// | [`RunQueue`](Self::RunQueue) | ready tasks and deadlines of one processor | memory |
/// | [`VirtualMemory`](Self::VirtualMemory) | free ranges of the dynamic mappings | page tables, frames |
/// | [`PageTable`](Self::PageTable) | one tree of page tables | frames, shootdown |
/// | [`Heap`](Self::Heap) | a slab of the heap | frames |
/// | [`Frames`](Self::Frames) | free frames | nothing above the host's calls |
/// | [`Shootdown`](Self::Shootdown) | one request to flush other processors' translations | host calls |
/// | [`HostCall`](Self::HostCall) | a channel to the host that processors share | console |
/// | [`Console`](Self::Console) | the console's device | nothing |
///
/// Two locks of one rank are never held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Rank {
    /// Tables of a subsystem above the tasks.
    Subsystem,
    /// Claims on ranges of the guest's pages.
    PageState,
    /// Tasks that wait for one condition.
    WaitQueue,
    /// A task's result and its resources.
    Task,
    /// Ready tasks and deadlines of one processor.
    RunQueue,
    /// Free ranges of the dynamic mappings.
    VirtualMemory,
    /// One tree of page tables.
    PageTable,
    /// A slab of the heap.
    Heap,
    /// Free frames.
    Frames,
    /// One request to flush other processors' translations.
    Shootdown,
    /// A channel to the host that processors share.
    HostCall,
    /// The console's device.
    Console,
}
