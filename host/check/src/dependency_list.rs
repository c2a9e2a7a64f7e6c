//! Check: every crate from outside is in the book's list, with its reasons.
//!
//! `docs/src/dependencies.md` has one table with a row for each crate that a
//! `Cargo.toml` of the repository names directly; crates that come along with
//! those are `cargo deny`'s to judge. A row says who uses the crate, why, what
//! `unsafe` it holds and who maintains it. Rows of crates that nobody uses any
//! more fail too, and so do such entries of `[workspace.dependencies]`.

use std::collections::{BTreeMap, BTreeSet};

use crate::markdown::{Row, Table, tables};
use crate::problem::{Problem, line_of};
use crate::sources::Sources;
use crate::workspace::Source;

/// The document with the list.
const LIST: &str = "docs/src/dependencies.md";

/// The columns of the table, in this order.
const COLUMNS: [&str; 5] = ["Crate", "Used by", "Reason", "Contains unsafe", "Maintained by"];

/// Reports crates without a row, rows without a crate, and rows that do not
/// say what they should.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let used = users(sources);
    let mut problems = unused(sources);
    let Some(table) = sources.tree.text(LIST).and_then(list) else {
        let message = format!("has no table with the columns {}", COLUMNS.join(", "));
        problems.push(Problem::in_file(LIST, message));
        return problems;
    };
    let mut listed = BTreeSet::new();
    for row in &table.rows {
        let name = row.cells.first().map_or("", String::as_str);
        let again = !listed.insert(name);
        let messages = match used.get(name) {
            _ if again => vec![format!("a second row for {name}: remove it")],
            None => vec![format!("no crate here uses {name}: remove the row")],
            Some(users) => row_problems(row, users),
        };
        problems.extend(messages.into_iter().map(|m| Problem::at_line(LIST, row.line, m)));
    }
    for (name, users) in used.iter().filter(|(name, _)| !listed.contains(*name)) {
        let message = format!("no row for {name}, which {} uses: add one", join(users));
        problems.push(Problem::in_file(LIST, message));
    }
    problems
}

/// The first table with the right columns.
fn list(text: &str) -> Option<Table> {
    tables(text).into_iter().find(|table| table.head == COLUMNS)
}

/// For each crate from a registry, the folders of the crates that name it.
fn users<'a>(sources: &'a Sources<'_>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &sources.workspace.packages {
        for dependency in &package.dependencies {
            if dependency.source == Source::Registry {
                users.entry(&dependency.name).or_default().insert(&package.folder);
            }
        }
    }
    users
}

/// What is wrong with a row of a crate that `users` use.
fn row_problems(row: &Row, users: &BTreeSet<&str>) -> Vec<String> {
    let mut messages = Vec::new();
    for (column, cell) in COLUMNS.iter().zip(&row.cells) {
        if cell.is_empty() {
            messages.push(format!("the column \"{column}\" is empty: fill it in"));
        } else if *column == "Used by" {
            let named: BTreeSet<&str> = cell.split(',').map(str::trim).collect();
            if named != *users {
                messages.push(format!("the column \"{column}\" should say: {}", join(users)));
            }
        }
    }
    messages
}

fn join(users: &BTreeSet<&str>) -> String {
    users.iter().copied().collect::<Vec<_>>().join(", ")
}

/// The entries of `[workspace.dependencies]` from a registry that no crate
/// takes.
fn unused(sources: &Sources<'_>) -> Vec<Problem> {
    let text = sources.tree.text("Cargo.toml").unwrap_or_default();
    let packages = &sources.workspace.packages;
    let entries = sources.workspace.root.workspace.iter().flat_map(|w| &w.dependencies);
    entries
        .filter(|(_, specification)| !specification.has_path())
        .filter(|(key, _)| !packages.iter().any(|p| p.inherits_dependency(key.get_ref())))
        .map(|(key, _)| {
            let message = format!("no crate uses the dependency {}: remove it", key.get_ref());
            Problem::at_line("Cargo.toml", line_of(text, key.span().start), message)
        })
        .collect()
}

#[cfg(test)]
mod tests;
