//! What is in an initial RAM disk.
//!
//! | path | what |
//! |---|---|
//! | `/init` | the first program: a script that makes things ready and does the task |
//! | `/bin/busybox` | the shell and all programs; links to it are made at start |
//! | `/modules/…` | kernel modules, and `order` with their names |
//! | `/script` | the script, if that is the task |
//! | `/dev/console` | the console, before the kernel's device files are there |
//!
//! Kernel modules that do not load are told on the console and do not stop
//! anything: which of them can depends on the machine.

use thiserror::Error as ThisError;

use crate::archive::{self, Archive, Mode};
use crate::console;

/// First program, up to the task.
const PREPARE: &str = include_str!("ram_disk/prepare.sh");
/// The task of running a script.
const RUN_SCRIPT: &str = include_str!("ram_disk/run_script.sh");
/// The task of giving a shell.
const GIVE_SHELL: &str = include_str!("ram_disk/give_shell.sh");

/// What begins every ELF file.
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// An initial RAM disk to be made.
#[derive(Clone, Copy, Debug)]
pub struct RamDisk<'a> {
    /// A busybox that needs no library.
    pub busybox: &'a [u8],
    /// Kernel modules in the order in which they load.
    pub modules: &'a [Module<'a>],
    /// What the guest does.
    pub task: Task<'a>,
}

/// A kernel module, not compressed.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    /// Name of its file, such as `virtio_blk.ko`.
    pub file_name: &'a str,
    /// The file.
    pub content: &'a [u8],
}

/// What a guest does when it is ready. Then it powers off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task<'a> {
    /// Run this script of busybox's shell, and tell its exit status in a line
    /// for [`console::exit_status`].
    Script(&'a str),
    /// A shell on the console, for a person.
    Shell,
}

/// Why an initial RAM disk cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// Busybox is not a program.
    #[error("what is given as busybox is not an ELF file")]
    Busybox,
    /// A module is not one.
    #[error("module {0} is not an ELF file (a compressed one has to be unpacked before)")]
    NotAModule(String),
    /// A module has a name that the first program cannot read from a list.
    #[error("`{0}` is no name of a module's file: it may have letters, digits, `_`, `-` and `.`")]
    ModuleName(String),
    /// A file does not fit into the archive.
    #[error(transparent)]
    Archive(#[from] archive::Error),
}

impl RamDisk<'_> {
    /// The RAM disk as Linux takes it: an archive, not compressed.
    ///
    /// # Errors
    ///
    /// Busybox or a module is something else, or a module's name is unfit or
    /// used twice.
    pub fn build(&self) -> Result<Vec<u8>, Error> {
        if !self.busybox.starts_with(ELF_MAGIC) {
            return Err(Error::Busybox);
        }
        let mut archive = Archive::default();
        for path in ["bin", "dev", "modules", "proc", "sys", "tmp"] {
            archive.directory(path)?;
        }
        archive.character_device("dev/console", 5, 1)?;
        archive.file("bin/busybox", Mode::Program, self.busybox)?;
        self.add_modules(&mut archive)?;
        let task = match self.task {
            Task::Script(script) => {
                archive.file("script", Mode::Program, script.as_bytes())?;
                format!("mark={}\n{RUN_SCRIPT}", console::mark(script))
            }
            Task::Shell => GIVE_SHELL.to_owned(),
        };
        archive.file("init", Mode::Program, [PREPARE, &task].concat().as_bytes())?;
        Ok(archive.finish())
    }

    fn add_modules(&self, archive: &mut Archive) -> Result<(), Error> {
        let mut order = String::new();
        for Module { file_name, content } in self.modules {
            if !is_module_name(file_name) {
                return Err(Error::ModuleName((*file_name).to_owned()));
            }
            if !content.starts_with(ELF_MAGIC) {
                return Err(Error::NotAModule((*file_name).to_owned()));
            }
            archive.file(&format!("modules/{file_name}"), Mode::Data, content)?;
            order.push_str(file_name);
            order.push('\n');
        }
        Ok(archive.file("modules/order", Mode::Data, order.as_bytes())?)
    }
}

fn is_module_name(name: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    name.ends_with(".ko") && name.bytes().all(fit)
}

#[cfg(test)]
mod tests;
