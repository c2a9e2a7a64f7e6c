//! Checks of the source tree: what the house rules promise and rustc does not see.
//!
//! [`run`] reads the repository once and applies every check to it. Each check
//! is pure logic on paths and texts, in a file of its own:
//!
//! | check | file | passes if |
//! |---|---|---|
//! | sources can be read | `sources` | every text is UTF-8, every Rust file and manifest parses |
//! | unsafe budget | `unsafe_budget` | each crate has exactly the `unsafe` that `unsafe-budget.toml` says |
//! | floors | `floors` | no crate uses one above it, and crates form no circle |
//! | module circles | `module_circles` | the files of a crate form no circle |
//! | declared files | `declared_files` | every Rust file of a crate is declared as a module of it |
//! | dependency list | `dependency_list` | `docs/src/dependencies.md` has a true row for each crate from elsewhere |
//! | file length | `file_length` | no Rust file but tests has more than 600 lines |
//! | nothing unfinished | `unfinished` | no mark of unfinished work is in code or documents |
//! | book | `book` | every document is a chapter, every relative link leads somewhere |
//! | workspace rules | `workspace_rules` | each crate follows the workspace, each source file introduces itself |
//!
//! Below them, `disk` fills a `tree` of paths and texts, `sources`, `workspace`
//! and `manifest` say what is in it (`nesting` keeps the parser from going too
//! deep), `markdown`, `circle`, `module_tree` and `test_only` serve several checks. What a check finds is a [`Problem`] with its place and what to do.
#![forbid(unsafe_code)]

mod book;
mod circle;
mod declared_files;
mod dependency_list;
mod disk;
mod file_length;
mod floors;
mod manifest;
mod markdown;
mod module_circles;
mod module_tree;
mod nesting;
mod problem;
#[cfg(test)]
mod sample;
mod sources;
mod test_only;
mod tree;
mod unfinished;
mod unsafe_budget;
mod workspace;
mod workspace_rules;

use std::path::Path;

pub use problem::{Outcome, Problem};
pub use unsafe_budget::{Lowered, UpdateError, update_budget};

use sources::Sources;

/// A check: its name in words, and what it does.
type Check = (&'static str, fn(&Sources<'_>) -> Vec<Problem>);

/// All checks, in the order in which they are run. A new check is a file of
/// its own and a line here.
const CHECKS: [Check; 10] = [
    ("sources can be read", sources::check),
    ("unsafe budget", unsafe_budget::check),
    ("floors", floors::check),
    ("module circles", module_circles::check),
    ("declared files", declared_files::check),
    ("dependency list", dependency_list::check),
    ("file length", file_length::check),
    ("nothing unfinished", unfinished::check),
    ("book", book::check),
    ("workspace rules", workspace_rules::check),
];

/// Runs all checks on the repository at `root`, the folder with the
/// workspace's `Cargo.toml`. One outcome for each check, always in the same
/// order.
///
/// It cannot fail itself: what cannot be read or parsed is a problem that the
/// first check reports, and the others pass over. Where the system has no room
/// for the thread that the checks need, that is the only outcome.
#[must_use]
pub fn run(root: &Path) -> Vec<Outcome> {
    let outcomes = nesting::with_room(|| {
        let tree = disk::read(root);
        let sources = Sources::parse(&tree);
        let outcomes = CHECKS.iter().map(|(name, check)| {
            let mut problems = check(&sources);
            problems.sort();
            Outcome { name, problems }
        });
        outcomes.collect()
    });
    outcomes.unwrap_or_else(|error| {
        let message = format!("no check could run, for want of a thread: {error}");
        vec![Outcome { name: CHECKS[0].0, problems: vec![Problem::in_file(".", message)] }]
    })
}

#[cfg(test)]
mod tests;
