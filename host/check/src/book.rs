//! Check: the book is whole and its links lead somewhere.
//!
//! Every document below `docs/src` is a chapter in `SUMMARY.md`, every chapter
//! there is a document, and every relative link in the book and in the README
//! leads to a file or folder of the repository and, where it names one, to a
//! heading there. Links to other hosts are not followed.

use std::collections::BTreeSet;

use crate::markdown::{Link, anchors, links};
use crate::problem::Problem;
use crate::sources::Sources;
use crate::tree::{folder_of, has_extension, is_below, join};

/// The folder with the book's documents.
const BOOK: &str = "docs/src";
/// The book's table of contents.
const SUMMARY: &str = "docs/src/SUMMARY.md";
/// The other document that people read first.
const README: &str = "README.md";

/// Reports documents outside the table of contents and links to nowhere.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let tree = sources.tree;
    let mut problems = Vec::new();
    let mut chapters = BTreeSet::new();
    for link in links(tree.text(SUMMARY).unwrap_or_default()) {
        chapters.extend(join(BOOK, path_of(&link.target)));
        if link.target.is_empty() {
            let message = "a chapter without a document: write it or remove the line";
            problems.push(Problem::at_line(SUMMARY, link.line, message));
        }
    }
    for (path, text) in tree.texts("md").filter(|(path, _)| is_below(path, BOOK) || *path == README)
    {
        if is_below(path, BOOK) && path != SUMMARY && !chapters.contains(path) {
            let message = format!("not in the table of contents: add it to {SUMMARY}");
            problems.push(Problem::in_file(path, message));
        }
        problems.extend(links(text).iter().filter_map(|link| broken(sources, path, link)));
    }
    problems
}

/// The problem with a link of the document at `path`, if it has one.
fn broken(sources: &Sources<'_>, path: &str, link: &Link) -> Option<Problem> {
    let target = path_of(&link.target);
    if has_scheme(target) {
        return None;
    }
    let to = if target.is_empty() { Some(path.to_owned()) } else { join(folder_of(path), target) };
    let message = match to {
        None => format!("links to {target}, which is outside the repository"),
        Some(to) if !sources.tree.contains(&to) => {
            format!("links to {target}, but there is no {to}")
        }
        Some(to) => {
            let (_, anchor) = link.target.split_once('#')?;
            let text = sources.tree.text(&to).filter(|_| has_extension(&to, "md"))?;
            if anchors(text).contains(anchor) {
                return None;
            }
            format!("links to #{anchor}, but {to} has no such heading")
        }
    };
    Some(Problem::at_line(path, link.line, message))
}

/// The part of a link that names a file.
fn path_of(target: &str) -> &str {
    target.split(['#', '?']).next().unwrap_or_default()
}

/// Whether a link names a protocol, like `https:`.
fn has_scheme(target: &str) -> bool {
    target.split('/').next().is_some_and(|start| start.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::sample::problems;

    #[test]
    fn a_whole_book_passes() {
        let files = [
            ("README.md", "[book](docs/src/a.md) [licence](LICENSE.md) [sources](docs)"),
            ("LICENSE.md", ""),
            ("docs/src/SUMMARY.md", "# Summary\n\n[A](a.md)\n\n- [B](./b/c.md)\n"),
            ("docs/src/a.md", "## Up\n[b](b/c.md#a-part), [web](https://example.org#x), [up](#up)"),
            (
                "docs/src/b/c.md",
                "# A part\n[a](../a.md) [readme](../../../README.md) <a@example.org>",
            ),
        ];
        assert_eq!(problems(check, &files), [""; 0]);
    }

    #[test]
    fn a_chapter_that_is_not_listed_fails() {
        let files =
            [("docs/src/SUMMARY.md", "[A](a.md)"), ("docs/src/a.md", ""), ("docs/src/b.md", "")];
        assert_eq!(
            problems(check, &files),
            ["docs/src/b.md: not in the table of contents: add it to docs/src/SUMMARY.md"]
        );
        assert_eq!(problems(check, &[("docs/src/b.md", "")]).len(), 1);
    }

    #[test]
    fn links_to_nowhere_fail() {
        let files = [
            ("README.md", "\n[a](a.md) [b](../b.md) [c](/c.md)"),
            ("docs/src/SUMMARY.md", "- [A](a.md)\n- [Draft]()\n"),
        ];
        assert_eq!(
            problems(check, &files),
            [
                "README.md:2: links to ../b.md, which is outside the repository",
                "README.md:2: links to /c.md, which is outside the repository",
                "README.md:2: links to a.md, but there is no a.md",
                "docs/src/SUMMARY.md:1: links to a.md, but there is no docs/src/a.md",
                "docs/src/SUMMARY.md:2: a chapter without a document: write it or remove the line",
            ]
        );
    }

    #[test]
    fn links_to_missing_headings_fail() {
        let files = [
            ("README.md", "# A\n[a](docs/src/a.md#a) [b](docs/src/a.md#b) [c](#a)\n[d](#d)"),
            ("docs/src/SUMMARY.md", "[A](a.md)"),
            ("docs/src/a.md", "# B"),
        ];
        assert_eq!(
            problems(check, &files),
            [
                "README.md:2: links to #a, but docs/src/a.md has no such heading",
                "README.md:3: links to #d, but README.md has no such heading"
            ]
        );
    }

    #[test]
    fn other_documents_are_not_looked_at() {
        assert_eq!(problems(check, &[("kernel/notes.md", "[a](a.md)")]), [""; 0]);
    }
}
