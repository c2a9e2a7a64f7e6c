//! `use` declarations, taken apart into single imports.

use syn::{ItemUse, UseTree};

use crate::module_tree::plain;

/// One thing that a `use` declaration imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// The path of what is imported; of the module whose content is, for a
    /// glob.
    pub(super) path: Vec<String>,
    /// What becomes visible by it.
    pub(super) binding: Binding,
    /// The line it stands in, counted from 1.
    pub(super) line: usize,
}

/// What an import makes visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    /// One name.
    Name(String),
    /// No name: `use a::Trait as _`.
    Anonymous,
    /// All names of a module or an enum.
    Glob,
}

/// All imports of a declaration that can lead into this crate: none if the
/// path starts with `::`, which only leads to others.
pub(super) fn of(declaration: &ItemUse) -> Vec<Import> {
    let mut imports = Vec::new();
    if declaration.leading_colon.is_some() {
        return imports;
    }
    let mut trees = vec![(Vec::new(), &declaration.tree)];
    while let Some((mut path, tree)) = trees.pop() {
        match tree {
            UseTree::Path(part) => {
                path.push(plain(&part.ident));
                trees.push((path, &part.tree));
            }
            UseTree::Group(group) => {
                trees.extend(group.items.iter().rev().map(|tree| (path.clone(), tree)));
            }
            UseTree::Name(name) => {
                imports.push(import(path, &name.ident, &name.ident));
            }
            UseTree::Rename(rename) => {
                imports.push(import(path, &rename.ident, &rename.rename));
            }
            UseTree::Glob(glob) => imports.push(Import {
                path,
                binding: Binding::Glob,
                line: glob.star_token.spans[0].start().line,
            }),
        }
    }
    imports
}

fn import(mut path: Vec<String>, name: &proc_macro2::Ident, bound: &proc_macro2::Ident) -> Import {
    let (name, line) = (plain(name), name.span().start().line);
    let mut bound = plain(bound);
    if name != "self" || path.is_empty() {
        path.push(name);
    } else if bound == "self" {
        // `use a::{self}` is `use a`.
        bound = path.last().cloned().unwrap_or(bound);
    }
    let binding = if bound == "_" { Binding::Anonymous } else { Binding::Name(bound) };
    Import { path, binding, line }
}

#[cfg(test)]
mod tests {
    use super::{Binding, of};

    fn imports(text: &str) -> Vec<(String, Binding, usize)> {
        let declaration = syn::parse_str(text).unwrap();
        of(&declaration).into_iter().map(|i| (i.path.join("::"), i.binding, i.line)).collect()
    }

    fn name(text: &str) -> Binding {
        Binding::Name(text.to_owned())
    }

    #[test]
    fn every_form_is_taken_apart() {
        let text = "use crate::a::{self, B, r#mod::{C as D,\n E as _, *}, self as f};";
        assert_eq!(
            imports(text),
            [
                ("crate::a".to_owned(), name("a"), 1),
                ("crate::a::B".to_owned(), name("B"), 1),
                ("crate::a::mod::C".to_owned(), name("D"), 1),
                ("crate::a::mod::E".to_owned(), Binding::Anonymous, 2),
                ("crate::a::mod".to_owned(), Binding::Glob, 2),
                ("crate::a".to_owned(), name("f"), 2),
            ]
        );
        assert_eq!(imports("pub use a;"), [("a".to_owned(), name("a"), 1)]);
    }

    #[test]
    fn paths_to_other_crates_lead_nowhere() {
        assert_eq!(imports("use ::a::B;"), []);
    }
}
