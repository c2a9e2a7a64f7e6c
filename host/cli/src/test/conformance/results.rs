//! What the guest says about its checks.

use anyhow::{Result, bail};

use crate::jobs::Counts;

/// What became of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Results {
    /// How many passed, failed and were skipped.
    pub(super) counts: Counts,
    /// Whether the guest came to the end of them.
    pub(super) complete: bool,
}

/// Reads the lines `ok NAME`, `FAIL NAME: …` and `skip NAME: …`, and the sum at
/// the end: `N passed, N failed`.
///
/// # Errors
///
/// The sum is another one than that of the lines.
pub(super) fn results(console: &str) -> Result<Results> {
    let lines = |start: &str| console.lines().filter(|line| line.starts_with(start)).count();
    let (passed, failed, skipped) = (lines("ok "), lines("FAIL "), lines("skip "));
    let counts = Counts { passed, failed, skipped };
    let sum = format!("{passed} passed, {failed} failed");
    let last = console.lines().rev().find(|line| line.contains(" passed, "));
    match last {
        Some(last) if last != sum => bail!("the guest counts `{last}`, its lines are {sum}"),
        _ => Ok(Results { counts, complete: last.is_some() }),
    }
}

/// The endings in the guest's list, each with the number of processors that it
/// takes.
pub(super) fn endings(console: &str) -> impl Iterator<Item = (&str, u32)> {
    console.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" (")?;
        Some((name, rest.strip_suffix(" processors)")?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::{endings, results};
    use crate::jobs::Counts;

    #[test]
    fn lines_are_counted() {
        let console = "SEV-SNP conformance\nok a/b\nFAIL c: expected 1, got 2\n  so it is\n\
                       skip d: not there\nok e\n2 passed, 1 failed\n";
        let found = results(console).unwrap();
        assert_eq!(found.counts, Counts { passed: 2, failed: 1, skipped: 1 });
        assert!(found.complete);
    }

    #[test]
    fn a_guest_that_stops_is_not_complete() {
        let found = results("ok a\nok b\n").unwrap();
        assert_eq!((found.counts.passed, found.complete), (2, false));
        assert!(!results("").unwrap().complete);
    }

    #[test]
    fn a_wrong_sum_is_an_error() {
        assert!(results("ok a\n2 passed, 0 failed\n").is_err());
        assert!(results("ok a\nFAIL b: c\n2 passed, 0 failed\n").is_err());
    }

    #[test]
    fn endings_have_names_and_processors() {
        let console = "free memory: 1 KiB\nlevel-reads (1 processors)\ntwo (2 processors)\nx (y)\n";
        let found: Vec<_> = endings(console).collect();
        assert_eq!(found, [("level-reads", 1), ("two", 2)]);
    }
}
