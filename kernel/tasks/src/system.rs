//! All tasks of the machine: the dispatcher's decisions, done with threads.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

use hal::OutOfMemory;
use hal::heap::TryPush;
use hal::sync::{Masked, Once, mask};
use hal::thread::{Context, Departure, switch_to};

use crate::dispatcher::{Call, Dispatcher, Next, Turn};
use crate::monitor::{Look, Monitor, Patience};
use crate::platform::Platform;
use crate::task_list::TaskIndex;
use crate::thread_table::{Life, ThreadTable};

/// The tasks, once they are started.
static SYSTEM: Once<System> = Once::new();

/// All tasks of the machine.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) platform: &'static dyn Platform,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) threads: ThreadTable,
    processors: Vec<Processor>,
}

/// What a processor has besides its queue. Only it changes these, but for `due`.
#[derive(Debug)]
struct Processor {
    /// What runs while no task is ready: the code that called
    /// [`run_processor`](crate::run_processor).
    idle: Context,
    /// A [`Turn`] that is due, as [`due`] numbers it; 0 for none.
    due: AtomicU8,
    /// Reasons to go on with the running task.
    preemption_disabled: AtomicU32,
    /// The task that it has just left for good; [`NO_TASK`] for none.
    ended: AtomicU32,
    /// When the turn of the running task is over.
    turn_ends_ns: AtomicU64,
    /// When its alarm comes; [`NO_ALARM`] for not at all.
    alarm_ns: AtomicU64,
}

/// How long a task runs while others of its priority are ready.
const TURN_NS: u64 = 10_000_000;

/// Stands for no alarm in [`Processor::alarm_ns`].
const NO_ALARM: u64 = u64::MAX;

/// Stands for no task in [`Processor::ended`].
const NO_TASK: u32 = u32::MAX;

/// The tasks cannot be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no memory for their tables.
    #[error("tasks: {0}")]
    OutOfMemory(#[from] OutOfMemory),
    /// They have been started before.
    #[error("tasks have been started already; they are started once")]
    Started,
}

/// Makes room for `tasks` tasks on `processors` processors. Afterwards tasks can
/// be made, and each processor calls [`run_processor`](crate::run_processor).
///
/// # Errors
///
/// [`StartError`]; nothing is started then.
pub fn start(
    platform: &'static dyn Platform,
    processors: usize,
    tasks: u32,
) -> Result<(), StartError> {
    let mut each = Vec::new();
    for _ in 0..processors {
        each.try_push(Processor {
            idle: Context::new(),
            due: AtomicU8::new(0),
            preemption_disabled: AtomicU32::new(0),
            ended: AtomicU32::new(NO_TASK),
            turn_ends_ns: AtomicU64::new(0),
            alarm_ns: AtomicU64::new(NO_ALARM),
        })?;
    }
    let system = System {
        platform,
        dispatcher: Dispatcher::new(processors, tasks)?,
        threads: ThreadTable::new(tasks)?,
        processors: each,
    };
    SYSTEM.set(system).map(drop).map_err(|_| StartError::Started)
}

/// The tasks, if they are started.
pub(crate) fn started() -> Option<&'static System> {
    SYSTEM.get()
}

/// The tasks.
///
/// # Panics
///
/// If they have not been started.
pub(crate) fn system() -> &'static System {
    let Some(system) = started() else { panic!("tasks::start comes before the use of tasks") };
    system
}

impl System {
    /// The task that runs on this processor; `None` if none does.
    pub(crate) fn current(&self, _masked: &Masked) -> Option<TaskIndex> {
        let processor = self.platform.processor();
        self.processors.get(processor)?;
        self.dispatcher.current(processor)
    }

    /// What the running processor has, and its index; `None` for code that runs
    /// on none of ours.
    fn own(&self) -> Option<(usize, &Processor)> {
        let index = self.platform.processor();
        Some((index, self.processors.get(index)?))
    }

    /// Makes this processor run tasks, for ever.
    pub(crate) fn run(&'static self) -> ! {
        let Some((index, own)) = self.own() else {
            panic!("the platform names a processor that tasks were not started for")
        };
        assert!(hal::thread::adopt(&own.idle).is_ok(), "a processor runs tasks once");
        loop {
            let masked = mask();
            own.due.store(0, Ordering::Relaxed);
            self.expire(index);
            match self.dispatcher.pick(index) {
                Next::Idle => self.platform.wait(),
                task => self.go_on_with(task, &masked),
            }
        }
    }

