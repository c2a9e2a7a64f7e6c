//! Who runs next: run queues and the states of tasks, without any switching.
//!
//! ```text
//!            admit             pick                   end            release
//!   FREE ----------> READY ----------> RUNNING -----------> ENDED ---------> FREE
//!                      ^   <----------    |
//!                      |    turn          | park
//!                      |                  v
//!                      +--------------- BLOCKED
//!                         wake, expire
//! ```
//!
//! A task belongs to one processor for its life. Its state is guarded by the
//! lock of that processor's queue, so a wake-up either finds the task blocked,
//! and makes it ready, or comes before it has parked, and leaves a token that
//! keeps it from parking. Only the processor itself takes tasks out of its
//! queue: so a task that is woken while it still leaves its stack is entered no
//! earlier than that.
//!
//! Nothing here allocates after the start, waits, or calls the platform: what is
//! to be done comes back as a value.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use hal::OutOfMemory;
use hal::heap::TryPush;

use super::lock::{Rank, SpinLock};
use crate::affinity::Affinity;
use crate::deadlines::Deadlines;
use crate::priority::Priority;
use crate::task_list::{Link, TaskIndex, TaskList};

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum State {
    Free,
    Ready,
    Running,
    Blocked,
    Ended,
}

/// What is known of a task, besides its links.
#[derive(Debug)]
struct Entry {
    /// A [`State`]; guarded by the lock of `home`.
    state: AtomicU8,
    /// Its processor's index; fixed while it is not free.
    home: AtomicUsize,
    /// Its [`Priority`]; fixed while it is not free.
    priority: AtomicU8,
    /// It was woken since it last got ready to wait.
    token: AtomicBool,
}

/// The queue of one processor.
#[derive(Debug)]
struct RunQueue {
    /// By priority: ready tasks in the order of their turns.
    ready: [TaskList; Priority::FROM_THE_HIGHEST.len()],
    /// What runs; `None` while the processor is idle.
    current: Option<TaskIndex>,
    /// Of blocked tasks.
    deadlines: Deadlines,
}

/// One processor.
#[derive(Debug)]
struct Processor {
    queue: SpinLock<RunQueue>,
    /// Number of its tasks.
    tasks: AtomicUsize,
}

/// There is no room for another task, or no such processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// All places are taken.
    Full,
    /// No processor has this index.
    Processor(usize),
}

/// What a processor goes on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another task.
    Task(TaskIndex),
    /// Nothing is ready.
    Idle,
}

/// How a task makes way for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// For those of higher priority; it comes first again after them.
    Interrupted,
    /// For those of its own priority as well; it goes behind them.
    Over,
}

/// A processor that should look at its queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the processor does not look at its queue by itself"]
pub(crate) struct Call {
    /// Its index.
    pub(crate) processor: usize,
}

/// The queues of all processors and the states of all tasks.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    entries: Vec<Entry>,
    /// For the lists of free and of ready tasks.
    run_links: Vec<Link>,
    /// For the lists of tasks that wait for something.
    wait_links: Vec<Link>,
    /// Of blocked tasks that have one, by task.
    deadlines_ns: Vec<AtomicU64>,
    free: SpinLock<TaskList>,
    processors: Vec<Processor>,
}

impl Dispatcher {
    /// For `processors` processors and at most `tasks` tasks.
    pub(crate) fn new(processors: usize, tasks: u32) -> Result<Self, OutOfMemory> {
        let mut dispatcher = Self {
            entries: Vec::new(),
            run_links: Vec::new(),
            wait_links: Vec::new(),
            deadlines_ns: Vec::new(),
            free: SpinLock::new(Rank::Task, TaskList::new()),
            processors: Vec::new(),
        };
        let mut free = TaskList::new();
        for task in 0..tasks {
            dispatcher.entries.try_push(Entry {
                state: AtomicU8::new(State::Free as u8),
                home: AtomicUsize::new(0),
                priority: AtomicU8::new(0),
                token: AtomicBool::new(false),
            })?;
            dispatcher.run_links.try_push(Link::new())?;
            dispatcher.wait_links.try_push(Link::new())?;
            dispatcher.deadlines_ns.try_push(AtomicU64::new(0))?;
            free.push_back(&dispatcher.run_links, TaskIndex(task));
        }
        dispatcher.free = SpinLock::new(Rank::Task, free);
        for _ in 0..processors {
            let queue = RunQueue {
                ready: [const { TaskList::new() }; Priority::FROM_THE_HIGHEST.len()],
                current: None,
                deadlines: Deadlines::with_capacity(tasks as usize)?,
            };
            let queue = SpinLock::new(Rank::RunQueue, queue);
            dispatcher.processors.try_push(Processor { queue, tasks: AtomicUsize::new(0) })?;
        }
        Ok(dispatcher)
    }

