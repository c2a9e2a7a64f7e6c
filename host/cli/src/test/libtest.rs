//! What Rust's test harness says at the end of each test program.

use crate::jobs::Counts;

/// Adds up all lines like `test result: ok. 8 passed; 0 failed; 1 ignored; …`.
/// Ignored tests count as skipped.
pub(super) fn counts(output: &str) -> Counts {
    output.lines().filter_map(line).fold(Counts::default(), Counts::plus)
}

fn line(line: &str) -> Option<Counts> {
    let (_, figures) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for figure in figures.split("; ") {
        let Some((number, what)) = figure.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.skipped = number,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::counts;
    use crate::jobs::Counts;

    #[test]
    fn programs_add_up() {
        let output = "\
running 2 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.12s
";
        assert_eq!(counts(output), Counts { passed: 7, failed: 2, skipped: 1 });
    }

    #[test]
    fn other_lines_count_nothing() {
        for output in ["", "test result: ", "test result: ok. many passed", "error: 3 failed"] {
            assert_eq!(counts(output), Counts::default(), "{output}");
        }
    }
}
