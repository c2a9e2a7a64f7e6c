//! The tree with its Rust sources and manifests parsed: what every check sees.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::nesting::{MAX_DEPTH, too_deep};
use crate::problem::Problem;
use crate::tree::{Content, Tree};
use crate::workspace::Workspace;

/// A tree and what its files mean.
pub(crate) struct Sources<'a> {
    /// The files.
    pub(crate) tree: &'a Tree,
    /// The parsed Rust files by path, without those that do not parse.
    pub(crate) rust: BTreeMap<&'a str, RustFile>,
    /// The crates.
    pub(crate) workspace: Workspace,
    /// Everything that could not be read or parsed. The other checks do not
    /// see such files and say nothing about them.
    pub(crate) problems: Vec<Problem>,
}

/// A parsed Rust file.
pub(crate) struct RustFile {
    /// Its tokens; comments are none, except doc comments, which are
    /// attributes.
    pub(crate) tokens: TokenStream,
    /// Its syntax.
    pub(crate) syntax: syn::File,
}

impl<'a> Sources<'a> {
    /// Parses everything in `tree`.
    pub(crate) fn parse(tree: &'a Tree) -> Self {
        let mut problems: Vec<Problem> = tree
            .files()
            .filter_map(|(path, content)| match content {
                Content::Unreadable(reason) => {
                    Some(Problem::in_file(path, format!("cannot be read: {reason}")))
                }
                Content::Text(_) | Content::Opaque => None,
            })
            .collect();
        let mut rust = BTreeMap::new();
        for (path, text) in tree.texts("rs") {
            match parse_rust(path, text) {
                Ok(file) => {
                    rust.insert(path, file);
                }
                Err(problem) => problems.push(problem),
            }
        }
        let (workspace, malformed) = Workspace::parse(tree);
        problems.extend(malformed);
        Self { tree, rust, workspace, problems }
    }
}

/// Check: everything can be read and parsed, and is a workspace at all.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut problems = sources.problems.clone();
    if !sources.tree.contains("Cargo.toml") {
        let message = "missing: this folder is not the root of the repository";
        problems.push(Problem::in_file("Cargo.toml", message));
    }
    problems
}

fn parse_rust(path: &str, text: &str) -> Result<RustFile, Problem> {
    let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
        Problem::at_line(path, error.span().start().line, "not Rust: a token is malformed")
    })?;
    if let Some(line) = too_deep(&tokens) {
        let message = format!("nested deeper than {MAX_DEPTH} levels: simplify");
        return Err(Problem::at_line(path, line, message));
    }
    match syn::parse2(tokens.clone()) {
        Ok(syntax) => Ok(RustFile { tokens, syntax }),
        Err(error) => {
            let message = format!("not Rust that the parser knows: {error}");
            Err(Problem::at_line(path, error.span().start().line, message))
        }
    }
}

#[cfg(test)]
mod tests;
