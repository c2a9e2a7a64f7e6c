//! The crates of the repository and what they depend on.
//!
//! Every `Cargo.toml` with a `[package]` counts, whether it is a member of the
//! workspace or excluded from it. Stands on [`Manifest`].

use std::collections::BTreeMap;

use crate::manifest::{self, Dependencies, Manifest, Specification, TargetTable};
use crate::problem::{Problem, line_of};
use crate::tree::{Tree, file_name, folder_of, is_below, join};

/// All manifests, taken together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    /// The manifest at the root of the tree.
    pub(crate) root: Manifest,
    /// The crates, sorted by folder.
    pub(crate) packages: Vec<Package>,
}

/// One crate.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Its name in the manifest.
    pub(crate) name: String,
    /// Its folder below the root.
    pub(crate) folder: String,
    /// Whether it is a member of the workspace.
    pub(crate) membership: Membership,
    /// Its manifest.
    pub(crate) manifest: Manifest,
    /// Its dependencies, those of all tables.
    pub(crate) dependencies: Vec<Dependency>,
}

/// How a crate stands to the workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    /// A member.
    Member,
    /// Named in `workspace.exclude`, like the fuzz targets.
    Excluded,
}

/// One dependency of a crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The crate's own name.
    pub(crate) name: String,
    /// When it is needed.
    pub(crate) kind: Kind,
    /// Where it comes from.
    pub(crate) source: Source,
    /// The line of the manifest that names it.
    pub(crate) line: usize,
}

/// When a dependency is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By the crate itself or by its build script.
    Product,
    /// By its tests, examples and benchmarks.
    Development,
}

/// Where a dependency comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The crate in this folder of the tree.
    Folder(String),
    /// A path that leads out of the tree.
    Outside(String),
    /// A registry.
    Registry,
}

impl Workspace {
    /// Reads all manifests of `tree`; those that are malformed become problems.
    pub(crate) fn parse(tree: &Tree) -> (Self, Vec<Problem>) {
        let mut manifests = BTreeMap::new();
        let mut problems = Vec::new();
        for (path, text) in tree.texts("toml").filter(|(path, _)| file_name(path) == "Cargo.toml") {
            match manifest::parse(text) {
                Ok(manifest) => {
                    manifests.insert(path, (text, manifest));
                }
                Err(error) => problems.push(Problem {
                    file: path.to_owned(),
                    line: error.span().map(|span| line_of(text, span.start)),
                    message: format!("not a manifest that cargo would take: {}", error.message()),
                }),
            }
        }
        let root = manifests.get("Cargo.toml").map_or_else(Manifest::default, |(_, m)| m.clone());
        let mut packages = Vec::new();
        for (path, (text, manifest)) in manifests {
            let Some(package) = &manifest.package else { continue };
            match package.get("name").and_then(toml::Value::as_str) {
                Some(name) => packages.push(Package::new(name, path, text, &manifest, &root)),
                None => problems.push(Problem::in_file(path, "[package] has no name")),
            }
        }
        packages.sort_by(|a, b| a.folder.cmp(&b.folder));
        (Self { root, packages }, problems)
    }

    /// The crate in exactly this folder.
    pub(crate) fn package_in(&self, folder: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.folder == folder)
    }

    /// The crate that a file belongs to: the innermost one around it.
    pub(crate) fn package_around(&self, path: &str) -> Option<&Package> {
        self.packages
            .iter()
            .filter(|package| is_below(path, &package.folder))
            .max_by_key(|package| package.folder.len())
    }
}

impl Package {
    fn new(name: &str, path: &str, text: &str, manifest: &Manifest, root: &Manifest) -> Self {
        let folder = folder_of(path).to_owned();
        let excluded = root.workspace.iter().flat_map(|workspace| &workspace.exclude);
        let membership = if excluded.into_iter().any(|e| *e == folder || is_below(&folder, e)) {
            Membership::Excluded
        } else {
            Membership::Member
        };
        let dependencies = tables(manifest)
            .into_iter()
            .flat_map(|(kind, table)| table.iter().map(move |entry| (kind, entry)))
            .map(|(kind, (key, specification))| {
                let (name, source) = resolve(key.as_ref(), specification, &folder, root);
                Dependency { name, kind, source, line: line_of(text, key.span().start) }
            })
            .collect();
        Self { name: name.to_owned(), folder, membership, manifest: manifest.clone(), dependencies }
    }

