//! How much the guest executed between marks.
//!
//! A guest sets a mark by writing a number to port [`MARK`], which no device of
//! a PC has. What counts is the time stamp counter while the guest has the
//! processor, without what entering and leaving it costs: with QEMU's
//! `-icount shift=0` that is the number of its instructions.

use alloc::vec::Vec;

/// The port that takes marks: any width, the number is what is written.
pub const MARK: u16 = 0xe8;

/// Most marks that are kept.
const MOST_MARKS: usize = 4096;

/// The marks of a run.
#[derive(Debug, Default)]
pub struct Marks {
    /// Ticks of one entry and exit without any instruction of the guest.
    switch: Option<u64>,
    /// What the guest has executed so far.
    executed: u64,
    /// Numbers, each with what had been executed then.
    marks: Vec<(u32, u64)>,
}

impl Marks {
    /// Whether the cost of entering and leaving the guest is known.
    #[must_use]
    pub const fn is_calibrated(&self) -> bool {
        self.switch.is_some()
    }

    /// Notes the cost of an entry that the guest has left before its first
    /// instruction.
    pub const fn calibrate(&mut self, ticks: u64) {
        self.switch = Some(ticks);
    }

    /// Notes an entry and exit that took so many ticks; those of them that were
    /// the guest's.
    pub fn add(&mut self, ticks: u64) -> u64 {
        let own = ticks.saturating_sub(self.switch.unwrap_or(0));
        self.executed += own;
        own
    }

    /// The guest sets a mark. Those beyond the first 4096 are lost.
    pub fn set(&mut self, number: u32) {
        if self.marks.len() < MOST_MARKS {
            self.marks.push((number, self.executed));
        }
    }

    /// All that the guest has executed.
    #[must_use]
    pub const fn executed(&self) -> u64 {
        self.executed
    }

    /// Each mark and the next one, with what was executed between them.
    pub fn intervals(&self) -> impl Iterator<Item = (u32, u32, u64)> + '_ {
        self.marks.windows(2).filter_map(|pair| match pair {
            [(from, start), (to, end)] => Some((*from, *to, end - start)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_do_not_count() {
        let mut marks = Marks::default();
        assert!(!marks.is_calibrated());
        marks.calibrate(100);
        assert!(marks.is_calibrated());
        assert_eq!(marks.add(150), 50);
        marks.set(7);
        assert_eq!(marks.add(100), 0);
        assert_eq!(marks.add(130), 30);
        marks.set(8);
        marks.set(9);
        assert!(marks.intervals().eq([(7, 8, 30), (8, 9, 0)]));
        assert_eq!(marks.executed(), 80);
        // Less than a switch cannot be, but must not wrap.
        assert_eq!(marks.add(3), 0);
        assert_eq!(marks.executed(), 80);
    }

    #[test]
    fn one_mark_has_no_interval_and_too_many_are_lost() {
        let mut marks = Marks::default();
        marks.set(1);
        assert_eq!(marks.intervals().count(), 0);
        for number in 0..2 * MOST_MARKS as u32 {
            marks.set(number);
        }
        assert_eq!(marks.intervals().count(), MOST_MARKS - 1);
    }
}
