//! Check: nobody imports upwards, and no crates form a circle.
//!
//! The folder says on which floor a crate stands (`docs/src/architecture.md`).
//! What the product is made of may only lean on what [`Floor::may_use`]
//! allows; tests may look at everything that is not higher than they are.
//! Tests count for circles too: cargo would let a crate's tests use a crate
//! that uses it.

use crate::circle::{Graph, circles};
use crate::problem::Problem;
use crate::sources::Sources;
use crate::workspace::{Kind, Package, Source};

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Floor {
    Abi,
    Lib,
    Hal,
    KernelSubsystem,
    KernelBinary,
    UserRuntime,
    UserProgram,
    Host,
    SimulatorMachine,
    SimulatorHypervisor,
    Tests,
    Fuzz,
}

impl Floor {
    /// The floor of the crate in `folder`, if crates may be there.
    fn of(folder: &str) -> Option<Self> {
        if folder == "fuzz" {
            return Some(Self::Fuzz);
        }
        let (building, room) = folder.split_once('/')?;
        if room.contains('/') {
            return None;
        }
        Some(match (building, room) {
            ("abi", _) => Self::Abi,
            ("lib", _) => Self::Lib,
            ("kernel", "hal") => Self::Hal,
            ("kernel", "svsm") => Self::KernelBinary,
            ("kernel", _) => Self::KernelSubsystem,
            ("user", "rt") => Self::UserRuntime,
            ("user", _) => Self::UserProgram,
            ("host", _) => Self::Host,
            ("simulator", "machine") => Self::SimulatorMachine,
            ("simulator", "hypervisor") => Self::SimulatorHypervisor,
            ("tests", _) => Self::Tests,
            _ => return None,
        })
    }

    /// How high it is, counted from the ground, across all buildings.
    fn height(self) -> u8 {
        match self {
            Self::Abi => 0,
            Self::Lib => 1,
            Self::Hal | Self::UserRuntime | Self::Host | Self::SimulatorMachine => 2,
            Self::KernelSubsystem | Self::UserProgram | Self::SimulatorHypervisor => 3,
            Self::KernelBinary => 4,
            Self::Tests | Self::Fuzz => 5,
        }
    }

    /// Whether the product's crates on this floor may use those on `other`.
    fn may_use(self, other: Self) -> bool {
        use Floor::{
            Abi, Fuzz, Hal, Host, KernelBinary, KernelSubsystem, Lib, SimulatorHypervisor,
            SimulatorMachine, Tests, UserProgram, UserRuntime,
        };
        match self {
            Abi => other == Abi,
            Lib | Hal | UserRuntime | SimulatorMachine => matches!(other, Abi | Lib),
            KernelSubsystem | KernelBinary => matches!(other, Abi | Lib | Hal | KernelSubsystem),
            UserProgram => matches!(other, Abi | Lib | UserRuntime),
            Host => matches!(other, Abi | Lib | Host),
            SimulatorHypervisor => matches!(other, Abi | Lib | SimulatorMachine),
            Tests | Fuzz => !matches!(other, Tests | Fuzz),
        }
    }
}

/// Reports each dependency that leads upwards, to where no crate is, or round
/// in a circle, and each crate on no floor.
pub(crate) fn check(sources: &Sources<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &sources.workspace.packages {
        match Floor::of(&package.folder) {
            Some(floor) => problems.extend(upward(sources, package, floor)),
            None => problems.push(Problem::in_file(
                package.manifest_path(),
                "a crate in a folder that is on no floor: see docs/src/architecture.md",
            )),
        }
    }
    problems.extend(crate_circles(sources));
    problems
}

/// The dependencies of a crate on `floor` that it may not have.
fn upward(sources: &Sources<'_>, package: &Package, floor: Floor) -> Vec<Problem> {
    let mut problems = Vec::new();
    for dependency in &package.dependencies {
        let message = match &dependency.source {
            Source::Registry => None,
            Source::Outside(path) => Some(format!("{path} leads out of the repository")),
            Source::Folder(folder) => {
                match (sources.workspace.package_in(folder), Floor::of(folder)) {
                    (None, _) => Some(format!("there is no crate in {folder}")),
                    // That crate is reported itself.
                    (Some(_), None) => None,
                    (Some(_), Some(other)) => {
                        refusal(package, floor, folder, other, dependency.kind)
                    }
                }
            }
        };
        problems
            .extend(message.map(|m| Problem::at_line(package.manifest_path(), dependency.line, m)));
    }
    problems
}

fn refusal(
    package: &Package,
    floor: Floor,
    folder: &str,
    other: Floor,
    kind: Kind,
) -> Option<String> {
    let own = &package.folder;
    match kind {
        Kind::Product if !floor.may_use(other) => Some(format!(
            "{own} may not use {folder}, which is not on a floor below it: \
             move what both need further down"
        )),
        Kind::Development if other.height() > floor.height() => {
            Some(format!("the tests of {own} may not use {folder}, which is above it"))
        }
        Kind::Product | Kind::Development => None,
    }
}

/// Circles of crates, with the line of each dependency.
fn crate_circles(sources: &Sources<'_>) -> Vec<Problem> {
    let mut graph: Graph<String> = Graph::new();
    for package in &sources.workspace.packages {
        for dependency in &package.dependencies {
            if let Source::Folder(folder) = &dependency.source {
                let manifest = format!("{folder}/Cargo.toml");
                let edges = graph.entry(package.manifest_path()).or_default();
                edges.entry(manifest).or_insert(dependency.line);
            }
        }
    }
    let circles = circles(&graph);
    let problems = circles.iter().filter_map(|circle| {
        let (manifest, line) = circle.0.first()?;
        Some(Problem::at_line(manifest, *line, format!("crates form a circle: {circle}")))
    });
    problems.collect()
}

#[cfg(test)]
mod tests;
