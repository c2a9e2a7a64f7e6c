//! What names mean in each module, and where paths lead.
//!
//! Follows the Rust reference, "Names", with two liberties that only make it
//! see more than rustc does: a name that could mean several things means all
//! of them, and imports and items inside a function count for its whole
//! module.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{ForeignItem, Item, ItemUse};

use super::imports::{self, Binding};
use super::references::{Kind, Reference};
use crate::module_tree::{ModuleId, ModuleTree, plain};
use crate::test_only;

/// The names of all modules.
pub(super) struct Names<'a> {
    modules: &'a ModuleTree<'a>,
    scopes: BTreeMap<ModuleId, Scope>,
    /// Where macros are defined, by name: they are visible to what follows in
    /// the text, whatever its module is.
    macros: BTreeMap<String, BTreeSet<ModuleId>>,
    /// What was looked up before; empty while a look-up is under way, so that
    /// an import of itself ends.
    known: RefCell<BTreeMap<(ModuleId, String), Vec<Target>>>,
}

/// The names of one module.
#[derive(Default)]
struct Scope {
    names: BTreeMap<String, Vec<Meaning>>,
    /// Paths of the modules whose names are visible as well.
    globs: Vec<Vec<String>>,
}

/// What a name stands for.
enum Meaning {
    /// An item that this module defines.
    Defined(ModuleId),
    /// A module.
    Module(ModuleId),
    /// What another path stands for.
    Import(Vec<String>),
    /// Another crate.
    OtherCrate,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// To a module itself.
    Module(ModuleId),
    /// To something that this module defines.
    Defined(ModuleId),
    /// Out of the crate.
    OtherCrate,
}

impl<'a> Names<'a> {
    /// Collects the names of all modules.
    pub(super) fn collect(modules: &'a ModuleTree<'a>) -> Self {
        let mut names = Self {
            modules,
            scopes: BTreeMap::new(),
            macros: BTreeMap::new(),
            known: RefCell::default(),
        };
        let mut exported = Vec::new();
        for module in modules.ids() {
            let mut collector = Collector { module, scope: Scope::default(), macros: Vec::new() };
            for (name, child) in modules.children(module) {
                collector.add(name.clone(), Meaning::Module(*child));
            }
            for item in modules.items(module) {
                collector.visit_item(item);
            }
            for (name, reach) in collector.macros {
                if reach == Reach::Exported {
                    exported.push((name.clone(), module));
                }
                names.macros.entry(name).or_default().insert(module);
            }
            names.scopes.insert(module, collector.scope);
        }
        if let Some(scope) = modules.root().and_then(|root| names.scopes.get_mut(&root)) {
            for (name, module) in exported {
                scope.names.entry(name).or_default().push(Meaning::Defined(module));
            }
        }
        names
    }

