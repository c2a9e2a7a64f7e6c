//! A `Cargo.toml`, as far as the checks look into it.
//!
//! Follows the Cargo Book, "The Manifest Format" and "Workspaces". Fields that
//! no check needs are ignored; cargo itself refuses those it does not know.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Table};

/// The tables of one manifest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Manifest {
    pub(crate) package: Option<Table>,
    pub(crate) workspace: Option<WorkspaceTable>,
    pub(crate) lints: Option<Table>,
    pub(crate) lib: Option<TargetTable>,
    #[serde(default)]
    pub(crate) bin: Vec<TargetTable>,
    #[serde(default)]
    pub(crate) test: Vec<TargetTable>,
    #[serde(default)]
    pub(crate) bench: Vec<TargetTable>,
    #[serde(default)]
    pub(crate) example: Vec<TargetTable>,
    #[serde(default)]
    pub(crate) dependencies: Dependencies,
    #[serde(default)]
    pub(crate) dev_dependencies: Dependencies,
    #[serde(default)]
    pub(crate) build_dependencies: Dependencies,
    /// `[target.'…'.dependencies]` and its like, by condition.
    #[serde(default)]
    pub(crate) target: BTreeMap<String, ConditionalTables>,
}

/// `[workspace]`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct WorkspaceTable {
    #[serde(default)]
    pub(crate) exclude: Vec<String>,
    #[serde(default)]
    pub(crate) package: Table,
    #[serde(default)]
    pub(crate) dependencies: Dependencies,
    #[serde(default)]
    pub(crate) lints: Table,
}

/// `[lib]`, `[[bin]]` and their like.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TargetTable {
    pub(crate) path: Option<String>,
}

/// Dependencies for one kind of target only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ConditionalTables {
    #[serde(default)]
    pub(crate) dependencies: Dependencies,
    #[serde(default)]
    pub(crate) dev_dependencies: Dependencies,
    #[serde(default)]
    pub(crate) build_dependencies: Dependencies,
}

/// A table of dependencies by the name that the code uses.
pub(crate) type Dependencies = BTreeMap<Spanned<String>, Specification>;

/// What a dependency says of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Specification {
    /// Only a version.
    Version(#[expect(dead_code, reason = "only the shape matters to the checks")] String),
    /// A table.
    Detailed {
        /// The crate's own name, where it differs from the key.
        package: Option<String>,
        /// Its folder, relative to that of the manifest.
        path: Option<String>,
        /// Whether the workspace's table says the rest.
        #[serde(default)]
        workspace: bool,
    },
}

impl Specification {
    /// Whether the crate lies in a folder that the entry names.
    pub(crate) fn has_path(&self) -> bool {
        matches!(self, Self::Detailed { path: Some(_), .. })
    }
}

/// Reads a manifest.
///
/// # Errors
///
/// What the TOML parser says.
pub(crate) fn parse(text: &str) -> Result<Manifest, toml::de::Error> {
    toml::from_str(text)
}