    /// The links of tasks that wait, for lists of them.
    pub(crate) fn wait_links(&self) -> &[Link] {
        &self.wait_links
    }

    /// Takes a place for a task. It is not ready before [`admit`](Self::admit).
    pub(crate) fn reserve(
        &self,
        priority: Priority,
        affinity: Affinity,
    ) -> Result<TaskIndex, Refused> {
        let home = match affinity {
            Affinity::Only(index) if index < self.processors.len() => index,
            Affinity::Only(index) => return Err(Refused::Processor(index)),
            Affinity::Any => self.least_loaded().ok_or(Refused::Processor(0))?,
        };
        let task = self.free.lock().pop_front(&self.run_links).ok_or(Refused::Full)?;
        let entry = self.entry(task);
        entry.home.store(home, Ordering::Relaxed);
        entry.priority.store(priority as u8, Ordering::Relaxed);
        entry.token.store(false, Ordering::Relaxed);
        self.processors[home].tasks.fetch_add(1, Ordering::Relaxed);
        Ok(task)
    }

    /// Makes a reserved task ready to run.
    pub(crate) fn admit(&self, task: TaskIndex) -> Option<Call> {
        let home = self.home(task);
        let mut queue = self.processors[home].queue.lock();
        self.advance(task, State::Free, State::Ready);
        self.enqueue(&mut queue, task, home)
    }

    /// Gives a place back, of a task that was never admitted or has ended.
    pub(crate) fn release(&self, task: TaskIndex) {
        let home = &self.processors[self.home(task)];
        {
            let _queue = home.queue.lock();
            let state = self.state(task);
            assert!(matches!(state, State::Free | State::Ended), "{task:?} is {state:?}");
            self.set_state(task, State::Free);
        }
        home.tasks.fetch_sub(1, Ordering::Relaxed);
        self.free.lock().push_back(&self.run_links, task);
    }

    /// What an idle processor goes on with.
    pub(crate) fn pick(&self, processor: usize) -> Next {
        let mut queue = self.processors[processor].queue.lock();
        assert!(queue.current.is_none(), "an idle processor picks");
        self.pick_from(&mut queue)
    }

    /// Lets others run before the current task. `None` if there are none: it
    /// goes on.
    pub(crate) fn turn(&self, processor: usize, turn: Turn) -> Option<Next> {
        let mut queue = self.processors[processor].queue.lock();
        let task = queue.current?;
        let own = self.priority(task);
        let makes_way = |priority| match turn {
            Turn::Interrupted => priority > own,
            Turn::Over => priority >= own,
        };
        let others = |priority: &Priority| !queue.ready[*priority as usize].is_empty();
        let highest = Priority::FROM_THE_HIGHEST.into_iter().find(others)?;
        if !makes_way(highest) {
            return None;
        }
        self.advance(task, State::Running, State::Ready);
        let list = &mut queue.ready[own as usize];
        match turn {
            Turn::Interrupted => list.push_front(&self.run_links, task),
            Turn::Over => list.push_back(&self.run_links, task),
        }
        Some(self.pick_from(&mut queue))
    }

    /// Forgets wake-ups so far, before `task`, which runs, tells others that it
    /// waits.
    pub(crate) fn get_ready_to_wait(&self, task: TaskIndex) {
        // Ordered before the wake-ups to come by the lock of the list that the
        // task puts itself into.
        self.entry(task).token.store(false, Ordering::Relaxed);
    }

    /// Blocks the current task until it is woken, or `deadline_ns`. `None` if it
    /// was woken already: it goes on.
    pub(crate) fn park(&self, processor: usize, deadline_ns: Option<u64>) -> Option<Next> {
        let mut queue = self.processors[processor].queue.lock();
        let Some(task) = queue.current else { panic!("an idle processor does not wait") };
        if self.entry(task).token.load(Ordering::Relaxed) {
            return None;
        }
        self.advance(task, State::Running, State::Blocked);
        if let Some(deadline_ns) = deadline_ns {
            queue.deadlines.add(&self.deadlines_ns, task, deadline_ns);
        }
        Some(self.pick_from(&mut queue))
    }