    /// Makes `monitor`'s `condition` be looked at until it gives something, each
    /// time that the running task is woken; `None` if `deadline_ns` came before.
    pub(crate) fn wait<T, R>(
        &'static self,
        monitor: &Monitor<T>,
        deadline_ns: Option<u64>,
        mut condition: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let mut patience = Patience::Left;
        loop {
            let masked = mask();
            let Some((index, own)) = self.own() else { panic!("only tasks wait") };
            assert!(masked.is_the_only_one(), "a task waits without a lock");
            let disabled = own.preemption_disabled.load(Ordering::Relaxed);
            assert!(disabled == 0, "a task waits with preemption enabled");
            let Some(task) = self.dispatcher.current(index) else { panic!("only tasks wait") };
            match monitor.look(&self.dispatcher, task, patience, &mut condition) {
                Look::Holds(result) => return Some(result),
                Look::TooLate => return None,
                Look::Waits => {
                    self.expire(index);
                    if let Some(next) = self.dispatcher.park(index, deadline_ns) {
                        self.set_alarm(index);
                        self.go_on_with(next, &masked);
                    }
                }
            }
            if deadline_ns.is_some_and(|deadline_ns| self.platform.now_ns() >= deadline_ns) {
                patience = Patience::Over;
            }
        }
    }

    /// Lets other tasks of this processor run, if `turn` says so.
    pub(crate) fn make_way(&'static self, turn: Turn, masked: &Masked) {
        let Some((index, own)) = self.own() else { return };
        own.due.store(0, Ordering::Relaxed);
        self.expire(index);
        if let Some(next) = self.dispatcher.turn(index, turn) {
            self.go_on_with(next, masked);
        }
    }

    /// Makes way for others if that is due and nothing speaks against it.
    pub(crate) fn make_way_if_due(&'static self, masked: &Masked) {
        let Some((_, own)) = self.own() else { return };
        let disabled = own.preemption_disabled.load(Ordering::Relaxed);
        if masked.is_the_only_one()
            && disabled == 0
            && let Some(turn) = turn_of(own.due.load(Ordering::Relaxed))
        {
            self.make_way(turn, masked);
        }
    }

    /// Whether the running task may have to make way, by a look from outside that
    /// can be late by one.
    pub(crate) fn is_due(&self) -> bool {
        let Some((_, own)) = self.own() else { return false };
        let alarm_ns = own.alarm_ns.load(Ordering::Relaxed);
        own.due.load(Ordering::Relaxed) != 0
            || alarm_ns != NO_ALARM && self.platform.has_come(alarm_ns)
    }

    /// Makes way for others if one has become more urgent, or a deadline or the
    /// end of the turn has come: what the alarm would have told, had it come.
    pub(crate) fn look_for_others(&'static self, masked: &Masked) {
        let Some((_, own)) = self.own() else { return };
        if self.platform.now_ns() >= own.alarm_ns.load(Ordering::Relaxed) {
            self.tick();
        }
        self.make_way_if_due(masked);
    }

    /// Notes that the running task is to make way as soon as it may.
    pub(crate) fn note_due(&self, turn: Turn) {
        if let Some((_, own)) = self.own() {
            own.due.fetch_max(due(turn), Ordering::Relaxed);
        }
    }

    /// Makes a processor look at its queue.
    pub(crate) fn call(&self, call: Call) {
        let Some(processor) = self.processors.get(call.processor) else { return };
        processor.due.fetch_max(due(Turn::Interrupted), Ordering::Relaxed);
        let _masked = mask();
        if self.platform.processor() != call.processor {
            self.platform.call(call.processor);
        }
    }

    /// Wakes the tasks of the running processor whose deadlines have come.
    pub(crate) fn expire(&self, index: usize) {
        if let Some(call) = self.dispatcher.expire(index, self.platform.now_ns()) {
            self.call(call);
        }
        self.set_alarm(index);
    }

    /// The alarm of the running processor has come: wakes tasks whose deadlines
    /// have come, and notes whether the turn of the running one is over.
    pub(crate) fn tick(&self) {
        let Some((index, own)) = self.own() else { return };
        own.alarm_ns.store(NO_ALARM, Ordering::Relaxed);
        if self.platform.now_ns() >= own.turn_ends_ns.load(Ordering::Relaxed) {
            self.begin_turn();
            self.note_due(Turn::Over);
        }
        self.expire(index);
    }

