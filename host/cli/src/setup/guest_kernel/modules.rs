//! Kernel modules: which there are, what they need, in which order they load.
//!
//! Packages do not hold `modules.dep`, which is made when they are installed.
//! What it is made from stands in each module: the ELF section `.modinfo`
//! holds strings `key=value`, each with a zero byte at its end, and `depends`
//! names other modules with commas between them.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lzma_rust2::XzReader;
use object::{Object, ObjectSection};

/// Modules larger than this are refused: the largest of Debian's are below.
const LARGEST: u64 = 32 << 20;

/// Modules by name, with `_` for the `-` of some file names.
pub(super) struct Modules(BTreeMap<String, PathBuf>);

impl Modules {
    /// All modules in a folder and the folders below it.
    ///
    /// # Errors
    ///
    /// A folder cannot be read.
    pub(super) fn below(folder: &Path) -> Result<Self> {
        let named = |file: PathBuf| {
            let name = file.file_name()?.to_str()?;
            let stem = name.strip_suffix(".xz").unwrap_or(name).strip_suffix(".ko")?;
            Some((stem.replace('-', "_"), file))
        };
        Ok(Self(files_below(folder)?.into_iter().filter_map(named).collect()))
    }

    /// Copies the modules named, and those that they need, into a new folder,
    /// uncompressed. Gives the files' names in the order in which they load,
    /// one in a line.
    ///
    /// # Errors
    ///
    /// A module is missing or is not one, modules need each other in a circle,
    /// or the folder cannot be written.
    pub(super) fn take(&self, names: &[&str], folder: &Path) -> Result<String> {
        let mut visit = Visit { modules: self, begun: Vec::new(), done: Vec::new() };
        for name in names {
            visit.module(name)?;
        }
        std::fs::create_dir(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let mut order = String::new();
        for (name, content) in visit.done {
            let file = folder.join(format!("{name}.ko"));
            std::fs::write(&file, content)
                .with_context(|| format!("cannot write {}", file.display()))?;
            order.push_str(&format!("{name}.ko\n"));
        }
        Ok(order)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let Some(path) = self.0.get(name) else { bail!("the kernel has no module {name}") };
        read(path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// A walk through modules, those first that others need.
struct Visit<'a> {
    modules: &'a Modules,
    /// Names on the way to the current one.
    begun: Vec<String>,
    /// Finished modules in the order in which they load, with their content.
    done: Vec<(String, Vec<u8>)>,
}

impl Visit<'_> {
    fn module(&mut self, name: &str) -> Result<()> {
        if self.done.iter().any(|(done, _)| done == name) {
            return Ok(());
        }
        if self.begun.iter().any(|begun| begun == name) {
            bail!("modules need each other in a circle: {}, {name}", self.begun.join(", "));
        }
        let content = self.modules.read(name)?;
        self.begun.push(name.to_owned());
        for needed in dependencies(&content).with_context(|| format!("module {name}"))? {
            self.module(&needed)?;
        }
        self.begun.pop();
        self.done.push((name.to_owned(), content));
        Ok(())
    }
}

/// Names of the modules that a module needs directly.
fn dependencies(module: &[u8]) -> Result<Vec<String>> {
    let file = object::File::parse(module).context("it is not an ELF file")?;
    let section = file.section_by_name(".modinfo").context("it has no section .modinfo")?;
    let information = section.data().context("its section .modinfo cannot be read")?;
    let depends = information.split(|byte| *byte == 0).find_map(|s| s.strip_prefix(b"depends="));
    let depends = depends.context("it does not say what it depends on")?;
    let depends = std::str::from_utf8(depends).context("its dependencies are not text")?;
    let names = depends.split(',').filter(|name| !name.is_empty());
    Ok(names.map(|name| name.replace('-', "_")).collect())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path)?;
    let mut content = Vec::new();
    if path.extension().is_some_and(|extension| extension == "xz") {
        XzReader::new(file, true).take(LARGEST + 1).read_to_end(&mut content)?;
    } else {
        file.take(LARGEST + 1).read_to_end(&mut content)?;
    }
    if content.len() as u64 > LARGEST {
        bail!("it is larger than {LARGEST} bytes");
    }
    Ok(content)
}

/// Files in a folder and the folders below it; symbolic links are not followed.
///
/// # Errors
///
/// A folder cannot be read.
pub(super) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = || format!("cannot read {}", folder.display());
        for entry in std::fs::read_dir(&folder).with_context(failed)? {
            let entry = entry.with_context(failed)?;
            let kind = entry.file_type().with_context(failed)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests;
