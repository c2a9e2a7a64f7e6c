//! Tasks on processors that are threads of the operating system: the whole of
//! it, with the stacks and switches of the kernel.

#![allow(clippy::disallowed_methods, reason = "tests may panic")]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tasks::{
    Affinity, JoinHandle, Platform, Priority, SpawnError, TaskOptions, TaskRegisters, WaitQueue,
};

const PROCESSORS: usize = 2;
const TASKS: u32 = 64;

/// Enough for panics and their messages, too.
const STACK_PAGES: u32 = 64;

/// A machine whose processors are threads.
#[derive(Debug)]
struct Machine {
    start: Instant,
    /// Calls of each processor.
    calls: [(Mutex<bool>, Condvar); PROCESSORS],
    /// How often alarms were set.
    alarms: AtomicUsize,
}

std::thread_local! {
    /// Threads that are no processor have an index that none has.
    static INDEX: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Platform for Machine {
    fn processor(&self) -> usize {
        INDEX.get()
    }

    fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn call(&self, processor: usize) {
        let (called, condition) = &self.calls[processor];
        *called.lock().unwrap() = true;
        condition.notify_all();
    }

    fn set_alarm(&self, deadline_ns: Option<u64>) {
        if deadline_ns.is_some() {
            self.alarms.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn wait(&self) {
        let (called, condition) = &self.calls[INDEX.get()];
        let called = called.lock().unwrap();
        // Deadlines are looked at a thousand times a second.
        let tick = Duration::from_millis(1);
        let (mut called, _) =
            condition.wait_timeout_while(called, tick, |called| !*called).unwrap();
        *called = false;
    }
}

/// The machine, with its processors running tasks.
fn machine() -> &'static Machine {
    static ONCE: Once = Once::new();
    static MACHINE: std::sync::OnceLock<Machine> = std::sync::OnceLock::new();
    let machine = MACHINE.get_or_init(|| Machine {
        start: Instant::now(),
        calls: Default::default(),
        alarms: AtomicUsize::new(0),
    });
    ONCE.call_once(|| {
        tasks::start(machine, PROCESSORS, TASKS).unwrap();
        for index in 0..PROCESSORS {
            thread::spawn(move || {
                INDEX.set(index);
                tasks::run_processor();
            });
        }
    });
    machine
}

fn options(name: &'static str, affinity: Affinity) -> TaskOptions {
    TaskOptions {
        name,
        priority: Priority::Service,
        affinity,
        stack_pages: STACK_PAGES,
        registers: TaskRegisters::Kernel,
    }
}

/// Runs `work` as a task and gives what it gives; fails if that takes longer
/// than a minute.
fn as_a_task<T: Send + 'static>(
    affinity: Affinity,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    machine();
    let (sender, receiver) = mpsc::channel();
    let task = tasks::spawn(options("test", affinity), move || {
        let _ = sender.send(work());
    });
    drop(task.unwrap());
    receiver.recv_timeout(Duration::from_secs(60)).expect("the task has ended")
}

fn spawn<T: Send + 'static>(
    processor: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    tasks::spawn(options("child", Affinity::Only(processor)), work).unwrap()
}

#[test]
fn join_gives_what_the_task_gave() {
    let sum = as_a_task(Affinity::Any, || {
        let children: Vec<_> = (0..10_u64).map(|n| spawn(n as usize % 2, move || n * n)).collect();
        children.into_iter().map(JoinHandle::join).sum::<u64>()
    });
    assert_eq!(sum, 285);
}

#[test]
fn two_tasks_play_ping_pong_over_a_wait_queue() {
    for (home, other) in [(0, 0), (0, 1)] {
        let turns = as_a_task(Affinity::Only(home), move || {
            static BALL: WaitQueue<u32> = WaitQueue::new(0);
            BALL.with(|ball| *ball = 0);
            let player = |parity| {
                move || {
                    for _ in 0..500 {
                        BALL.wait(|ball| (*ball % 2 == parity).then_some(()));
                        BALL.change_and_wake_all(|ball| *ball += 1);
                    }
                }
            };
            let (ping, pong) = (spawn(home, player(0)), spawn(other, player(1)));
            ping.join();
            pong.join();
            BALL.with(|ball| *ball)
        });
        assert_eq!(turns, 1000);
    }
}

