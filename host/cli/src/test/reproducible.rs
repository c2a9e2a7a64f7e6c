//! Builds the image from two copies of the tree in different folders: all bytes
//! must be the same.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use svsm_image::diff::Diff;
use svsm_image::file::Igvm;

use crate::jobs::Counts;
use crate::log::Log;
use crate::process;
use crate::project::Project;
use crate::session::Network;

/// Names of different length, so that a path in the output moves what follows.
const FOLDERS: [&str; 2] = ["a", "folder-with-a-much-longer-name/and-deeper"];

/// Files of the default image.
const FILES: [&str; 2] = ["svsm.igvm", "svsm-native.elf"];

/// Builds both copies and compares their files.
///
/// # Errors
///
/// A copy cannot be made or built.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let temporary = tempfile::tempdir().context("cannot create a folder")?;
    let copies = FOLDERS.map(|name| temporary.path().join(name));
    let files = source_files(project.workspace.root())?;
    for copy in &copies {
        copy_files(&files, project.workspace.root(), copy)?;
        build(project, copy, log)?;
    }
    let mut counts = Counts::default();
    for file in FILES {
        let [first, second] = &copies;
        if same(&built(first, file), &built(second, file), log)? {
            counts.passed += 1;
        } else {
            counts.failed += 1;
        }
    }
    Ok(counts)
}

/// The files of the working tree that git tracks or would track: what a commit
/// of everything would hold. Relative to `root`.
fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let list = process::capture(&mut git)?;
    let names = list.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    // Deleted files are still listed until the deletion is committed.
    Ok(names.filter(|name| root.join(name).symlink_metadata().is_ok()).collect())
}

fn copy_files(files: &[PathBuf], from: &Path, to: &Path) -> Result<()> {
    for name in files {
        let target = to.join(name);
        let folder = target.parent().unwrap_or(to);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::copy(from.join(name), &target))
            .with_context(|| format!("cannot copy {} to {}", name.display(), target.display()))?;
    }
    Ok(())
}

/// Runs this very program in a copy.
fn build(project: &Project, copy: &Path, log: &mut Log) -> Result<()> {
    let program = std::env::current_exe().context("this program does not know its own file")?;
    let mut command = Command::new(program);
    command.arg("build").current_dir(copy);
    if project.session.network == Network::Forbidden {
        command.arg("--offline");
    }
    // Each copy builds in a folder of its own.
    log.run(command.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET_DIR"))
}

fn built(copy: &Path, file: &str) -> PathBuf {
    copy.join("target/svsm/release").join(file)
}

/// Compares two files; says into the log where they differ.
fn same(first: &Path, second: &Path, log: &mut Log) -> Result<bool> {
    let read = |path: &Path| {
        std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let (left, right) = (read(first)?, read(second)?);
    let name = first.file_name().unwrap_or_default().to_string_lossy();
    if left == right {
        log.say(&format!("{name}: the same {} bytes", left.len()))?;
        return Ok(true);
    }
    let place = left.iter().zip(&right).position(|(a, b)| a != b);
    let place = place.unwrap_or(left.len().min(right.len()));
    log.say(&format!(
        "{name}: {} and {} bytes, different from byte {place:#x} on",
        left.len(),
        right.len()
    ))?;
    // In words, if both are IGVM files.
    if let (Ok(left), Ok(right)) = (Igvm::parse(&left), Igvm::parse(&right)) {
        log.say(&Diff::new(&left, &right).to_string())?;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use anyhow::Result;

    use super::{copy_files, same, source_files};
    use crate::log::Log;
    use crate::process;

    fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
        let mut command = Command::new("git");
        process::capture(command.args(identity).args(arguments).current_dir(folder)).map(drop)
    }

    #[test]
    fn the_working_tree_counts_not_the_last_commit() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        for name in ["kept", "deleted", ".gitignore"] {
            std::fs::write(root.join(name), "ignored\n")?;
        }
        git(root, &["init", "-q"])?;
        git(root, &["add", "."])?;
        git(root, &["commit", "-q", "-m", "first"])?;
        std::fs::remove_file(root.join("deleted"))?;
        std::fs::create_dir(root.join("sub"))?;
        std::fs::write(root.join("sub/new"), "new")?;
        std::fs::write(root.join("kept"), "changed")?;
        std::fs::write(root.join("ignored"), "")?;

        let mut files = source_files(root)?;
        files.sort();
        assert_eq!(files, [".gitignore", "kept", "sub/new"].map(PathBuf::from));
        let copy = tempfile::tempdir()?;
        copy_files(&files, root, copy.path())?;
        assert_eq!(std::fs::read_to_string(copy.path().join("kept"))?, "changed");
        assert_eq!(std::fs::read_to_string(copy.path().join("sub/new"))?, "new");
        Ok(())
    }

    #[test]
    fn a_difference_is_located() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            std::fs::write(folder.path().join(name), text)?;
            Ok(folder.path().join(name))
        };
        let mut log = Log::create(folder.path().join("log"))?;
        let (a, b, c) = (write("a", "same")?, write("b", "same")?, write("c", "sane+")?);
        assert!(same(&a, &b, &mut log)?);
        assert!(!same(&a, &c, &mut log)?);
        assert!(log.text()?.contains("4 and 5 bytes, different from byte 0x2 on"));
        Ok(())
    }
}