    /// From now on the running task has a whole turn.
    fn begin_turn(&self) {
        if let Some((_, own)) = self.own() {
            let end = self.platform.now_ns().saturating_add(TURN_NS);
            own.turn_ends_ns.store(end, Ordering::Relaxed);
        }
    }

    /// Has the alarm come for the next deadline, or for the end of the turn if a
    /// task runs. To set it can be costly, so it only ever moves to an earlier
    /// time; one that comes too early is set again then.
    fn set_alarm(&self, index: usize) {
        let Some(own) = self.processors.get(index) else { return };
        let deadline = self.dispatcher.earliest_deadline_ns(index).unwrap_or(NO_ALARM);
        let wanted = match self.dispatcher.current(index) {
            Some(_) => deadline.min(own.turn_ends_ns.load(Ordering::Relaxed)),
            None => deadline,
        };
        let is_set_for = own.alarm_ns.load(Ordering::Relaxed);
        if wanted < is_set_for || wanted == NO_ALARM && is_set_for != NO_ALARM {
            own.alarm_ns.store(wanted, Ordering::Relaxed);
            self.platform.set_alarm((wanted != NO_ALARM).then_some(wanted));
        }
    }

    /// Switches to what the dispatcher chose.
    fn go_on_with(&'static self, next: Next, masked: &Masked) {
        if let Some(context) = self.context(next) {
            switch_to(context, masked);
        }
        self.settle();
    }

    /// The context of what this processor goes on with.
    fn context(&'static self, next: Next) -> Option<&'static Context> {
        match next {
            Next::Task(task) => Some(&self.threads.of(task).context),
            Next::Idle => self.own().map(|(_, own)| &own.idle),
        }
    }

    /// Ends the running task: where its thread goes on.
    pub(crate) fn end(&'static self, task: TaskIndex) -> Departure {
        let masked = mask();
        let Some((index, own)) = self.own() else { unreachable!("a task runs on a processor") };
        own.ended.store(task.0, Ordering::Relaxed);
        self.expire(index);
        let Some(next) = self.context(self.dispatcher.end(index)) else {
            unreachable!("a processor has an idle context")
        };
        Departure { next, masked }
    }

    /// Begins a turn, and buries the task that this processor has just left for
    /// good, if there is one. To be called by whatever it goes on with, on its own stack, with
    /// interrupts masked.
    pub(crate) fn settle(&self) {
        let Some((index, own)) = self.own() else { return };
        self.begin_turn();
        self.set_alarm(index);
        let ended = own.ended.swap(NO_TASK, Ordering::Relaxed);
        if ended == NO_TASK {
            return;
        }
        let task = TaskIndex(ended);
        let thread = self.threads.of(task);
        let stack = thread.context.reclaim();
        assert!(stack.is_some(), "the processor has left the stack of {task:?}");
        drop(stack);
        let bury = |life: &mut Life| {
            let detached = *life == Life::Detached;
            *life = Life::Ended;
            detached
        };
        let call = |call| self.call(call);
        if thread.life.change_and_wake_all(&self.dispatcher, bury, call) {
            self.release(task);
        }
    }

    /// Frees the place of a task that has ended and that nobody can join.
    pub(crate) fn release(&self, task: TaskIndex) {
        let result = self.threads.of(task).result.lock().take();
        drop(result);
        self.dispatcher.release(task);
    }

    /// Changes how many reasons there are to go on with the running task.
    /// Returns the processor.
    pub(crate) fn change_preemption_disabled(&self, change: fn(u32) -> u32) {
        let _masked = mask();
        if let Some((_, own)) = self.own() {
            let reasons = own.preemption_disabled.load(Ordering::Relaxed);
            own.preemption_disabled.store(change(reasons), Ordering::Relaxed);
        }
    }
}

/// A turn as a number: whatever is more is due rather.
fn due(turn: Turn) -> u8 {
    match turn {
        Turn::Interrupted => 1,
        Turn::Over => 2,
    }
}

fn turn_of(due: u8) -> Option<Turn> {
    match due {
        0 => None,
        1 => Some(Turn::Interrupted),
        _ => Some(Turn::Over),
    }
}