#[test]
fn every_event_is_taken_once() {
    static EVENTS: WaitQueue<u32> = WaitQueue::new(0);
    static TAKEN: AtomicUsize = AtomicUsize::new(0);
    as_a_task(Affinity::Any, || {
        let takers: Vec<_> = (0..8)
            .map(|n| {
                spawn(n % 2, || {
                    for _ in 0..200 {
                        EVENTS.wait(|events| {
                            *events = events.checked_sub(1)?;
                            Some(())
                        });
                        TAKEN.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let makers: Vec<_> = (0..4)
            .map(|n| {
                spawn(n % 2, || {
                    for n in 0..400 {
                        EVENTS.change_and_wake_one(|events| *events += 1);
                        if n % 7 == 0 {
                            tasks::yield_now();
                        }
                    }
                })
            })
            .collect();
        makers.into_iter().chain(takers).for_each(JoinHandle::join);
    });
    assert_eq!(TAKEN.load(Ordering::Relaxed), 1600);
    assert_eq!(EVENTS.with(|events| *events), 0);
}

#[test]
fn a_wait_gives_up_at_its_deadline_and_not_before() {
    let machine = machine();
    let (result, waited) = as_a_task(Affinity::Any, || {
        let never: WaitQueue<()> = WaitQueue::new(());
        let begin = machine.now_ns();
        let result = never.wait_until(begin + 20_000_000, |()| None::<()>);
        (result, machine.now_ns() - begin)
    });
    assert_eq!(result, None);
    assert!((20_000_000..10_000_000_000).contains(&waited), "{waited} ns");
    assert!(machine.alarms.load(Ordering::Relaxed) > 0);
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    let machine = machine();
    let order = as_a_task(Affinity::Only(1), || {
        static ORDER: Mutex<Vec<u64>> = Mutex::new(Vec::new());
        let begin = machine.now_ns();
        let sleeper = |ms| {
            spawn(1, move || {
                tasks::sleep_until(begin + ms * 1_000_000);
                ORDER.lock().unwrap().push(ms);
            })
        };
        [30, 10, 20].map(sleeper).into_iter().for_each(JoinHandle::join);
        ORDER.lock().unwrap().clone()
    });
    assert_eq!(order, [10, 20, 30]);
}

#[test]
fn a_tick_ends_the_turn_of_a_task_that_does_not_yield() {
    static STOP: AtomicU64 = AtomicU64::new(0);
    as_a_task(Affinity::Only(0), || {
        let other = spawn(0, || STOP.store(1, Ordering::Relaxed));
        let mut ticks = 0;
        while STOP.load(Ordering::Relaxed) == 0 {
            // What an interrupt's handler does.
            tasks::tick();
            tasks::leave_interrupt();
            ticks += 1;
        }
        assert!(ticks > 0);
        other.join();
    });
}

#[test]
fn nobody_takes_over_while_preemption_is_disabled() {
    as_a_task(Affinity::Only(0), || {
        static RAN: AtomicU64 = AtomicU64::new(0);
        let here = tasks::disable_preemption();
        let urgent =
            TaskOptions { priority: Priority::Urgent, ..options("urgent", Affinity::Only(0)) };
        let other = tasks::spawn(urgent, || RAN.store(1, Ordering::Relaxed)).unwrap();
        tasks::tick();
        tasks::leave_interrupt();
        assert_eq!(RAN.load(Ordering::Relaxed), 0);
        drop(here);
        assert_eq!(RAN.load(Ordering::Relaxed), 1, "it was more urgent");
        assert!(other.has_ended());
        other.join();
    });
}

#[test]
fn ended_tasks_give_everything_back() {
    let resource = Arc::new(());
    let theirs = resource.clone();
    as_a_task(Affinity::Any, move || {
        // More than there are places, some of them nobody joins.
        for n in 0..4 * TASKS as usize {
            let resource = theirs.clone();
            let child = spawn(n % 2, move || resource);
            if n % 3 == 0 {
                drop(child.join());
            } else {
                drop(child);
            }
            tasks::yield_now();
            // The test and this task have one each.
            while n % 16 == 0 && Arc::strong_count(&theirs) > 2 {
                tasks::sleep_until(machine().now_ns() + 1_000_000);
            }
        }
    });
    while Arc::strong_count(&resource) > 1 {
        thread::yield_now();
    }
}

#[test]
fn no_task_on_a_processor_that_is_not_there() {
    machine();
    let refused = tasks::spawn(options("lost", Affinity::Only(PROCESSORS)), || ());
    assert_eq!(refused.unwrap_err(), SpawnError::NoProcessor(PROCESSORS));
}

#[test]
fn tasks_know_their_names() {
    assert_eq!(as_a_task(Affinity::Any, tasks::current_name), Some("test"));
    assert_eq!(tasks::current_name(), None);
}
