//! Check: the `unsafe` that each crate may hold, a number that only falls.
//!
//! `unsafe-budget.toml` at the root says which folders may hold `unsafe` at
//! all, and how often each crate there has it. Counted are, in every Rust file
//! of the crate's folder, tests and macros included:
//!
//! - the keyword `unsafe` as a token, whatever it introduces: block, function,
//!   trait, implementation, `extern` block, function pointer type or attribute
//!   (`#[unsafe(no_mangle)]`). Comments, doc comments and strings hold no
//!   tokens, and the name `unsafe_code` is another word;
//! - each call of `global_asm!`, which is unsafe without saying so.
//!
//! Crates that are not listed have none, and forbid it to themselves, so that
//! rustc refuses also what the dependencies' macros would bring in. That each
//! block carries its proof is clippy's to check.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use serde::Deserialize;
use toml::Spanned;

use crate::disk;
use crate::nesting::with_room;
use crate::problem::{Problem, line_of};
use crate::sources::Sources;
use crate::workspace::Package;

/// The file with the budget, at the root of the tree.
const BUDGET_FILE: &str = "unsafe-budget.toml";

/// The content of [`BUDGET_FILE`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// Folders of the crates that may hold `unsafe`.
    allowed: Vec<String>,
    /// How often each does, by crate name.
    crates: BTreeMap<Spanned<String>, Spanned<usize>>,
}

/// A number in the budget that was lowered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// Name of the crate.
    pub name: String,
    /// How often it was allowed to hold `unsafe`.
    pub from: usize,
    /// How often it does, which is now its budget.
    pub to: usize,
}

/// Why the budget was not updated.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// There is no budget, or it says something else than it should.
    #[error("{0}")]
    Budget(Problem),
    /// A source file cannot be counted, so that no number is to be trusted.
    #[error("{0}: repair it first, every file must be counted")]
    Source(Problem),
    /// The system has no room for the thread that counts.
    #[error("the sources could not be counted, for want of a thread: {0}")]
    Thread(#[source] io::Error),
    /// The new budget could not be written.
    #[error("{BUDGET_FILE}: cannot be written: {0}")]
    Write(#[source] io::Error),
}

/// Reports crates above and below their budget, and crates without one that
/// hold or do not forbid `unsafe`.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let (text, budget) = match load(sources) {
        Ok(budget) => budget,
        Err(problem) => return vec![problem],
    };
    let mut problems = Vec::new();
    for package in &sources.workspace.packages {
        let places = places(sources, package);
        match budget.crates.iter().find(|(name, _)| *name.get_ref() == package.name) {
            Some((name, allowed)) => {
                let line = line_of(text, name.span().start);
                let message = compare(package, &budget.allowed, *allowed.get_ref(), places.len());
                problems.extend(message.map(|m| Problem::at_line(BUDGET_FILE, line, m)));
            }
            None => {
                problems.extend(places.into_iter().map(|(path, line)| {
                    let message =
                        format!("`unsafe` in crate {}, which has no budget", package.name);
                    Problem::at_line(path, line, message)
                }));
                problems.extend(unforbidden(sources, package));
            }
        }
    }
    for name in budget.crates.keys() {
        if !sources.workspace.packages.iter().any(|package| package.name == *name.get_ref()) {
            let message = format!("there is no crate {}: remove the line", name.get_ref());
            let line = line_of(text, name.span().start);
            problems.push(Problem::at_line(BUDGET_FILE, line, message));
        }
    }
    problems
}

/// Lowers each number in the budget below `root` that is higher than what the
/// crate holds. Raises none: what is above its budget stays there, and the
/// check goes on failing.
///
/// # Errors
///
/// See [`UpdateError`]. Nothing was written then.
pub fn update_budget(root: &Path) -> Result<Vec<Lowered>, UpdateError> {
    let new_budget = with_room(|| {
        let tree = disk::read(root);
        let sources = Sources::parse(&tree);
        match sources.problems.first() {
            Some(problem) => Err(UpdateError::Source(problem.clone())),
            None => lowered(&sources).map_err(UpdateError::Budget),
        }
    });
    let (text, changes) = new_budget.map_err(UpdateError::Thread)??;
    if !changes.is_empty() {
        fs::write(root.join(BUDGET_FILE), text).map_err(UpdateError::Write)?;
    }
    Ok(changes)
}

/// The budget's text with lower numbers, and what is different in it.
fn lowered(sources: &Sources<'_>) -> Result<(String, Vec<Lowered>), Problem> {
    let (text, budget) = load(sources)?;
    let mut changes: Vec<(Range<usize>, Lowered)> = Vec::new();
    for (name, allowed) in &budget.crates {
        let packages = &sources.workspace.packages;
        if let Some(package) = packages.iter().find(|package| package.name == *name.get_ref()) {
            let (from, to) = (*allowed.get_ref(), places(sources, package).len());
            if to < from {
                changes.push((allowed.span(), Lowered { name: package.name.clone(), from, to }));
            }
        }
    }
    changes.sort_by_key(|(span, _)| span.start);
    let mut new_text = text.to_owned();
    // From the end, so that the earlier places stay where they are.
    for (span, change) in changes.iter().rev() {
        new_text.replace_range(span.clone(), &change.to.to_string());
    }
    Ok((new_text, changes.into_iter().map(|(_, change)| change).collect()))
}

