//! Waiting and waking under every order of events that `loom` can think of.

extern crate std;

use loom::sync::Arc;
use loom::thread;

use crate::affinity::Affinity;
use crate::priority::Priority;
use crate::task_list::TaskIndex;

use self::dispatcher::{Dispatcher, Next};
use self::lock::{Rank, SpinLock};
use self::monitor::{Inside, Look, Monitor, Patience};

/// What the protocols stand on here.
mod lock {
    pub(crate) use hal::sync::Rank;

    /// A lock that loom watches. Lock order is `hal`'s to check.
    #[derive(Debug)]
    pub(crate) struct SpinLock<T>(loom::sync::Mutex<T>);

    impl<T> SpinLock<T> {
        pub(crate) fn new(_rank: Rank, value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }
}

#[allow(clippy::duplicate_mod, dead_code, reason = "the same protocol over another lock")]
#[path = "dispatcher.rs"]
mod dispatcher;
#[allow(clippy::duplicate_mod, dead_code, reason = "the same protocol over another lock")]
#[path = "monitor.rs"]
mod monitor;

/// Tasks on processors of their own, and a count of events that they wait for.
struct Scene {
    dispatcher: Dispatcher,
    events: Monitor<u32>,
}

/// A scene in which a task runs on each of `processors` processors.
fn scene(processors: usize) -> Arc<Scene> {
    let dispatcher = Dispatcher::new(processors, processors as u32).unwrap();
    for processor in 0..processors {
        let task = dispatcher.reserve(Priority::Service, Affinity::Only(processor)).unwrap();
        assert!(dispatcher.admit(task).is_some(), "an idle processor is called");
        assert_eq!(dispatcher.pick(processor), Next::Task(task));
    }
    let events = Monitor::new(SpinLock::new(Rank::WaitQueue, Inside::new(0)));
    Arc::new(Scene { dispatcher, events })
}

impl Scene {
    /// What runs on `processor`.
    fn task(&self, processor: usize) -> TaskIndex {
        self.dispatcher.current(processor).unwrap()
    }

    /// Takes an event, if there is one.
    fn look(&self, task: TaskIndex, patience: Patience) -> Look<()> {
        let take = |events: &mut u32| {
            *events = events.checked_sub(1)?;
            Some(())
        };
        self.events.look(&self.dispatcher, task, patience, take)
    }

    /// As a task on `processor`: waits for an event until it has it (`true`) or
    /// is blocked (`false`).
    fn wait_until_blocked(&self, processor: usize, deadline_ns: Option<u64>) -> bool {
        let task = self.task(processor);
        while self.look(task, Patience::Left) == Look::Waits {
            match self.dispatcher.park(processor, deadline_ns) {
                None => {}
                Some(next) => {
                    assert_eq!(next, Next::Idle);
                    return false;
                }
            }
        }
        true
    }

    /// As somebody else: adds an event.
    fn add_event(&self) {
        let (_, call) = self.events.change_and_wake_one(&self.dispatcher, |events| *events += 1);
        assert!(call.is_none_or(|call| call.processor < 2));
    }
}

/// Runs `test` in every order of events, with few enough preemptions to end.
fn every_order(test: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(test);
}

#[test]
fn no_wake_up_is_lost() {
    every_order(|| {
        let scene = scene(1);
        let other = thread::spawn({
            let scene = scene.clone();
            move || scene.add_event()
        });
        let task = scene.task(0);
        let had_it = scene.wait_until_blocked(0, None);
        other.join().unwrap();
        if !had_it {
            assert_eq!(scene.dispatcher.pick(0), Next::Task(task), "it was woken");
            assert_eq!(scene.look(task, Patience::Left), Look::Holds(()));
        }
    });
}

#[test]
fn two_events_wake_two_tasks() {
    every_order(|| {
        let scene = scene(2);
        let waiter = thread::spawn({
            let scene = scene.clone();
            move || {
                let task = scene.task(1);
                (task, scene.wait_until_blocked(1, None))
            }
        });
        let own = scene.task(0);
        scene.add_event();
        scene.add_event();
        let had_it = scene.wait_until_blocked(0, None);
        let (other, other_had_it) = waiter.join().unwrap();
        for (processor, task, had_it) in [(0, own, had_it), (1, other, other_had_it)] {
            if !had_it {
                assert_eq!(scene.dispatcher.pick(processor), Next::Task(task));
                assert_eq!(scene.look(task, Patience::Left), Look::Holds(()));
            }
        }
    });
}

#[test]
fn deadline_and_event_may_come_together() {
    every_order(|| {
        let scene = scene(1);
        let other = thread::spawn({
            let scene = scene.clone();
            move || scene.add_event()
        });
        let task = scene.task(0);
        let mut has_it = scene.wait_until_blocked(0, Some(5));
        if !has_it {
            // The deadline comes, whether the event has come or not.
            let _ = scene.dispatcher.expire(0, 10);
            assert_eq!(scene.dispatcher.pick(0), Next::Task(task));
            has_it = scene.look(task, Patience::Over) == Look::Holds(());
        }
        other.join().unwrap();
        assert_eq!(scene.dispatcher.earliest_deadline_ns(0), None);
        // Nothing that is left over disturbs the next wait.
        if has_it {
            assert!(!scene.wait_until_blocked(0, None), "there was one event");
        } else {
            assert!(scene.wait_until_blocked(0, None), "the event is still there");
        }
    });
}
