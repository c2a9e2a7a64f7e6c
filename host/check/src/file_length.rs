//! Check: no Rust file is longer than one reads in one go.
//!
//! Every `.rs` file counts, with its comments and blank lines, except tests
//! that have a file of their own: `tests.rs`, and what lies in a folder
//! `tests`. Lists of cases may be long.

use crate::problem::Problem;
use crate::sources::Sources;

/// Most lines of a file. The aim is 500; the rest is room to finish a thought.
const MAX_LINES: usize = 600;

/// Reports each file above [`MAX_LINES`].
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    sources
        .tree
        .texts("rs")
        .filter(|(path, _)| !is_test(path))
        .filter_map(|(path, text)| {
            let lines = text.lines().count();
            (lines > MAX_LINES).then(|| {
                let message = format!(
                    "{lines} lines, at most {MAX_LINES} are allowed: split it by what it does"
                );
                Problem::in_file(path, message)
            })
        })
        .collect()
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests.rs" | "tests"))
}

#[cfg(test)]
mod tests {
    use super::{MAX_LINES, check};
    use crate::sample::problems;

    #[test]
    fn only_files_above_the_limit_fail() {
        let full = "//\n".repeat(MAX_LINES);
        let long = "//\n".repeat(MAX_LINES + 1);
        assert_eq!(problems(check, &[("a/src/full.rs", &full)]), [""; 0]);
        assert_eq!(
            problems(check, &[("a/src/long.rs", &long), ("a/notes.md", &long)]),
            ["a/src/long.rs: 601 lines, at most 600 are allowed: split it by what it does"]
        );
    }

    #[test]
    fn tests_in_files_of_their_own_may_be_long() {
        let long = "//\n".repeat(MAX_LINES + 1);
        let files =
            [("a/src/b/tests.rs", &*long), ("a/tests/c.rs", &long), ("a/src/b/tests/d.rs", &long)];
        assert_eq!(problems(check, &files), [""; 0]);
        assert_eq!(problems(check, &[("a/src/attests.rs", &long)]).len(), 1);
    }
}