fn load<'a>(sources: &Sources<'a>) -> Result<(&'a str, Budget), Problem> {
    let text = sources.tree.text(BUDGET_FILE).ok_or_else(|| {
        let message = "missing: write `allowed = [folders that may hold unsafe]` and \
                       `[crates]` with a line `name = count` for each";
        Problem::in_file(BUDGET_FILE, message)
    })?;
    match toml::from_str(text) {
        Ok(budget) => Ok((text, budget)),
        Err(error) => Err(Problem {
            file: BUDGET_FILE.to_owned(),
            line: error.span().map(|span| line_of(text, span.start)),
            message: error.message().to_owned(),
        }),
    }
}

/// What is wrong with a crate that has a budget of `budget` and holds `count`.
fn compare(package: &Package, allowed: &[String], budget: usize, count: usize) -> Option<String> {
    let name = &package.name;
    if !allowed.contains(&package.folder) {
        return Some(format!(
            "crate {name} in {} may hold no `unsafe`, only {} may: remove the line",
            package.folder,
            allowed.join(", ")
        ));
    }
    if count > budget {
        return Some(format!(
            "crate {name} holds {count} `unsafe`, its budget is {budget}: do without the new ones"
        ));
    }
    if count == 0 {
        return Some(format!(
            "crate {name} holds no `unsafe`: remove the line and forbid it there"
        ));
    }
    (count < budget).then(|| {
        format!("crate {name} holds only {count} `unsafe`: lower its budget from {budget} to that")
    })
}

/// File and line of each `unsafe` in the crate.
fn places<'a>(sources: &Sources<'a>, package: &Package) -> Vec<(&'a str, usize)> {
    let mut places = Vec::new();
    for (path, file) in &sources.rust {
        let owner = sources.workspace.package_around(path);
        if owner.is_some_and(|owner| owner.folder == package.folder) {
            places.extend(lines(file.tokens.clone()).into_iter().map(|line| (*path, line)));
        }
    }
    places
}

/// The line of each token that counts, sorted.
fn lines(tokens: TokenStream) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut streams = vec![tokens];
    while let Some(stream) = streams.pop() {
        let mut tokens = stream.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => streams.push(group.stream()),
                TokenTree::Ident(word) => {
                    let called =
                        matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '!');
                    if word == "unsafe" || (word == "global_asm" && called) {
                        lines.push(word.span().start().line);
                    }
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
    lines.sort_unstable();
    lines
}

/// Reports a crate that does not forbid `unsafe`: neither in its manifest, nor
/// through the workspace, nor by an attribute in each file that a target
/// starts with.
fn unforbidden(sources: &Sources<'_>, package: &Package) -> Option<Problem> {
    let workspace = sources.workspace.root.workspace.as_ref().map(|workspace| &workspace.lints);
    let own = package.manifest.lints.as_ref();
    let inherits = own.is_some_and(|l| l.get("workspace") == Some(&toml::Value::Boolean(true)));
    let lints = if inherits { workspace } else { own };
    if lints.is_some_and(forbids) {
        return None;
    }
    let mut roots = package.product_roots(sources.tree);
    roots.extend(package.development_roots(sources.tree));
    let all_forbid = roots.iter().all(|root| {
        let file = sources.rust.get(root.as_str());
        file.is_none_or(|file| file.syntax.attrs.iter().any(is_forbid_attribute))
    });
    (roots.is_empty() || !all_forbid).then(|| {
        let message = format!(
            "crate {} does not forbid `unsafe`: write `workspace = true` under [lints]",
            package.name
        );
        Problem::in_file(package.manifest_path(), message)
    })
}

/// Whether a `[lints]` table has `unsafe_code = "forbid"`, in short or long.
fn forbids(lints: &toml::Table) -> bool {
    let lint = lints.get("rust").and_then(|rust| rust.get("unsafe_code"));
    let level = lint.and_then(|lint| lint.get("level").or(Some(lint)));
    level.and_then(toml::Value::as_str) == Some("forbid")
}

/// Whether this is `#![forbid(unsafe_code)]`, alone or among others.
fn is_forbid_attribute(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let names_it = |token| matches!(&token, TokenTree::Ident(word) if word == "unsafe_code");
    list.path.is_ident("forbid") && list.tokens.clone().into_iter().any(names_it)
}

#[cfg(test)]
mod tests;
