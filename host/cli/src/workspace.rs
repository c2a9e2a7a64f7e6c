//! The source tree this program works on, as cargo sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;
use crate::session::Network;

/// Folder and manifest by which the tree is recognised.
const LANDMARK: &str = "host/cli/Cargo.toml";

/// The source tree.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    packages: Vec<Package>,
}

/// One of the tree's crates.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    /// Cargo's name for it.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    /// One line about it.
    pub(crate) description: String,
    /// The folder directly below the root that it lies in, such as `kernel`.
    pub(crate) floor: String,
    /// Names under which its library or programs can be documented.
    pub(crate) documented_as: Vec<String>,
    /// Whether it can be built for the developer's machine.
    pub(crate) home: Home,
}

/// Where a crate can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// On the developer's machine too, where its tests run.
    Anywhere,
    /// For bare metal only: nothing of it has tests for the developer's machine.
    BareMetal,
}

/// Where crates run. Some run in both worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// On the developer's machine.
    Host,
    /// Without an operating system.
    BareMetal,
    /// Only without an operating system.
    OnlyBareMetal,
}

impl World {
    /// Whether a crate runs there. All of the kernel is bare metal, though some
    /// of its crates have tests that run on the developer's machine.
    pub(crate) fn contains(self, package: &Package) -> bool {
        let floor = package.floor.as_str();
        let only_bare_metal = floor == "kernel" || package.home == Home::BareMetal;
        match self {
            Self::Host => !only_bare_metal,
            Self::BareMetal => only_bare_metal || ["abi", "lib", "simulator"].contains(&floor),
            Self::OnlyBareMetal => only_bare_metal,
        }
    }
}

/// The part of `cargo metadata`'s answer that is of use here.
#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    version: String,
    description: Option<String>,
    manifest_path: PathBuf,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    name: String,
    doc: bool,
    test: bool,
}

impl Workspace {
    /// Finds the tree at or above the current folder.
    ///
    /// # Errors
    ///
    /// There is none, or cargo cannot read it.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let Some(root) = here.ancestors().find(|folder| folder.join(LANDMARK).is_file()) else {
            bail!("{} is not inside the source tree (no {LANDMARK} above it)", here.display());
        };
        Self::read(root)
    }

    /// Reads the tree whose root folder is `root`.
    ///
    /// # Errors
    ///
    /// Cargo cannot read it.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
        let answer = process::capture(&mut command)?;
        let metadata: Metadata =
            serde_json::from_str(&answer).context("`cargo metadata` gave an unexpected answer")?;
        let mut packages: Vec<Package> =
            metadata.packages.into_iter().map(|package| package.read(root)).collect();
        packages.sort_by(|a, b| (&a.floor, &a.name).cmp(&(&b.floor, &b.name)));
        Ok(Self { root: root.to_owned(), target: metadata.target_directory, packages })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's folder for what it builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// This program's folder for what it builds.
    pub(crate) fn output(&self) -> PathBuf {
        self.target.join("svsm")
    }

    /// All crates, sorted by floor and name.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// `-p NAME` for each crate that runs in this world.
    pub(crate) fn select(&self, world: World) -> Vec<String> {
        self.packages
            .iter()
            .filter(|package| world.contains(package))
            .flat_map(|package| ["-p".to_owned(), package.name.clone()])
            .collect()
    }

    /// Arguments for all crates that can be built for the developer's machine.
    pub(crate) fn select_buildable(&self) -> Vec<String> {
        let excluded = self.packages.iter().filter(|package| package.home == Home::BareMetal);
        let excluded = excluded.flat_map(|package| ["--exclude".to_owned(), package.name.clone()]);
        std::iter::once("--workspace".to_owned()).chain(excluded).collect()
    }

    /// Cargo, to be run in the root folder with the locked dependencies.
    pub(crate) fn cargo(&self, subcommand: &str, network: Network) -> Command {
        let mut command = cargo();
        command.arg(subcommand).arg("--locked").current_dir(&self.root);
        if network == Network::Forbidden {
            command.arg("--offline");
        }
        command
    }
}

impl MetadataPackage {
    fn read(self, root: &Path) -> Package {
        let inside = self.manifest_path.strip_prefix(root).unwrap_or(&self.manifest_path);
        let floor = inside.iter().next().unwrap_or_default().to_string_lossy().into_owned();
        let tested = self.targets.iter().any(|target| target.test);
        let home = if tested { Home::Anywhere } else { Home::BareMetal };
        let documented = self.targets.into_iter().filter(|target| target.doc);
        Package {
            name: self.name,
            version: self.version,
            description: self.description.unwrap_or_default(),
            floor,
            documented_as: documented.map(|target| target.name.replace('-', "_")).collect(),
            manifest: self.manifest_path,
            home,
        }
    }
}

/// The cargo that runs this program, else the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Workspace, World};

    fn this() -> anyhow::Result<Workspace> {
        Workspace::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?)
    }

    #[test]
    fn reads_its_own_tree() -> anyhow::Result<()> {
        let workspace = this()?;
        let own = workspace.packages().iter().find(|package| package.name == "svsm-cli");
        let own = own.ok_or_else(|| anyhow::anyhow!("svsm-cli is missing"))?;
        assert_eq!(
            (own.floor.as_str(), own.documented_as.as_slice()),
            ("host", &["svsm".to_owned()][..])
        );
        assert!(workspace.output().starts_with(workspace.target()));
        Ok(())
    }

    #[test]
    fn selects_by_world() -> anyhow::Result<()> {
        let workspace = this()?;
        let has = |world, name: &str| workspace.select(world).iter().any(|word| word == name);
        for (name, host, bare) in [
            ("svsm-kernel", false, true),
            ("hal", false, true),
            ("hypervisor", false, true),
            ("machine", true, true),
            ("svsm-cli", true, false),
            ("abi-boot", true, true),
        ] {
            assert_eq!(has(World::Host, name), host, "{name}");
            assert_eq!(has(World::BareMetal, name), bare, "{name}");
            assert_eq!(has(World::OnlyBareMetal, name), !host, "{name}");
        }
        Ok(())
    }

    #[test]
    fn bare_metal_programs_are_not_built_for_this_machine() -> anyhow::Result<()> {
        let arguments = this()?.select_buildable().join(" ");
        for (name, excluded) in [("svsm-kernel", true), ("hypervisor", true), ("hal", false)] {
            assert_eq!(arguments.contains(&format!("--exclude {name}")), excluded, "{name}");
        }
        Ok(())
    }
}