    /// Wakes a task that waits, or is about to.
    pub(crate) fn wake(&self, task: TaskIndex) -> Option<Call> {
        let home = self.home(task);
        let mut queue = self.processors[home].queue.lock();
        if self.state(task) != State::Blocked {
            self.entry(task).token.store(true, Ordering::Relaxed);
            return None;
        }
        queue.deadlines.remove(&self.deadlines_ns, task);
        self.advance(task, State::Blocked, State::Ready);
        self.enqueue(&mut queue, task, home)
    }

    /// Wakes the tasks of a processor whose deadlines have come. Whether the
    /// current one should make way.
    pub(crate) fn expire(&self, processor: usize, now_ns: u64) -> Option<Call> {
        let mut queue = self.processors[processor].queue.lock();
        let mut call = None;
        while let Some(task) = queue.deadlines.pop_due(&self.deadlines_ns, now_ns) {
            self.advance(task, State::Blocked, State::Ready);
            call = self.enqueue(&mut queue, task, processor).or(call);
        }
        call
    }

    /// The earliest deadline of a processor's tasks.
    pub(crate) fn earliest_deadline_ns(&self, processor: usize) -> Option<u64> {
        self.processors[processor].queue.lock().deadlines.earliest_ns(&self.deadlines_ns)
    }

    /// Ends the current task. Its place stays taken until
    /// [`release`](Self::release).
    pub(crate) fn end(&self, processor: usize) -> Next {
        let mut queue = self.processors[processor].queue.lock();
        let Some(task) = queue.current else { panic!("an idle processor has no task to end") };
        self.advance(task, State::Running, State::Ended);
        self.pick_from(&mut queue)
    }

    /// What runs on a processor; `None` while it is idle. Only the processor
    /// itself can rely on the answer.
    pub(crate) fn current(&self, processor: usize) -> Option<TaskIndex> {
        self.processors[processor].queue.lock().current
    }

    fn pick_from(&self, queue: &mut RunQueue) -> Next {
        let lists = Priority::FROM_THE_HIGHEST;
        let mut ready =
            lists.iter().filter_map(|p| queue.ready[*p as usize].pop_front(&self.run_links));
        queue.current = ready.next();
        match queue.current {
            None => Next::Idle,
            Some(task) => {
                self.advance(task, State::Ready, State::Running);
                Next::Task(task)
            }
        }
    }

    /// Puts a ready task into the queue of its processor, `home`, which is to
    /// be called if the task goes before what runs there.
    fn enqueue(&self, queue: &mut RunQueue, task: TaskIndex, home: usize) -> Option<Call> {
        let priority = self.priority(task);
        queue.ready[priority as usize].push_back(&self.run_links, task);
        let goes_first = queue.current.is_none_or(|current| self.priority(current) < priority);
        goes_first.then_some(Call { processor: home })
    }

    fn least_loaded(&self) -> Option<usize> {
        let load = |(_, processor): &(usize, &Processor)| processor.tasks.load(Ordering::Relaxed);
        self.processors.iter().enumerate().min_by_key(load).map(|(index, _)| index)
    }

    /// The entry of a task, which exists for every index that is ever made.
    fn entry(&self, task: TaskIndex) -> &Entry {
        &self.entries[task.place()]
    }

    fn home(&self, task: TaskIndex) -> usize {
        self.entry(task).home.load(Ordering::Relaxed)
    }

    fn priority(&self, task: TaskIndex) -> Priority {
        Priority::from_number(self.entry(task).priority.load(Ordering::Relaxed))
    }

    fn state(&self, task: TaskIndex) -> State {
        match self.entry(task).state.load(Ordering::Relaxed) {
            0 => State::Free,
            1 => State::Ready,
            2 => State::Running,
            3 => State::Blocked,
            _ => State::Ended,
        }
    }

    fn set_state(&self, task: TaskIndex, state: State) {
        self.entry(task).state.store(state as u8, Ordering::Relaxed);
    }

    /// Changes a task's state, which must be `from`. With its queue's lock held.
    fn advance(&self, task: TaskIndex, from: State, to: State) {
        let state = self.state(task);
        assert!(state == from, "{task:?} is {state:?} where it must be {from:?}");
        self.set_state(task, to);
    }
}
