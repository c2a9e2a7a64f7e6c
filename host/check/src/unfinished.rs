//! Check: nothing is left for later.
//!
//! Looks for the usual marks of unfinished work as whole words, anywhere in
//! Rust files and documents: what is not built is not there, and what is known
//! to be missing stands in the book's caveats.

use crate::problem::Problem;
use crate::sources::Sources;

/// The marks, spelled so that this file does not contain them.
const MARKS: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("un", "implemented!"),
];

/// Reports each mark in a Rust file or a document.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in sources.tree.texts("rs").chain(sources.tree.texts("md")) {
        for (index, line) in text.lines().enumerate() {
            for mark in MARKS.into_iter().filter(|mark| has_word(line, mark)) {
                let message =
                    format!("`{mark}` marks unfinished work: finish it, or say it in the caveats");
                problems.push(Problem::at_line(path, index + 1, message));
            }
        }
    }
    problems
}

/// Whether `word` stands in `line` and is not a part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, found)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + found.len()..).and_then(|text| text.chars().next());
        let goes_on = found.ends_with(in_word) && after.is_some_and(in_word);
        !(goes_on || before.is_some_and(in_word))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MARKS, check, has_word};
    use crate::sample::problems;

    #[test]
    fn marks_are_found_in_code_and_documents() {
        let code = format!("//! A.\nfn a() {{ {}() }}\n", MARKS[3]);
        let document = format!("# A\n\n({}: more)\n", MARKS[0]);
        assert_eq!(
            problems(check, &[("a.rs", &code), ("docs/b.md", &document)]),
            [("a.rs", 2, MARKS[3]), ("docs/b.md", 3, MARKS[0])].map(|(file, line, mark)| format!(
                "{file}:{line}: `{mark}` marks unfinished work: finish it, or say it in the caveats"
            ))
        );
    }

    #[test]
    fn longer_words_and_other_files_are_no_marks() {
        let text = format!("// {}S, A_{}, {}\n", MARKS[0], MARKS[1], MARKS[0].to_lowercase());
        assert_eq!(problems(check, &[("a.rs", &text)]), [""; 0]);
        assert_eq!(problems(check, &[("a.toml", &format!("# {}", MARKS[0]))]), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_mark_between_other_characters_is_found(
            before in "([^\n]*[^_0-9A-Za-z\n])?",
            after in "([^_0-9A-Za-z\n][^\n]*)?",
        ) {
            for mark in MARKS {
                let line = format!("{before}{mark}{after}");
                prop_assert!(has_word(&line, mark), "{line}");
            }
        }
    }
}
