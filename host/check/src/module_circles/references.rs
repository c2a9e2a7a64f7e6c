//! The paths that a module's code holds.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Path, TraitItem, Visibility};

use super::imports;
use crate::module_tree::{ModuleId, ModuleTree, plain};
use crate::test_only;

/// A path in the code, not yet followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// Its parts, without generic arguments.
    pub(super) path: Vec<String>,
    /// How it is used.
    pub(super) kind: Kind,
    /// The line it starts in, counted from 1.
    pub(super) line: usize,
}

/// How a path is used, which says what it can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Imported: a single name can be a module.
    Import,
    /// Named in an expression, type, pattern or attribute: a single name is no
    /// module.
    Name,
    /// Called as a macro.
    Macro,
}

/// All paths in a module that can lead into its crate, without those of inner
/// modules and of tests.
pub(super) fn of(modules: &ModuleTree<'_>, module: ModuleId) -> Vec<Reference> {
    let mut collector = Collector::default();
    for item in modules.items(module) {
        collector.visit_item(item);
    }
    collector.references
}

#[derive(Default)]
struct Collector {
    references: Vec<Reference>,
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !test_only::item(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !test_only::impl_item(item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast TraitItem) {
        if !test_only::trait_item(item) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_item_use(&mut self, declaration: &'ast ItemUse) {
        self.references.extend(imports::of(declaration).into_iter().map(|import| Reference {
            path: import.path,
            kind: Kind::Import,
            line: import.line,
        }));
    }

    fn visit_path(&mut self, path: &'ast Path) {
        self.add_path(path, Kind::Name, line_of(path));
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.add_path(&call.path, Kind::Macro, line_of(&call.path));
        self.scan(&call.tokens, Strings::Text);
    }

    /// Attributes can hold paths as tokens (`derive`) and, by the custom of
    /// derive macros, as strings: `#[serde(with = "crate::bytes")]`.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        self.add_path(attribute.path(), Kind::Name, line_of(attribute.path()));
        if let syn::Meta::List(list) = &attribute.meta {
            self.scan(&list.tokens, Strings::Paths);
        }
    }

    /// `pub(in path)` says who may see an item; it uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

/// What string literals among tokens are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strings {
    /// Text that means nothing to us.
    Text,
    /// Possibly paths.
    Paths,
}

impl Collector {
    fn add_path(&mut self, path: &Path, kind: Kind, line: usize) {
        if path.leading_colon.is_none() {
            let path = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
            self.references.push(Reference { path, kind, line });
        }
    }

    /// Finds everything in the tokens of a macro or an attribute that looks
    /// like a path.
    fn scan(&mut self, tokens: &TokenStream, strings: Strings) {
        // Token streams, each with the path that its braces continue.
        let mut streams = vec![(Vec::new(), tokens.clone())];
        while let Some((prefix, stream)) = streams.pop() {
            let tokens: Vec<TokenTree> = stream.into_iter().collect();
            let mut at = 0;
            while let Some((token, rest)) = tokens.get(at..).and_then(<[_]>::split_first) {
                at += 1;
                match token {
                    TokenTree::Ident(word) if can_start(&prefix, tokens.get(..at - 1)) => {
                        let found = PathTokens::read(&prefix, word, rest);
                        at = tokens.len() - found.rest.len();
                        let (path, line) = (found.path, word.span().start().line);
                        match found.end {
                            End::Group(group) => streams.push((path, group.stream())),
                            End::Path(kind) if path.len() > 1 || !is_keyword(word) => {
                                self.references.push(Reference { path, kind, line });
                            }
                            End::Path(_) => {}
                        }
                    }
                    TokenTree::Group(group) => streams.push((Vec::new(), group.stream())),
                    TokenTree::Literal(literal) if strings == Strings::Paths => {
                        let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
                        if let Ok(path) = text.and_then(|text| text.parse::<Path>()) {
                            self.add_path(&path, Kind::Name, literal.span().start().line);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// Whether a path can start after the tokens `before`: not after a dot (a
/// field or method), a lifetime's mark, or colons (a path that leads to other
/// crates, or that goes on after generic arguments). In the braces of a path
/// only at the start or after a comma.
fn can_start(prefix: &[String], before: Option<&[TokenTree]>) -> bool {
    let is = |token: &TokenTree, mark| matches!(token, TokenTree::Punct(p) if p.as_char() == mark);
    match before.unwrap_or_default() {
        [] => true,
        [.., last] if !prefix.is_empty() => is(last, ','),
        [.., first, last] if is(last, '.') => is(first, '.'),
        [.., first, last] if is(last, ':') => !is(first, ':'),
        [.., last] => !is(last, '.') && !is(last, '\''),
    }
}

/// A path found among tokens.
struct PathTokens<'t> {
    path: Vec<String>,
    end: End<'t>,
    /// What comes after it.
    rest: &'t [TokenTree],
}

/// How a path among tokens ends.
enum End<'t> {
    /// With its last name, or in `::*`.
    Path(Kind),
    /// In `::{…}`, which holds the continuations of several paths.
    Group(&'t Group),
}

impl<'t> PathTokens<'t> {
    /// Reads the path that starts with `first`, below `prefix`; `rest` is what
    /// follows.
    fn read(prefix: &[String], first: &Ident, mut rest: &'t [TokenTree]) -> Self {
        let mut path = prefix.to_vec();
        path.push(plain(first));
        while let [TokenTree::Punct(a), TokenTree::Punct(b), next, after @ ..] = rest
            && a.as_char() == ':'
            && b.as_char() == ':'
        {
            match next {
                TokenTree::Ident(name) => path.push(plain(name)),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    return Self { path, end: End::Group(group), rest: after };
                }
                TokenTree::Punct(star) if star.as_char() == '*' => {
                    return Self { path, end: End::Path(Kind::Import), rest: after };
                }
                _ => break,
            }
            rest = after;
        }
        let kind = match rest {
            [TokenTree::Punct(mark), ..] if mark.as_char() == '!' => Kind::Macro,
            _ => Kind::Name,
        };
        Self { path, end: End::Path(kind), rest }
    }
}

/// The line in which a path starts.
fn line_of(path: &Path) -> usize {
    path.segments.first().map_or(1, |segment| segment.ident.span().start().line)
}

/// Whether a word alone in the code of a macro names no item: `pub(crate)`,
/// `self.field`.
fn is_keyword(word: &Ident) -> bool {
    ["crate", "self", "super"].iter().any(|keyword| word == keyword)
}

#[cfg(test)]
mod tests;
