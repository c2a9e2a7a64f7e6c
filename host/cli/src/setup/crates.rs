//! The sources of all dependencies, so that everything builds offline.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;
use crate::process;
use crate::workspace::cargo;

/// The step.
pub(crate) struct Crates;

/// Manifests of the trees that have a lock file of their own.
const MANIFESTS: [&str; 3] = ["Cargo.toml", "fuzz/Cargo.toml", "tests/oracle/Cargo.toml"];

impl Step for Crates {
    fn name(&self) -> String {
        "crates".to_owned()
    }

    fn purpose(&self) -> String {
        "sources of all dependencies, as locked".to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let complete = manifests(machine)
            .all(|manifest| process::succeeds(fetch(machine, &manifest).arg("--offline")));
        let detail = "in cargo's registry".to_owned();
        Ok(complete.then(|| Found { path: machine.root.join("Cargo.lock"), detail }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        Ok(vec![Way::new("run `cargo fetch --locked`", |log: &mut Log| {
            manifests(machine).try_for_each(|manifest| log.run(&mut fetch(machine, &manifest)))
        })])
    }
}

fn manifests(machine: &Machine) -> impl Iterator<Item = PathBuf> {
    let root = machine.root.clone();
    MANIFESTS.into_iter().map(move |path| root.join(path)).filter(|path| path.is_file())
}

fn fetch(machine: &Machine, manifest: &std::path::Path) -> Command {
    let mut command = cargo();
    command.args(["fetch", "--locked", "--manifest-path"]).arg(manifest).current_dir(&machine.root);
    command
}
