//! Cargo for the bare-metal target, so that the same source gives the same
//! bytes in every folder and on every machine.
//!
//! Folders that the compiler would write into its output are replaced by fixed
//! names, and what a user has set for their own builds does not count here.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::project::Project;
use crate::setup::TARGET;

/// Separates flags in `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// Cargo with `subcommand` for the bare-metal target. Provides the libraries
/// that it needs.
///
/// # Errors
///
/// The libraries are missing and cannot be had.
pub(crate) fn cargo(project: &Project, subcommand: &str) -> Result<Command> {
    let mut command = project.workspace.cargo(subcommand, project.session.network);
    for variable in unwelcome(std::env::vars_os().map(|(name, _)| name)) {
        command.env_remove(variable);
    }
    command.args(["--target", TARGET]);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(project)?.join(SEPARATOR));
    command.env("CARGO_ENCODED_RUSTDOCFLAGS", library_flags(project)?.join(SEPARATOR));
    Ok(command)
}

/// Variables that would change what is built, of those that are set.
pub(crate) fn unwelcome(variables: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const NAMES: [&str; 4] =
        ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_INCREMENTAL"];
    const BEGINNINGS: [&str; 2] = ["CARGO_PROFILE_", "CARGO_TARGET_X86_64_UNKNOWN_NONE_"];
    let is_unwelcome = |name: &OsStr| {
        name.to_str().is_some_and(|name| {
            NAMES.contains(&name) || BEGINNINGS.iter().any(|start| name.starts_with(start))
        })
    };
    let mut found: Vec<OsString> = variables.filter(|name| is_unwelcome(name)).collect();
    found.sort();
    found
}

/// Makes rustdoc treat warnings as errors in a command from [`cargo`].
///
/// # Errors
///
/// As [`cargo`].
pub(crate) fn deny_documentation_warnings(command: &mut Command, project: &Project) -> Result<()> {
    let mut flags = library_flags(project)?;
    flags.extend(["-D".to_owned(), "warnings".to_owned()]);
    command.env("CARGO_ENCODED_RUSTDOCFLAGS", flags.join(SEPARATOR));
    Ok(())
}

/// Tells compilers where core and alloc are, if they do not know.
fn library_flags(project: &Project) -> Result<Vec<String>> {
    let libraries = project.toolbox.bare_metal()?.folder;
    let flag = |folder: PathBuf| ["-L".to_owned(), folder.display().to_string()];
    Ok(libraries.into_iter().flat_map(flag).collect())
}

/// Ciphers and hashes in portable code: the target has no vector registers, and
/// LLVM fails on the vector code that is compiled otherwise, though nothing calls
/// it.
const PORTABLE: [&str; 8] = [
    "--cfg",
    "aes_backend=\"soft\"",
    "--cfg",
    "polyval_backend=\"soft\"",
    "--cfg",
    "sha1_backend=\"soft\"",
    "--cfg",
    "sha2_backend=\"soft\"",
];

/// Frame pointers, by which the kernel says who called whom when it stops.
const FRAME_POINTERS: &str = "-Cforce-frame-pointers=yes";

/// The compiler's flags. They take the place of those in cargo's configuration
/// files, too.
fn flags(project: &Project) -> Result<Vec<String>> {
    let mut flags = library_flags(project)?;
    flags.extend(PORTABLE.map(str::to_owned));
    flags.push(FRAME_POINTERS.to_owned());
    let commit = project.toolbox.compiler_commit();
    let sysroot = process::capture(
        Command::new("rustc").args(["--print", "sysroot"]).current_dir(project.workspace.root()),
    )?;
    // Where rustup's rust-src is installed, the compiler writes its path in
    // place of the one that core was built with.
    let core = Path::new(sysroot.trim_end()).join("lib/rustlib/src/rust");
    let folders = [
        (core, format!("/rustc/{commit}")),
        (cargo_home()?, "/cargo".to_owned()),
        (project.workspace.root().to_owned(), "/svsm".to_owned()),
        (project.workspace.target().to_owned(), "/target".to_owned()),
    ];
    flags.extend(folders.iter().map(|(from, to)| remap(from, to)));
    Ok(flags)
}

/// Of several that match, the compiler takes the last: the more special ones
/// come later.
fn remap(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}

/// Where cargo keeps the sources of dependencies.
fn cargo_home() -> Result<PathBuf> {
    std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
        .context("cargo's home is unknown: set HOME or CARGO_HOME")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::{remap, unwelcome};

    #[test]
    fn what_changes_the_build_is_unwelcome() {
        let set =
            ["PATH", "RUSTFLAGS", "CARGO_PROFILE_MODULE_OPT_LEVEL", "CARGO_HOME", "RUSTC_WRAPPER"];
        let found = unwelcome(set.into_iter().map(OsString::from));
        assert_eq!(found, ["CARGO_PROFILE_MODULE_OPT_LEVEL", "RUSTFLAGS"]);
    }

    #[test]
    fn folders_are_renamed() {
        assert_eq!(remap(Path::new("/home/me/x"), "/svsm"), "--remap-path-prefix=/home/me/x=/svsm");
    }
}
