//! The simulator's hypervisor, as a program for QEMU's `-kernel`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::build;
use crate::project::Project;

/// Package of the program.
const PACKAGE: &str = "hypervisor";

/// Cargo's profile for it: fast, for it stands between the guest and an emulator
/// that is slow enough.
const PROFILE: &str = "simulator";

/// Builds the program and says where it is. Messages of the compiler go to
/// `messages`.
///
/// # Errors
///
/// It cannot be built.
pub(crate) fn hypervisor(project: &Project, messages: Stdio) -> Result<PathBuf> {
    let packages = BTreeSet::from([PACKAGE]);
    let mut programs = build::compile(project, &packages, PROFILE, messages)?;
    programs.remove(PACKAGE).context("the simulator's hypervisor was not built")
}