    /// Whether it takes the entry `key` of the workspace's dependencies.
    pub(crate) fn inherits_dependency(&self, key: &str) -> bool {
        tables(&self.manifest).into_iter().flat_map(|(_, table)| table).any(|(name, entry)| {
            name.get_ref() == key
                && matches!(entry, Specification::Detailed { workspace: true, .. })
        })
    }

    /// The path of its manifest.
    pub(crate) fn manifest_path(&self) -> String {
        self.path("Cargo.toml")
    }

    /// The path of a file below its folder.
    pub(crate) fn path(&self, relative: &str) -> String {
        join(&self.folder, relative).unwrap_or_else(|| relative.to_owned())
    }

    /// The files that the library, the programs and the build script start
    /// with, as far as `tree` has them.
    pub(crate) fn product_roots(&self, tree: &Tree) -> Vec<String> {
        let build = self.manifest.package.as_ref().and_then(|p| p.get("build"));
        let build = build.and_then(toml::Value::as_str).unwrap_or("build.rs");
        let library = self.manifest.lib.as_ref().and_then(|lib| lib.path.as_deref());
        let mut roots = vec![self.path(library.unwrap_or("src/lib.rs")), self.path(build)];
        roots.push(self.path("src/main.rs"));
        roots.extend(self.target_roots(tree, &self.manifest.bin, "src/bin"));
        self.existing(tree, roots)
    }

    /// The files that tests, examples and benchmarks start with.
    pub(crate) fn development_roots(&self, tree: &Tree) -> Vec<String> {
        let mut roots = self.target_roots(tree, &self.manifest.test, "tests");
        roots.extend(self.target_roots(tree, &self.manifest.example, "examples"));
        roots.extend(self.target_roots(tree, &self.manifest.bench, "benches"));
        self.existing(tree, roots)
    }

    /// Roots that the manifest names, and those that cargo finds in `folder`:
    /// its files, and `main.rs` in its folders.
    fn target_roots(&self, tree: &Tree, named: &[TargetTable], folder: &str) -> Vec<String> {
        let folder = self.path(folder);
        let found = tree.texts("rs").map(|(path, _)| path).filter(|path| {
            folder_of(path) == folder
                || (file_name(path) == "main.rs" && folder_of(folder_of(path)) == folder)
        });
        let named = named.iter().filter_map(|target| target.path.as_deref());
        named.map(|path| self.path(path)).chain(found.map(str::to_owned)).collect()
    }

    fn existing(&self, tree: &Tree, mut roots: Vec<String>) -> Vec<String> {
        roots.sort();
        roots.dedup();
        roots.retain(|root| tree.text(root).is_some());
        roots
    }
}

/// All tables of dependencies in `manifest`.
fn tables(manifest: &Manifest) -> Vec<(Kind, &Dependencies)> {
    let mut tables = vec![
        (Kind::Product, &manifest.dependencies),
        (Kind::Product, &manifest.build_dependencies),
        (Kind::Development, &manifest.dev_dependencies),
    ];
    for target in manifest.target.values() {
        tables.push((Kind::Product, &target.dependencies));
        tables.push((Kind::Product, &target.build_dependencies));
        tables.push((Kind::Development, &target.dev_dependencies));
    }
    tables
}

/// Name and source of the dependency `key` in a manifest of `folder`.
fn resolve(
    key: &str,
    specification: &Specification,
    folder: &str,
    root: &Manifest,
) -> (String, Source) {
    let (package, path) = match specification {
        Specification::Version(_) => (None, None),
        Specification::Detailed { workspace: true, .. } => {
            let shared = root.workspace.as_ref().and_then(|w| {
                w.dependencies.iter().find(|(name, _)| name.get_ref() == key).map(|(_, s)| s)
            });
            return match shared {
                Some(Specification::Detailed { package, path, workspace: false }) => {
                    (own_name(key, package.as_deref()), source(path.as_deref(), ""))
                }
                _ => (key.to_owned(), Source::Registry),
            };
        }
        Specification::Detailed { package, path, .. } => (package.as_deref(), path.as_deref()),
    };
    (own_name(key, package), source(path, folder))
}

fn own_name(key: &str, package: Option<&str>) -> String {
    package.unwrap_or(key).to_owned()
}

fn source(path: Option<&str>, folder: &str) -> Source {
    match path {
        None => Source::Registry,
        Some(path) => {
            join(folder, path).map_or_else(|| Source::Outside(path.to_owned()), Source::Folder)
        }
    }
}

#[cfg(test)]
mod tests;
