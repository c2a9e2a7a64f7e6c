//! Check: every Rust file of a crate is a part of it.
//!
//! A file that no `mod` declares is never compiled, so that nobody would notice
//! what is wrong in it.

use std::collections::BTreeSet;

use crate::module_tree::{ModuleTree, Scope};
use crate::problem::Problem;
use crate::sources::Sources;
use crate::tree::is_below;

/// Reports each Rust file in a crate's folder that none of the crate's targets
/// leads to. A file that does not parse is passed over: another check reports
/// it, and nobody knows what it declares.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut declared = BTreeSet::new();
    for package in &sources.workspace.packages {
        let products = package.product_roots(sources.tree);
        for root in products.into_iter().chain(package.development_roots(sources.tree)) {
            let modules = ModuleTree::build(sources, &root, Scope::WithTests);
            declared.extend(modules.ids().map(|module| modules.file(module).to_owned()));
        }
    }
    let in_a_package = |file: &str| {
        sources.workspace.packages.iter().any(|package| is_below(file, &package.folder))
    };
    sources
        .rust
        .keys()
        .filter(|file| in_a_package(file) && !declared.contains(**file))
        .map(|file| {
            let message = "no module of its crate declares it: declare it, or delete it";
            Problem::in_file(*file, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::sample::problems;

    const WORKSPACE: (&str, &str) = ("Cargo.toml", "[workspace]\nexclude = [\"f\"]\n");
    const PACKAGE: (&str, &str) = ("a/Cargo.toml", "[package]\nname = \"a\"\n");

    #[test]
    fn files_of_every_kind_of_target_are_declared() {
        let named = "[package]\nname = \"f\"\n[[bin]]\nname = \"x\"\npath = \"targets/x.rs\"\n";
        let files = [
            WORKSPACE,
            PACKAGE,
            ("a/build.rs", ""),
            ("a/src/lib.rs", "mod b; #[cfg(test)] mod tests;"),
            ("a/src/b.rs", "#[cfg(loom)] mod race { #[path = \"race.rs\"] mod word; }"),
            ("a/src/b/race/race.rs", ""),
            ("a/src/tests.rs", "mod more;"),
            ("a/src/tests/more.rs", ""),
            ("a/src/bin/tool.rs", ""),
            ("a/tests/whole.rs", "mod with;"),
            ("a/tests/with/mod.rs", ""),
            ("a/examples/one/main.rs", ""),
            ("f/Cargo.toml", named),
            ("f/targets/x.rs", ""),
        ];
        assert_eq!(problems(check, &files), [""; 0]);
    }

    #[test]
    fn a_file_that_nothing_declares_is_reported_with_what_it_declares() {
        let files = [
            WORKSPACE,
            PACKAGE,
            ("a/src/lib.rs", "mod b;"),
            ("a/src/b.rs", ""),
            ("a/src/c.rs", "mod d;"),
            ("a/src/c/d.rs", ""),
            ("script/free.rs", ""),
        ];
        let message = "no module of its crate declares it: declare it, or delete it";
        assert_eq!(
            problems(check, &files),
            ["a/src/c.rs", "a/src/c/d.rs"].map(|file| format!("{file}: {message}"))
        );
    }
}
