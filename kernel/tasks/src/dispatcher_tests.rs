//! The dispatcher against a plain model of it.

extern crate std;

use std::collections::{BTreeSet, VecDeque};
use std::vec::Vec;

use proptest::prelude::*;

use crate::affinity::Affinity;
use crate::dispatcher::{Call, Dispatcher, Next, Refused, Turn};
use crate::priority::Priority;
use crate::task_list::TaskIndex;

const PROCESSORS: usize = 2;
const TASKS: u32 = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Ready,
    Running,
    Blocked(Option<u64>),
    Ended,
}

#[derive(Clone, Copy, Debug)]
struct Task {
    state: State,
    home: usize,
    priority: Priority,
    token: bool,
}

/// What the dispatcher should do, in the simplest words.
struct Model {
    tasks: Vec<Task>,
    /// Ready tasks of all processors and priorities, in the order of turns.
    ready: VecDeque<usize>,
}

impl Model {
    fn new() -> Self {
        let free = Task { state: State::Free, home: 0, priority: Priority::Guest, token: false };
        Self { tasks: std::vec![free; TASKS as usize], ready: VecDeque::new() }
    }

    fn current(&self, processor: usize) -> Option<usize> {
        self.tasks.iter().position(|t| t.home == processor && t.state == State::Running)
    }

    /// The ready task of `processor` that is to run next.
    fn first(&self, processor: usize) -> Option<usize> {
        let own = self.ready.iter().copied().filter(|t| self.tasks[*t].home == processor);
        // The first of the highest: `max_by_key` would give the last.
        own.rev().max_by_key(|t| self.tasks[*t].priority)
    }

    fn pick(&mut self, processor: usize) -> Next {
        match self.first(processor) {
            None => Next::Idle,
            Some(task) => {
                self.ready.retain(|other| *other != task);
                self.tasks[task].state = State::Running;
                Next::Task(TaskIndex(task as u32))
            }
        }
    }

