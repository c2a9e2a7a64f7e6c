//! Small trees in memory, for the tests of the checks.

use crate::problem::Problem;
use crate::sources::Sources;
use crate::tree::{Content, Tree};

/// A tree of texts by path.
pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.insert(*path, Content::Text((*text).to_owned()));
    }
    tree
}

/// What `check` says about a tree of these files, which must all parse, line
/// by line and sorted.
pub(crate) fn problems(
    check: fn(&Sources<'_>) -> Vec<Problem>,
    files: &[(&str, &str)],
) -> Vec<String> {
    let tree = tree(files);
    let sources = Sources::parse(&tree);
    assert_eq!(sources.problems, [], "the sample itself is malformed");
    let mut problems = check(&sources);
    problems.sort();
    problems.iter().map(ToString::to_string).collect()
}
