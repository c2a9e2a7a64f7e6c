//! How fast a counter runs, by the PC's interval timer.
//!
//! Channel 2 of the 8254 counts down at 1.193182 MHz from the moment its count is
//! written, if its gate is open, and its output shows in port 0x61 when it has
//! reached 0 [Intel 8254 data sheet, mode 0; IBM PC AT, port 61h]. The gate is
//! opened before: QEMU counts whether it is open or not.

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
/// In the control port: the gate is open.
const GATE: u8 = 1 << 0;
/// In the control port: the speaker hears the output.
const SPEAKER: u8 = 1 << 1;
/// In the control port: the output.
const OUTPUT: u8 = 1 << 5;

/// Counts of the timer in a second.
const TIMER_FREQUENCY: u64 = 1_193_182;
/// Counts that are waited for: 5 ms.
const COUNTS: u16 = (TIMER_FREQUENCY / 200) as u16;
/// How many results are compared. What comes in between makes one too great,
/// never too small, so the smallest is the best.
const RESULTS: usize = 3;
/// How often it is tried, if the machine is so busy that tries fail.
const TRIES: u32 = 10;
/// How often the output is looked at, at most; and counts of the counter that are
/// given to the timer: 50 ms of the fastest there can be.
const MOST_READS: u32 = 1_000_000;
const MOST_COUNTS: u64 = 1_000_000_000;

/// Counts that `counter` makes in a second; `None` if there is no such timer.
pub(crate) fn measure(ports: &impl PortAccess, counter: impl Fn() -> u64) -> Option<u64> {
    (0..TRIES).filter_map(|_| measure_once(ports, &counter)).take(RESULTS).min()
}

fn measure_once(ports: &impl PortAccess, counter: impl Fn() -> u64) -> Option<u64> {
    let control = ports.read(CONTROL) & !(SPEAKER | GATE | OUTPUT);
    ports.write(CONTROL, control | GATE);
    ports.write(COMMAND, ONE_SHOT);
    let [low, high] = COUNTS.to_le_bytes();
    ports.write(CHANNEL_2, low);
    // The command has made the output low. A port without a timer reads as ones.
    if ports.read(CONTROL) & OUTPUT != 0 {
        ports.write(CONTROL, control);
        return None;
    }
    let start = counter();
    ports.write(CHANNEL_2, high);
    let is_over = (0..MOST_READS)
        .take_while(|_| counter().wrapping_sub(start) <= MOST_COUNTS)
        .any(|_| ports.read(CONTROL) & OUTPUT != 0);
    let counts = counter().checked_sub(start)?;
    ports.write(CONTROL, control);
    if !is_over {
        return None;
    }
    let per_second = u128::from(counts) * u128::from(TIMER_FREQUENCY) / u128::from(COUNTS);
    u64::try_from(per_second).ok()
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    /// A timer whose counts pass by being looked at; a counter makes 2000 in each.
    #[derive(Default)]
    struct Model {
        control: Cell<u8>,
        load: Cell<u16>,
        bytes: Cell<u8>,
        time: Cell<u64>,
        started: Cell<Option<u64>>,
    }

    impl PortAccess for Model {
        fn read(&self, port: u16) -> u8 {
            assert_eq!(port, CONTROL);
            self.time.set(self.time.get() + 1);
            let over = self
                .started
                .get()
                .is_some_and(|start| self.time.get() - start >= self.load.get().into());
            self.control.get() | if over { OUTPUT } else { 0 }
        }

        fn write(&self, port: u16, value: u8) {
            match port {
                CHANNEL_2 => {
                    self.load.set(self.load.get() >> 8 | u16::from(value) << 8);
                    self.bytes.set(self.bytes.get() + 1);
                    let is_loaded = self.bytes.get() == 2 && self.control.get() & GATE != 0;
                    self.started.set(is_loaded.then(|| self.time.get()));
                }
                COMMAND => {
                    assert_eq!(value, ONE_SHOT);
                    self.bytes.set(0);
                    self.started.set(None);
                }
                CONTROL => self.control.set(value),
                _ => panic!("write to port {port:#x}"),
            }
        }
    }

    #[test]
    fn counts_while_the_timer_runs() {
        let model = Model::default();
        let frequency = measure(&model, || model.time.get() * 2000).unwrap_or(0);
        let expected = TIMER_FREQUENCY * 2000;
        assert!(frequency.abs_diff(expected) < expected / 1000, "{frequency}");
        assert_eq!(model.control.get() & GATE, 0);
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
        for value in [0, u8::MAX] {
            assert_eq!(measure(&Constant(value), || 1), None);
        }
        // A counter that goes back.
        let model = Model::default();
        assert_eq!(measure(&model, || 1_000_000 - model.time.get()), None);
    }
}