    /// The files of this crate that hold what `reference`, in `module`, names.
    pub(super) fn files(&self, module: ModuleId, reference: &Reference) -> BTreeSet<&'a str> {
        let mut targets = self.resolve(module, &reference.path);
        if let [name] = reference.path.as_slice()
            && reference.kind != Kind::Import
        {
            targets.retain(|target| matches!(target, Target::Defined(_)));
            if targets.is_empty() && reference.kind == Kind::Macro {
                let definitions = self.macros.get(name).into_iter().flatten();
                targets.extend(definitions.copied().map(Target::Defined));
            }
        }
        let files = targets.into_iter().filter_map(|target| match target {
            Target::Module(id) | Target::Defined(id) => Some(self.modules.file(id)),
            Target::OtherCrate => None,
        });
        files.collect()
    }

    /// Where a path in `from` leads.
    fn resolve(&self, from: ModuleId, path: &[String]) -> Vec<Target> {
        let Some((first, mut rest)) = path.split_first() else { return Vec::new() };
        let start = match first.as_str() {
            "crate" => self.modules.root(),
            "self" => Some(from),
            "super" => self.modules.parent(from),
            name => {
                let mut targets = self.look_up(from, name);
                if targets.is_empty() {
                    targets.push(Target::OtherCrate);
                }
                return self.follow(targets, rest);
            }
        };
        let Some(mut module) = start else { return vec![Target::OtherCrate] };
        while let Some((keyword, after)) = rest.split_first()
            && keyword == "super"
        {
            let Some(parent) = self.modules.parent(module) else { return vec![Target::OtherCrate] };
            module = parent;
            rest = after;
        }
        self.follow(vec![Target::Module(module)], rest)
    }

    /// Where the rest of a path leads from each of `targets`.
    fn follow(&self, mut targets: Vec<Target>, rest: &[String]) -> Vec<Target> {
        for name in rest {
            let mut next = BTreeSet::new();
            for target in targets {
                match target {
                    Target::Module(module) => {
                        let found = self.look_up(module, name);
                        if found.is_empty() {
                            // Something that a macro defines there, or that
                            // rustc will refuse.
                            next.insert(Target::Defined(module));
                        }
                        next.extend(found);
                    }
                    // A variant or an associated item, defined with its type.
                    Target::Defined(_) | Target::OtherCrate => {
                        next.insert(target);
                    }
                }
            }
            targets = next.into_iter().collect();
        }
        targets
    }

    /// What `name` stands for in `module`; nothing if it is not known there.
    fn look_up(&self, module: ModuleId, name: &str) -> Vec<Target> {
        let key = (module, name.to_owned());
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        self.known.borrow_mut().insert(key.clone(), Vec::new());
        // The module itself, then those whose names it takes over by globs, if
        // it has no such name itself, and so on.
        let mut found = BTreeSet::new();
        let mut seen = vec![module];
        let mut at = 0;
        while let Some(&current) = seen.get(at) {
            at += 1;
            let own = self.own_meanings(current, name);
            if own.is_empty() {
                for glob in self.glob_modules(current) {
                    if !seen.contains(&glob) {
                        seen.push(glob);
                    }
                }
            }
            found.extend(own);
        }
        let found: Vec<Target> = found.into_iter().collect();
        self.known.borrow_mut().insert(key, found.clone());
        found
    }

    /// What `name` stands for by the module's own items and imports.
    fn own_meanings(&self, module: ModuleId, name: &str) -> Vec<Target> {
        let meanings = self.scopes.get(&module).and_then(|scope| scope.names.get(name));
        let mut targets = Vec::new();
        for meaning in meanings.into_iter().flatten() {
            match meaning {
                Meaning::Defined(definer) => targets.push(Target::Defined(*definer)),
                Meaning::Module(module) => targets.push(Target::Module(*module)),
                Meaning::OtherCrate => targets.push(Target::OtherCrate),
                Meaning::Import(path) => targets.extend(self.resolve(module, path)),
            }
        }
        targets
    }

    /// The modules of this crate whose names `module` takes over.
    fn glob_modules(&self, module: ModuleId) -> Vec<ModuleId> {
        let globs = self.scopes.get(&module).map(|scope| scope.globs.as_slice());
        let targets = globs.unwrap_or_default().iter().flat_map(|path| self.resolve(module, path));
        let modules = targets.filter_map(|target| match target {
            Target::Module(module) => Some(module),
            Target::Defined(_) | Target::OtherCrate => None,
        });
        modules.collect()
    }
}

/// How far a macro can be used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the text that follows.
    Textual,
    /// By path from the root of the crate too.
    Exported,
}

/// Collects the names of one module.
struct Collector {
    module: ModuleId,
    scope: Scope,
    macros: Vec<(String, Reach)>,
}

impl Collector {
    fn add(&mut self, name: String, meaning: Meaning) {
        self.scope.names.entry(name).or_default().push(meaning);
    }

    fn define(&mut self, name: &proc_macro2::Ident) {
        self.add(plain(name), Meaning::Defined(self.module));
    }
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if test_only::item(item) {
            return;
        }
        match item {
            Item::Const(item) => self.define(&item.ident),
            Item::Enum(item) => self.define(&item.ident),
            Item::ExternCrate(item) => {
                let bound = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
                let meaning = if item.ident == "self" {
                    Meaning::Import(vec!["crate".to_owned()])
                } else {
                    Meaning::OtherCrate
                };
                self.add(plain(bound), meaning);
            }
            Item::Fn(item) => self.define(&item.sig.ident),
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    let exported = item.attrs.iter().any(|a| a.path().is_ident("macro_export"));
                    let reach = if exported { Reach::Exported } else { Reach::Textual };
                    self.macros.push((plain(name), reach));
                    self.define(name);
                }
            }
            Item::Static(item) => self.define(&item.ident),
            Item::Struct(item) => self.define(&item.ident),
            Item::Trait(item) => self.define(&item.ident),
            Item::TraitAlias(item) => self.define(&item.ident),
            Item::Type(item) => self.define(&item.ident),
            Item::Union(item) => self.define(&item.ident),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_foreign_item(&mut self, item: &'ast ForeignItem) {
        match item {
            ForeignItem::Fn(item) => self.define(&item.sig.ident),
            ForeignItem::Static(item) => self.define(&item.ident),
            ForeignItem::Type(item) => self.define(&item.ident),
            _ => {}
        }
    }

    fn visit_item_use(&mut self, declaration: &'ast ItemUse) {
        for import in imports::of(declaration) {
            match import.binding {
                Binding::Name(name) => self.add(name, Meaning::Import(import.path)),
                Binding::Glob => self.scope.globs.push(import.path),
                Binding::Anonymous => {}
            }
        }
    }
}
