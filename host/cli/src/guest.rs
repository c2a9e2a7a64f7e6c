//! Test guests: a stock kernel and an initial RAM disk for it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use svsm_initrd::ram_disk::{Module, RamDisk, Task};

use crate::setup::{KernelFiles, Toolbox};

/// Makes an initial RAM disk with all modules of `kernel`.
///
/// # Errors
///
/// Busybox is missing and cannot be had, or a file cannot be read or is not
/// what it should be.
pub(crate) fn ram_disk(toolbox: &Toolbox, kernel: &KernelFiles, task: Task<'_>) -> Result<Vec<u8>> {
    let busybox = read(&toolbox.busybox()?)?;
    let mut modules = Vec::new();
    for file in &kernel.modules {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        modules.push((name, read(file)?));
    }
    let modules: Vec<Module<'_>> =
        modules.iter().map(|(file_name, content)| Module { file_name, content }).collect();
    Ok(RamDisk { busybox: &busybox, modules: &modules, task }.build()?)
}

/// As [`ram_disk`], in a file of `folder`.
///
/// # Errors
///
/// As [`ram_disk`], and if the file cannot be written.
pub(crate) fn ram_disk_in(
    folder: &Path,
    toolbox: &Toolbox,
    kernel: &KernelFiles,
    task: Task<'_>,
) -> Result<PathBuf> {
    let path = folder.join("initrd");
    std::fs::write(&path, ram_disk(toolbox, kernel, task)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}