    fn make_ready(&mut self, task: usize) -> Option<Call> {
        let Task { home, priority, .. } = self.tasks[task];
        self.tasks[task].state = State::Ready;
        self.ready.push_back(task);
        let lower = |current: usize| self.tasks[current].priority < priority;
        self.current(home).is_none_or(lower).then_some(Call { processor: home })
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit(u8, Option<usize>),
    Pick(usize),
    Turn(usize, bool),
    Park(usize, Option<u64>),
    Wake(u32),
    Expire(usize, u64),
    End(usize),
    Release(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let processor = || 0..PROCESSORS;
    prop_oneof![
        (0_u8..4, proptest::option::of(0..=PROCESSORS)).prop_map(|(p, a)| Step::Admit(p, a)),
        processor().prop_map(Step::Pick),
        (processor(), any::<bool>()).prop_map(|(p, over)| Step::Turn(p, over)),
        (processor(), proptest::option::of(0_u64..20)).prop_map(|(p, d)| Step::Park(p, d)),
        (0..TASKS).prop_map(Step::Wake),
        (processor(), 0_u64..20).prop_map(|(p, now)| Step::Expire(p, now)),
        processor().prop_map(Step::End),
        (0..TASKS).prop_map(Step::Release),
    ]
}

fn admit(dispatcher: &Dispatcher, model: &mut Model, priority: u8, only: Option<usize>) {
    let priority = Priority::from_number(priority);
    let affinity = only.map_or(Affinity::Any, Affinity::Only);
    let taken = |processor| {
        let used = |t: &&Task| t.home == processor && t.state != State::Free;
        model.tasks.iter().filter(used).count()
    };
    let home = only.unwrap_or_else(|| (0..PROCESSORS).min_by_key(|p| taken(*p)).unwrap());
    let task = match dispatcher.reserve(priority, affinity) {
        Err(Refused::Processor(index)) => {
            assert_eq!((Some(index), index), (only, PROCESSORS));
            return;
        }
        Err(Refused::Full) => {
            assert!(model.tasks.iter().all(|t| t.state != State::Free));
            return;
        }
        Ok(task) => task,
    };
    assert_eq!(model.tasks[task.place()].state, State::Free);
    model.tasks[task.place()] = Task { state: State::Free, home, priority, token: false };
    assert_eq!(dispatcher.admit(task), model.make_ready(task.place()));
}

fn turn(dispatcher: &Dispatcher, model: &mut Model, processor: usize, over: bool) {
    let turn = if over { Turn::Over } else { Turn::Interrupted };
    let expected =
        model.current(processor).zip(model.first(processor)).and_then(|(current, first)| {
            let (own, other) = (model.tasks[current].priority, model.tasks[first].priority);
            (other > own || over && other == own).then_some(current)
        });
    let expected = expected.map(|current| {
        model.tasks[current].state = State::Ready;
        if over {
            model.ready.push_back(current);
        } else {
            model.ready.push_front(current);
        }
        model.pick(processor)
    });
    assert_eq!(dispatcher.turn(processor, turn), expected);
}

fn expire(dispatcher: &Dispatcher, model: &mut Model, processor: usize, now_ns: u64) {
    let due = |(task, t): (usize, &Task)| match t.state {
        State::Blocked(Some(at)) if t.home == processor && at <= now_ns => Some((at, task)),
        _ => None,
    };
    let due: BTreeSet<_> = model.tasks.iter().enumerate().filter_map(due).collect();
    let calls = due.into_iter().filter_map(|(_, task)| model.make_ready(task)).last();
    assert_eq!(dispatcher.expire(processor, now_ns), calls);
}

fn take(dispatcher: &Dispatcher, model: &mut Model, step: Step) {
    match step {
        Step::Admit(priority, only) => admit(dispatcher, model, priority, only),
        Step::Pick(processor) => {
            if model.current(processor).is_none() {
                assert_eq!(dispatcher.pick(processor), model.pick(processor));
            }
        }
        Step::Turn(processor, over) => turn(dispatcher, model, processor, over),
        Step::Park(processor, deadline_ns) => {
            let Some(current) = model.current(processor) else { return };
            let expected = if model.tasks[current].token {
                None
            } else {
                model.tasks[current].state = State::Blocked(deadline_ns);
                Some(model.pick(processor))
            };
            assert_eq!(dispatcher.park(processor, deadline_ns), expected);
            if expected.is_none() {
                dispatcher.get_ready_to_wait(TaskIndex(current as u32));
                model.tasks[current].token = false;
            }
        }
        Step::Wake(task) => {
            let place = task as usize;
            let expected = match model.tasks[place].state {
                State::Free | State::Ended => return,
                State::Blocked(_) => model.make_ready(place),
                State::Ready | State::Running => {
                    model.tasks[place].token = true;
                    None
                }
            };
            assert_eq!(dispatcher.wake(TaskIndex(task)), expected);
        }
        Step::Expire(processor, now_ns) => expire(dispatcher, model, processor, now_ns),
        Step::End(processor) => {
            let Some(current) = model.current(processor) else { return };
            model.tasks[current].state = State::Ended;
            assert_eq!(dispatcher.end(processor), model.pick(processor));
        }
        Step::Release(task) => {
            let place = task as usize;
            if model.tasks[place].state == State::Ended {
                model.tasks[place].state = State::Free;
                dispatcher.release(TaskIndex(task));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn does_what_the_model_does(steps in proptest::collection::vec(step(), 0..150)) {
        let dispatcher = Dispatcher::new(PROCESSORS, TASKS).unwrap();
        let mut model = Model::new();
        for step in steps {
            take(&dispatcher, &mut model, step);
            for processor in 0..PROCESSORS {
                let current = model.current(processor).map(|task| TaskIndex(task as u32));
                prop_assert_eq!(dispatcher.current(processor), current);
                let deadlines = model.tasks.iter().filter_map(|t| match t.state {
                    State::Blocked(deadline_ns) if t.home == processor => deadline_ns,
                    _ => None,
                });
                prop_assert_eq!(dispatcher.earliest_deadline_ns(processor), deadlines.min());
            }
        }
    }
}

#[test]
#[should_panic(expected = "an idle processor does not wait")]
fn nobody_cannot_wait() {
    let _ = Dispatcher::new(1, 1).unwrap().park(0, None);
}

#[test]
#[should_panic(expected = "is Running")]
fn a_running_task_keeps_its_place() {
    let dispatcher = Dispatcher::new(1, 1).unwrap();
    let task = dispatcher.reserve(Priority::Guest, Affinity::Any).unwrap();
    let _ = dispatcher.admit(task);
    let _ = dispatcher.pick(0);
    dispatcher.release(task);
}
