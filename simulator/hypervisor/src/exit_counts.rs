//! How often guests exited, by reason.

use core::fmt;

use abi_svm::ExitCode;

/// Most different reasons that are told apart; processors have some 160.
const KINDS: usize = 192;

/// Counts of exits, in the order of their codes.
pub(crate) struct ExitCounts {
    /// The first `used` are in use.
    counts: [(ExitCode, u64); KINDS],
    used: usize,
    /// Exits of kinds for which there was no room.
    others: u64,
}

impl ExitCounts {
    /// No exits.
    pub(crate) const fn new() -> Self {
        Self { counts: [(ExitCode::INVALID, 0); KINDS], used: 0, others: 0 }
    }

    /// Counts one exit.
    pub(crate) fn count(&mut self, code: ExitCode) {
        match self.used().binary_search_by_key(&code, |(code, _)| *code) {
            Ok(place) => self.counts[place].1 += 1,
            Err(place) if self.used < KINDS => {
                self.used += 1;
                self.counts[place..self.used].rotate_right(1);
                self.counts[place] = (code, 1);
            }
            Err(_) => self.others += 1,
        }
    }

    /// Exits for this reason.
    pub(crate) fn of(&self, code: ExitCode) -> u64 {
        let found = self.used().iter().find(|(counted, _)| *counted == code);
        found.map_or(0, |(_, count)| *count)
    }

    /// Reasons with their counts, in the order of their codes; those that had
    /// no room are left out.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ExitCode, u64)> {
        self.used().iter().copied()
    }

    fn used(&self) -> &[(ExitCode, u64)] {
        &self.counts[..self.used]
    }
}

impl fmt::Display for ExitCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>10}  exit", "count")?;
        for (code, count) in self.used() {
            write!(f, "\n{count:>10}  {:#05x} {code}", code.0)?;
        }
        if self.others != 0 {
            write!(f, "\n{:>10}  others", self.others)?;
        }
        Ok(())
    }
}
