//! Frequencies are right, also on machines that are busy with others.

use core::cell::{Cell, RefCell};

use super::*;

/// Nanoseconds that an access takes.
const ACCESS_NS: u64 = 800;
const MILLISECOND_NS: u64 = 1_000_000;
const SECOND_NS: u64 = 1_000_000_000;
/// Counts of the counter in a nanosecond.
const COUNTS: u64 = 3;

/// A machine with a timer; time passes by what is done.
struct Machine {
    now_ns: Cell<u64>,
    /// How long it runs, and how long it is stopped then, by turns.
    runs_ns: u64,
    is_stopped_ns: u64,
    has_control: bool,
    control: Cell<u8>,
    load: Cell<u16>,
    bytes: Cell<u8>,
    started_ns: Cell<Option<u64>>,
    held: RefCell<[u8; 3]>,
}

impl Machine {
    fn new(runs_ns: u64, is_stopped_ns: u64) -> Self {
        Self {
            now_ns: Cell::new(0),
            runs_ns,
            is_stopped_ns,
            has_control: true,
            control: Cell::default(),
            load: Cell::default(),
            bytes: Cell::default(),
            started_ns: Cell::default(),
            held: RefCell::default(),
        }
    }

    fn pass(&self, ns: u64) {
        let now = self.now_ns.get() + ns;
        let turn = self.runs_ns + self.is_stopped_ns;
        let stopped = if now % turn >= self.runs_ns { turn - now % turn } else { 0 };
        self.now_ns.set(now + stopped);
    }

    fn count(&self) -> u64 {
        self.pass(10);
        self.now_ns.get() * COUNTS
    }

    fn measure(&self) -> Option<u64> {
        measure(self, || self.count())
    }

    fn hold(&self) {
        let load = u64::from(self.load.get());
        let passed = self
            .started_ns
            .get()
            .map_or(0, |start| (self.now_ns.get() - start) * TIMER_FREQUENCY / SECOND_NS);
        let output = if passed >= load { 1 << 7 } else { 0 };
        let [low, high] = (load.wrapping_sub(passed) as u16).to_le_bytes();
        *self.held.borrow_mut() = [output | 0x30, low, high];
    }
}

impl PortAccess for Machine {
    fn read(&self, port: u16) -> u8 {
        self.pass(ACCESS_NS);
        match port {
            CHANNEL_2 => {
                let mut held = self.held.borrow_mut();
                held.rotate_left(1);
                held[2]
            }
            CONTROL if self.has_control => self.control.get(),
            CONTROL => u8::MAX,
            _ => panic!("read of port {port:#x}"),
        }
    }

    fn write(&self, port: u16, value: u8) {
        // The device acts in the middle of what the access takes.
        self.pass(ACCESS_NS / 2);
        match port {
            CHANNEL_2 => {
                self.load.set(self.load.get() >> 8 | u16::from(value) << 8);
                self.bytes.set(self.bytes.get() + 1);
                let is_loaded = self.bytes.get() == 2;
                self.started_ns.set(is_loaded.then(|| self.now_ns.get()));
            }
            COMMAND if value == ONE_SHOT => {
                self.bytes.set(0);
                self.started_ns.set(None);
            }
            COMMAND => {
                assert_eq!(value, READ_BACK);
                self.hold();
            }
            CONTROL => self.control.set(value),
            _ => panic!("write to port {port:#x}"),
        }
        self.pass(ACCESS_NS / 2);
    }
}

/// The frequency is right, but for one part in `parts`.
fn is_right(machine: &Machine, parts: u64) {
    let expected = COUNTS * SECOND_NS;
    let found = machine.measure().unwrap_or(0);
    assert!(found.abs_diff(expected) <= expected / parts, "{found}");
    assert_eq!(machine.control.get() & GATE, 0);
}

#[test]
fn counts_while_the_timer_runs() {
    let machine = Machine::new(SECOND_NS, 0);
    is_right(&machine, GOOD);
    assert!(machine.now_ns.get() < 6 * MILLISECOND_NS, "no longer than it takes");
}

#[test]
fn the_gate_needs_no_port() {
    let machine = Machine { has_control: false, ..Machine::new(SECOND_NS, 0) };
    is_right(&machine, GOOD);
}

/// Whatever was measured while the processor is stopped for longer than it runs
/// would be many times too much.
#[test]
fn being_stopped_does_no_harm() {
    for (runs_us, is_stopped_ms) in
        [(3000, 42), (500, 30), (4000, 50), (100, 7), (50, 20), (2000, 100), (1000, 400)]
    {
        let machine = Machine::new(runs_us * 1000, is_stopped_ms * MILLISECOND_NS);
        // Those that are stopped for longer than the timer runs need luck.
        match machine.measure() {
            None => assert!(is_stopped_ms > 50, "{runs_us} µs, {is_stopped_ms} ms"),
            Some(_) => is_right(&machine, BAD),
        }
    }
}

/// Looks that take long give a rough frequency rather than none.
#[test]
fn slow_accesses_are_good_enough() {
    for slow_us in [10, 100, 400] {
        // Stopped in each access.
        let machine = Machine::new(ACCESS_NS / 2 + 20, slow_us * 1000);
        is_right(&machine, 50);
    }
}

#[test]
fn no_timer_no_frequency() {
    struct Constant(u8);
    impl PortAccess for Constant {
        fn read(&self, _: u16) -> u8 {
            self.0
        }
        fn write(&self, _: u16, _: u8) {}
    }
    for value in [0, COUNTING, u8::MAX] {
        assert_eq!(measure(&Constant(value), || 1), None);
    }
    let time = Cell::new(0);
    let counter = || {
        time.set(time.get() + 1000);
        time.get()
    };
    assert_eq!(measure(&Constant(COUNTING), counter), None, "a timer that stands still");
    let machine = Machine::new(SECOND_NS, 0);
    let goes_back = || u64::MAX / 2 - machine.count();
    assert_eq!(measure(&machine, goes_back), None, "a counter that goes back");
    let machine = Machine::new(SECOND_NS, 0);
    assert_eq!(measure(&machine, || 1), None, "a counter that stands still");
}
