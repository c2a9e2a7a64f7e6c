//! How fast a counter runs, by the PC's interval timer.
//!
//! Channel 2 of the 8254 counts down at 1.193182 MHz from the moment its count is
//! written, if its gate is open. The read-back command holds count and status of
//! one moment for reading; status tells whether 0 has been reached [Intel 8254
//! data sheet, mode 0 and read-back command; IBM PC AT, port 61h]. The gate is
//! opened before: QEMU counts whether it is open or not, and some of its machines
//! have no port for it.
//!
//! # On a busy machine
//!
//! A virtual processor can be stopped between any two instructions, for longer
//! than it runs in between. So no moment is taken for another one: the counter is
//! read before and after each command, which tells how far off a [`Look`] can be
//! at most, and two looks tell how far off the frequency can be at most. Looks
//! are taken until that is little; being stopped between them does no harm.

use core::ops::RangeInclusive;

/// Access to I/O ports.
pub(crate) trait PortAccess {
    /// Reads a byte.
    fn read(&self, port: u16) -> u8;
    /// Writes a byte.
    fn write(&self, port: u16, value: u8);
}

const CHANNEL_2: u16 = 0x42;
const COMMAND: u16 = 0x43;
const CONTROL: u16 = 0x61;

/// Channel 2, low byte then high byte, mode 0: output goes up at 0.
const ONE_SHOT: u8 = 0b1011_0000;
/// Count and status of channel 2 are held: status is read first, then the count.
const READ_BACK: u8 = 0b1100_1000;
/// What status must be while the timer counts: as commanded, output low, and the
/// count has been taken.
const COUNTING: u8 = ONE_SHOT & 0b0011_1111;

/// In the control port: the gate is open.
const GATE: u8 = 1 << 0;
/// In the control port: the speaker hears the output.
const SPEAKER: u8 = 1 << 1;
/// In the control port: the output.
const OUTPUT: u8 = 1 << 5;

/// Counts of the timer in a second.
const TIMER_FREQUENCY: u64 = 1_193_182;
/// What the timer starts with: 55 ms.
const START: u16 = u16::MAX;
/// Counts between two looks, at least: 5 ms.
const LEAST_COUNTS: u16 = (TIMER_FREQUENCY / 200) as u16;
/// How often the timer is started, if the machine is so busy that looks take long.
const TRIES: u32 = 10;
/// A frequency that is off by less than one part in so many is good enough to end
/// with; one that is off by more than one in so few is none.
const GOOD: u64 = 500;
const BAD: u64 = 8;
/// Counts of the counter that are given to the timer, for one that never comes to
/// an end: 50 ms of the fastest there can be. And how often it is looked at, for a
/// counter that stands still.
const MOST_COUNTS: u64 = 1_000_000_000;
const MOST_LOOKS: u32 = 1_000_000;

/// What the timer said, and the counts between which it was asked.
#[derive(Clone, Copy)]
struct Look {
    left: u16,
    before: u64,
    after: u64,
}

/// Counts in a second, by the bounds that are certain.
#[derive(Clone)]
struct Frequency(RangeInclusive<u64>);

/// Counts that `counter` makes in a second; `None` if there is no such timer, or
/// the machine is too busy to tell.
pub(crate) fn measure(ports: &impl PortAccess, counter: impl Fn() -> u64) -> Option<u64> {
    let mut best: Option<Frequency> = None;
    for _ in 0..TRIES {
        best = narrower(best, measure_once(ports, &counter));
        if best.as_ref().is_some_and(|best| best.is_within(GOOD)) {
            break;
        }
    }
    best.filter(|best| best.is_within(BAD)).map(|best| best.middle())
}

fn measure_once(ports: &impl PortAccess, counter: impl Fn() -> u64) -> Option<Frequency> {
    let control = ports.read(CONTROL) & !(SPEAKER | GATE | OUTPUT);
    ports.write(CONTROL, control | GATE);
    ports.write(COMMAND, ONE_SHOT);
    for byte in START.to_le_bytes() {
        ports.write(CHANNEL_2, byte);
    }
    let mut start = look(ports, &counter);
    let mut best = None;
    for _ in 0..MOST_LOOKS {
        let (Some(first), Some(next)) = (start, look(ports, &counter)) else { break };
        if next.after.wrapping_sub(first.before) > MOST_COUNTS {
            break;
        }
        best = narrower(best, Frequency::between(first, next));
        if best.as_ref().is_some_and(|best| best.is_within(GOOD)) {
            break;
        }
        // As long as there is time, a better look is a better start.
        let is_early = START - next.left < LEAST_COUNTS;
        if is_early && next.uncertainty() < first.uncertainty() {
            start = Some(next);
        }
    }
    ports.write(CONTROL, control);
    best
}

/// What the timer says; `None` if it does not count, or has come to its end.
fn look(ports: &impl PortAccess, counter: impl Fn() -> u64) -> Option<Look> {
    let before = counter();
    ports.write(COMMAND, READ_BACK);
    let after = counter();
    let status = ports.read(CHANNEL_2);
    let left = u16::from_le_bytes([ports.read(CHANNEL_2), ports.read(CHANNEL_2)]);
    (status == COUNTING && before <= after).then_some(Look { left, before, after })
}

fn narrower(one: Option<Frequency>, other: Option<Frequency>) -> Option<Frequency> {
    match (one, other) {
        (Some(one), Some(other)) if one.width() <= other.width() => Some(one),
        (one, other) => other.or(one),
    }
}

impl Look {
    /// Counts by which it can be off.
    const fn uncertainty(&self) -> u64 {
        self.after.saturating_sub(self.before)
    }
}

impl Frequency {
    /// By two looks; `None` if too little time lies between them.
    fn between(first: Look, next: Look) -> Option<Self> {
        let passed = first.left.checked_sub(next.left).filter(|it| *it >= LEAST_COUNTS)?;
        let in_a_second = |counts: u64| {
            let scaled = u128::from(counts) * u128::from(TIMER_FREQUENCY);
            u64::try_from(scaled / u128::from(passed)).ok()
        };
        let least = in_a_second(next.before.checked_sub(first.after)?)?;
        let most = in_a_second(next.after.checked_sub(first.before)?)?;
        Some(Self(least..=most))
    }

    fn width(&self) -> u64 {
        self.0.end().saturating_sub(*self.0.start())
    }

    fn middle(&self) -> u64 {
        self.0.start().midpoint(*self.0.end())
    }

    /// Whether the middle is off by less than one part in so many.
    fn is_within(&self, parts: u64) -> bool {
        self.width() / 2 < self.middle() / parts
    }
}

#[cfg(test)]
mod tests;
