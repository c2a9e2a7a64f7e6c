//! The modules of one library or program, and the files they lie in.
//!
//! Files are found as the Rust reference says, "Modules", with and without
//! `#[path]`. Modules that macros declare are not followed.

use syn::{Item, ItemMod, Lit, Meta};

use crate::problem::Problem;
use crate::sources::Sources;
use crate::test_only;
use crate::tree::{entry, folder_of, has_extension, join};

/// One module of a [`ModuleTree`]; only meaningful there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ModuleId(usize);

/// Which modules a [`ModuleTree`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those that are not for tests only.
    Product,
    /// All.
    WithTests,
}

/// The modules that one root leads to.
pub(crate) struct ModuleTree<'a> {
    modules: Vec<Module<'a>>,
    /// Declared modules without a file.
    pub(crate) problems: Vec<Problem>,
}

struct Module<'a> {
    file: &'a str,
    /// Where the files of its children lie.
    folder: String,
    /// Whether it is written inside another one.
    is_inline: bool,
    parent: Option<ModuleId>,
    children: Vec<(String, ModuleId)>,
    items: &'a [Item],
}

impl<'a> ModuleTree<'a> {
    /// The modules in `scope` that the file `root` leads to; none if it was not
    /// parsed.
    pub(crate) fn build(sources: &'a Sources<'_>, root: &str, scope: Scope) -> Self {
        let mut tree = Self { modules: Vec::new(), problems: Vec::new() };
        if let Some((file, parsed)) = sources.rust.get_key_value(root) {
            tree.modules.push(Module {
                file,
                folder: folder_of(file).to_owned(),
                is_inline: false,
                parent: None,
                children: Vec::new(),
                items: &parsed.syntax.items,
            });
        }
        // Children are added at the end, so that this reaches them too.
        let mut next = 0;
        while let Some(module) = tree.modules.get(next) {
            for item in module.items {
                if let Item::Mod(declaration) = item
                    && (scope == Scope::WithTests || !test_only::item(item))
                {
                    tree.add_child(sources, ModuleId(next), declaration);
                }
            }
            next += 1;
        }
        tree
    }

    fn add_child(&mut self, sources: &'a Sources<'_>, parent: ModuleId, declaration: &'a ItemMod) {
        let name = plain(&declaration.ident);
        let child = match &declaration.content {
            Some((_, items)) => {
                let outer = self.module(parent);
                Some(Module {
                    file: outer.file,
                    folder: entry(&outer.folder, &name),
                    is_inline: true,
                    parent: Some(parent),
                    children: Vec::new(),
                    items,
                })
            }
            None => self.child_file(sources, parent, declaration, &name),
        };
        let Some(child) = child else { return };
        // A file that is declared twice is one module to us, so that files
        // which declare each other come to an end.
        let known = self.modules.iter().position(|m| !child.is_inline && m.file == child.file);
        let id = ModuleId(known.unwrap_or(self.modules.len()));
        if known.is_none() {
            self.modules.push(child);
        }
        self.modules[parent.0].children.push((name, id));
    }

    /// The module that `mod name;` in `parent` declares.
    fn child_file(
        &mut self,
        sources: &'a Sources<'_>,
        parent: ModuleId,
        declaration: &ItemMod,
        name: &str,
    ) -> Option<Module<'a>> {
        let outer = self.module(parent);
        // Paths of the file, each with the folder of the module's children.
        let candidates = match path_attribute(declaration) {
            Some(path) => {
                let from = if outer.is_inline { &outer.folder } else { folder_of(outer.file) };
                let path = join(from, &path).unwrap_or(path);
                let folder = folder_of(&path).to_owned();
                vec![(path, folder)]
            }
            None => {
                let folder = entry(&outer.folder, name);
                vec![(format!("{folder}.rs"), folder.clone()), (format!("{folder}/mod.rs"), folder)]
            }
        };
        for (path, folder) in &candidates {
            if let Some((file, parsed)) = sources.rust.get_key_value(path.as_str()) {
                return Some(Module {
                    file,
                    folder: folder.clone(),
                    is_inline: false,
                    parent: Some(parent),
                    children: Vec::new(),
                    items: &parsed.syntax.items,
                });
            }
        }
        // A file that is there but could not be parsed was reported already.
        let mut known = candidates.iter().filter(|(path, _)| has_extension(path, "rs"));
        if !known.any(|(path, _)| sources.tree.contains(path)) {
            let paths: Vec<&str> = candidates.iter().map(|(path, _)| path.as_str()).collect();
            let message = format!("module {name} has no Rust file {}", paths.join(" or "));
            let line = declaration.ident.span().start().line;
            let problem = Problem::at_line(outer.file, line, message);
            self.problems.push(problem);
        }
        None
    }

    /// All modules, each before its children; the root is the first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ModuleId> {
        (0..self.modules.len()).map(ModuleId)
    }

    /// The module of the root file, if it was parsed.
    pub(crate) fn root(&self) -> Option<ModuleId> {
        self.ids().next()
    }

    /// The file a module lies in.
    pub(crate) fn file(&self, id: ModuleId) -> &'a str {
        self.module(id).file
    }

    /// The module around this one; `None` for the root.
    pub(crate) fn parent(&self, id: ModuleId) -> Option<ModuleId> {
        self.module(id).parent
    }

    /// Names and identities of the modules declared in this one.
    pub(crate) fn children(&self, id: ModuleId) -> &[(String, ModuleId)] {
        &self.module(id).children
    }

    /// What a module holds apart from other modules and from what is for tests
    /// only.
    pub(crate) fn items(&self, id: ModuleId) -> impl Iterator<Item = &'a Item> {
        let items = self.module(id).items.iter();
        items.filter(|item| !matches!(item, Item::Mod(_)) && !test_only::item(item))
    }

    fn module(&self, id: ModuleId) -> &Module<'a> {
        // An identity is only made for a module that is there, and none is
        // ever taken away.
        &self.modules[id.0]
    }
}

/// A name without the mark of a raw identifier.
pub(crate) fn plain(identifier: &proc_macro2::Ident) -> String {
    let text = identifier.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// What `#[path = "…"]` says.
fn path_attribute(declaration: &ItemMod) -> Option<String> {
    declaration.attrs.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests;
