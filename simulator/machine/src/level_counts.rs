//! What each privilege level has executed, and what its calls have cost the
//! most privileged one.
//!
//! A level calls by having the hypervisor run VMPL0; the call has ended when
//! VMPL0 has a lower level run again. RAX says which call it is [SVSM 58019 §4].
//! As with [`Marks`](crate::Marks), ticks are instructions with QEMU's `-icount
//! shift=0`.

use abi_snp::Vmpl;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Most calls that are kept: the latest ones.
const MOST_CALLS: usize = 32;

/// What a level has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelCount {
    /// Ticks while it had the processor.
    pub executed: u64,
    /// How often it asked the hypervisor for something, with VMGEXIT.
    pub requests: u64,
}

impl LevelCount {
    const ZERO: Self = Self { executed: 0, requests: 0 };

    fn since(self, earlier: Self) -> Self {
        Self {
            executed: self.executed - earlier.executed,
            requests: self.requests - earlier.requests,
        }
    }
}

/// A call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelCall {
    /// RAX of the caller.
    pub rax: u64,
    /// What VMPL0 did for it on the caller's processor, the request with which it
    /// ended the call included.
    pub cost: LevelCount,
}

/// Counts of all levels of all processors.
#[derive(Debug)]
pub struct LevelCounts {
    levels: [LevelCount; 4],
    /// What VMPL0 had executed when a lower level first ran.
    before_others: Option<LevelCount>,
    /// By processor: the most privileged level.
    processors: Vec<Processor>,
    calls: VecDeque<LevelCall>,
}

#[derive(Clone, Copy, Debug)]
struct Processor {
    /// All that VMPL0 did there.
    most_privileged: LevelCount,
    /// The call that it serves: RAX, and what it had done before.
    call: Option<(u64, LevelCount)>,
}

impl LevelCounts {
    /// Nothing has run on any of `processors`.
    #[must_use]
    pub fn new(processors: usize) -> Self {
        let idle = Processor { most_privileged: LevelCount::ZERO, call: None };
        Self {
            levels: [LevelCount::ZERO; 4],
            before_others: None,
            processors: alloc::vec![idle; processors],
            calls: VecDeque::new(),
        }
    }

    /// A level had a processor for so many ticks.
    pub fn ran(&mut self, processor: usize, level: Vmpl, ticks: u64) {
        if level != Vmpl::Vmpl0 {
            self.before_others.get_or_insert(self.levels[0]);
        }
        self.count(processor, level, |count| count.executed += ticks);
    }

    /// A level asks the hypervisor for something.
    pub fn asked(&mut self, processor: usize, level: Vmpl) {
        self.count(processor, level, |count| count.requests += 1);
    }

    /// Another level is to run on a processor, as `from` has asked for, with RAX.
    pub fn switched(&mut self, processor: usize, from: Vmpl, to: Vmpl, rax: u64) {
        let Some(processor) = self.processors.get_mut(processor) else { return };
        match (from, to) {
            (Vmpl::Vmpl0, _) => {
                let Some((rax, before)) = processor.call.take() else { return };
                if self.calls.len() == MOST_CALLS {
                    self.calls.pop_front();
                }
                let cost = processor.most_privileged.since(before);
                self.calls.push_back(LevelCall { rax, cost });
            }
            (_, Vmpl::Vmpl0) => processor.call = Some((rax, processor.most_privileged)),
            _ => {}
        }
    }

    /// By level, those that have run.
    pub fn levels(&self) -> impl Iterator<Item = (Vmpl, LevelCount)> + '_ {
        Vmpl::ALL.into_iter().zip(self.levels).filter(|(_, count)| *count != LevelCount::ZERO)
    }

    /// What VMPL0 did on all processors before a lower level ran for the first
    /// time, if one has.
    #[must_use]
    pub const fn before_others(&self) -> Option<LevelCount> {
        self.before_others
    }

    /// The latest 32 calls that have ended, the last one last.
    pub fn calls(&self) -> impl Iterator<Item = LevelCall> + '_ {
        self.calls.iter().copied()
    }

    fn count(&mut self, processor: usize, level: Vmpl, change: impl Fn(&mut LevelCount)) {
        if level == Vmpl::Vmpl0
            && let Some(processor) = self.processors.get_mut(processor)
        {
            change(&mut processor.most_privileged);
        }
        change(&mut self.levels[usize::from(level.number())]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOP: Vmpl = Vmpl::Vmpl0;
    const GUEST: Vmpl = Vmpl::Vmpl2;

    #[test]
    fn a_call_costs_what_the_top_does_until_it_ends() {
        let mut counts = LevelCounts::new(2);
        counts.ran(0, TOP, 1000);
        assert_eq!(counts.before_others(), None);
        counts.asked(0, TOP);
        counts.switched(0, TOP, GUEST, 7);
        counts.ran(0, GUEST, 50);
        counts.asked(0, GUEST);
        counts.switched(0, GUEST, TOP, 5);
        counts.ran(0, TOP, 30);
        // What others do meanwhile is theirs.
        counts.ran(1, TOP, 500);
        counts.ran(1, GUEST, 500);
        counts.asked(1, TOP);
        counts.ran(0, TOP, 4);
        counts.asked(0, TOP);
        counts.switched(0, TOP, GUEST, 9);
        let of = |executed, requests| LevelCount { executed, requests };
        assert!(counts.calls().eq([LevelCall { rax: 5, cost: of(34, 1) }]));
        assert_eq!(counts.before_others(), Some(of(1000, 1)));
        let levels: Vec<_> = counts.levels().collect();
        assert_eq!(levels, [(TOP, of(1534, 3)), (GUEST, of(550, 1))]);
    }

    #[test]
    fn the_latest_calls_are_kept() {
        let mut counts = LevelCounts::new(1);
        for rax in 0..100 {
            counts.switched(0, GUEST, TOP, rax);
            counts.switched(0, TOP, GUEST, 0);
        }
        assert!(counts.calls().map(|call| call.rax).eq(68..100));
    }

    #[test]
    fn switches_without_the_top_are_no_calls() {
        let mut counts = LevelCounts::new(1);
        counts.switched(0, GUEST, Vmpl::Vmpl3, 1);
        counts.switched(0, TOP, GUEST, 1);
        counts.switched(9, GUEST, TOP, 1);
        counts.ran(9, TOP, 3);
        assert_eq!(counts.calls().count(), 0);
        assert!(counts.levels().eq([(TOP, LevelCount { executed: 3, requests: 0 })]));
    }
}
