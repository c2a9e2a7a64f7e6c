//! What the kernel says about its tests; see `kernel/trials/src/runner.rs`.

use crate::jobs::Counts;

/// What became of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trials {
    /// How many passed and failed.
    pub(super) counts: Counts,
    /// How many there were to be.
    pub(super) announced: usize,
    /// Whether the kernel came to the end of them.
    pub(super) complete: bool,
}

/// Reads `running N tests`, the lines `test NAME ... ok` and `test NAME ...
/// FAILED: …`, and the result at the end. What a test prints may stand between
/// its name and its verdict.
pub(super) fn trials(console: &str) -> Trials {
    let mut trials = Trials { counts: Counts::default(), announced: 0, complete: false };
    let mut pending = false;
    for line in console.lines() {
        if let Some(number) = line.strip_prefix("running ").and_then(|l| l.strip_suffix(" tests")) {
            trials.announced = number.parse().unwrap_or_default();
        }
        pending |= line.starts_with("test ") && line.contains(" ... ");
        let verdict = line.rsplit_once(" ... ").map_or(line, |(_, verdict)| verdict);
        if pending && verdict == "ok" {
            trials.counts.passed += 1;
            pending = false;
        } else if pending && verdict.starts_with("FAILED: ") {
            trials.counts.failed += 1;
            pending = false;
        }
        trials.complete |= line.starts_with("test result: ");
    }
    trials
}

/// How many processors run, by the line `processors: N`.
pub(super) fn processors(console: &str) -> Option<u32> {
    console.lines().find_map(|line| line.strip_prefix("processors: ")?.parse().ok())
}

/// The names in the list of endings.
pub(super) fn endings(console: &str) -> impl Iterator<Item = &str> {
    console.lines().filter_map(|line| line.strip_prefix("ending "))
}

/// How the kernel said that it must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Announced {
    /// The reason's code.
    pub(super) code: u8,
    /// Whether it said that reason in words when it stopped.
    pub(super) said: bool,
}

/// Reads `ending NAME must stop with CODE: REASON`, and looks for `stopped:
/// REASON` behind it.
pub(super) fn announced(console: &str) -> Option<Announced> {
    let mut lines = console.lines();
    let line = lines.find(|line| line.starts_with("ending "))?;
    let (code, reason) = line.split_once(" must stop with 0x")?.1.split_once(": ")?;
    let said = lines.any(|line| line.strip_prefix("stopped: ") == Some(reason));
    Some(Announced { code: u8::from_str_radix(code, 16).ok()?, said })
}

/// Whether a fault's report names the function that it was in and its caller.
pub(super) fn has_callers(console: &str) -> bool {
    // Number, address, function and offset.
    let frame =
        |start: &str| console.lines().any(|line| line.starts_with(start) && line.contains("+0x"));
    frame("#0 ") && frame("#1 ")
}

#[cfg(test)]
mod tests {
    use super::{Announced, announced, endings, has_callers, processors, trials};
    use crate::jobs::Counts;

    #[test]
    fn verdicts_are_counted() {
        let console = "boot\nrunning 3 tests\ntest a ... ok\ntest b ... \n  found 1\nFAILED: b (x:1)\n\
                       test c ... noise\nok\ntest result: FAILED. 2 passed; 1 failed; 0 ignored\n";
        let found = trials(console);
        assert_eq!(found.counts, Counts { passed: 2, failed: 1, skipped: 0 });
        assert_eq!((found.announced, found.complete), (3, true));
    }

    #[test]
    fn a_kernel_that_stops_is_not_complete() {
        let found = trials("running 9 tests\ntest a ... ok\ntest b ... panicked\nstopped: panic\n");
        assert_eq!((found.counts, found.announced), (Counts::passed(1), 9));
        assert!(!found.complete);
        assert!(!trials("").complete);
        // An `ok` that belongs to no test counts nothing.
        assert_eq!(trials("ok\n").counts, Counts::default());
    }

    #[test]
    fn processors_are_counted() {
        assert_eq!(processors("[ 0.1] info: processors: 3\nprocessors: 4\n"), Some(4));
        assert_eq!(processors("processors: all\n"), None);
    }

    #[test]
    fn callers_have_names() {
        let console = "panicked\n#0  ffffffff80001234 a::b+0x17\n#1  ffffffff80002345 c+0x2\n";
        assert!(has_callers(console));
        assert!(!has_callers(&console.replace("#1", "1")));
        assert!(!has_callers(&console.replace("+0x", " ")));
    }

    #[test]
    fn endings_are_announced_and_met() {
        let of = |said| Some(Announced { code: 0x83, said });
        let console = "x\nending fall must stop with 0x83: unhandled #BP\nstopped: unhandled #BP\n";
        assert_eq!(announced(console), of(true));
        assert_eq!(announced(&console.replace("stopped: ", "stopped:")), of(false));
        assert_eq!(announced("stopped: panic\n"), None);
        assert_eq!(endings("ending a\nfoo\nending b\n").collect::<Vec<_>>(), ["a", "b"]);
    }
}
