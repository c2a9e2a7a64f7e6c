//! What a run starts: an IGVM file that is there, the module with or without a
//! guest, or Linux alone.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use abi_snp::SevFeatures;
use anyhow::{Context, Result};
use svsm_image::manifest::{ConsoleName, LinuxPayload};
use svsm_initrd::ram_disk::Task;
use tempfile::TempDir;

use crate::guest;
use crate::module_image::CompiledModule;
use crate::project::Project;
use crate::setup::{KernelFiles, LINUX_7};
use crate::simulation::{Image, LinuxImage, hypervisor};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// An IGVM file, and a command line for it if it asks its loader for one.
    Igvm(PathBuf, String),
    /// The module alone.
    Module,
    /// Linux below the module.
    UnderModule(Linux),
    /// Linux at VMPL0, without the module.
    Bare(Linux),
}

/// Which Linux.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Linux {
    /// A bzImage; Debian's kernel 7 if none is named.
    pub(super) kernel: Option<PathBuf>,
    /// Its initial RAM disk. A named kernel has none otherwise, unless it is to
    /// run a script.
    pub(super) initrd: Option<PathBuf>,
    /// Its command line, if it is not to be the usual one.
    pub(super) append: Option<String>,
    /// A script to run in it, in place of a shell.
    pub(super) script: Option<PathBuf>,
}

/// What is there to be started.
pub(super) struct Provided {
    pub(super) image: Image,
    /// For the image.
    pub(super) command_line: String,
    /// Text of the script that runs.
    pub(super) script: Option<String>,
    /// What a person should know of the image.
    pub(super) note: Option<String>,
    /// Holds its files until the run is over.
    _folder: Option<TempDir>,
}

impl Provided {
    /// An IGVM file that is there.
    pub(super) const fn igvm(path: PathBuf, command_line: String) -> Self {
        Self { image: Image::Igvm(path), command_line, script: None, note: None, _folder: None }
    }
}

/// Finds or makes what is wanted, for a platform with this C-bit.
///
/// # Errors
///
/// A file cannot be read, the module or the simulator cannot be built, or the
/// kernel or busybox is missing and cannot be had.
pub(super) fn provide(project: &Project, wanted: Wanted, c_bit: u32) -> Result<Provided> {
    // What takes long comes first, while there is nothing to clean up if
    // somebody loses patience.
    hypervisor(project, Stdio::inherit())?;
    match wanted {
        Wanted::Igvm(path, command_line) => Ok(Provided::igvm(path, command_line)),
        Wanted::Module => {
            let module = CompiledModule::new(project, Stdio::inherit())?;
            with_module(&module, None, None, c_bit, folder()?)
        }
        Wanted::UnderModule(linux) => {
            let module = CompiledModule::new(project, Stdio::inherit())?;
            let Guest { payload, script, folder } = guest_of(project, linux)?;
            with_module(&module, Some(payload), script, c_bit, folder)
        }
        Wanted::Bare(linux) => {
            let Guest { payload, script, folder } = guest_of(project, linux)?;
            Ok(Provided {
                image: Image::Linux(LinuxImage::new(payload.kernel, payload.initrd)),
                command_line: payload.command_line,
                script,
                note: None,
                _folder: Some(folder),
            })
        }
    }
}

fn folder() -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("svsm-run-").tempdir();
    folder.context("cannot create a folder for the image")
}

/// A guest whose files are all there.
struct Guest {
    payload: LinuxPayload,
    script: Option<String>,
    /// For files, of which it has some already.
    folder: TempDir,
}

fn guest_of(project: &Project, linux: Linux) -> Result<Guest> {
    let Linux { kernel, initrd, append, script } = linux;
    let script = script.map(|path| {
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    });
    let script = script.transpose()?;
    let usual = usual_command_line(kernel.as_deref(), script.as_deref());
    let command_line = append.unwrap_or_else(|| usual.to_owned());
    let task = script.as_deref().map(Task::Script);
    let (kernel, task) = match kernel {
        None => (project.toolbox.guest_kernel(&LINUX_7)?, Some(task.unwrap_or(Task::Shell))),
        // Nobody knows where its modules are.
        Some(image) => (KernelFiles { image, modules: Vec::new() }, task),
    };
    let ram_disk = match (&initrd, task) {
        (None, Some(task)) => Some(guest::ram_disk(&project.toolbox, &kernel, task)?),
        _ => None,
    };
    let folder = folder()?;
    let initrd = match ram_disk {
        Some(bytes) => Some(write(folder.path().join("initrd"), &bytes)?),
        None => initrd,
    };
    let payload = LinuxPayload { kernel: kernel.image, initrd, command_line };
    Ok(Guest { payload, script, folder })
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<PathBuf> {
    std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The command line of a kernel that is given none: what our RAM disks need. A
/// script must end, so a panic is an end, too.
fn usual_command_line(kernel: Option<&Path>, script: Option<&str>) -> &'static str {
    match (kernel, script) {
        (_, Some(_)) => "console=ttyS0 quiet panic=-1",
        (None, None) => "console=ttyS0 quiet",
        (Some(_), None) => "",
    }
}

/// The module with `guest` below it, which runs `script`, in a file in `folder`.
fn with_module(
    module: &CompiledModule,
    guest: Option<LinuxPayload>,
    script: Option<String>,
    c_bit: u32,
    folder: TempDir,
) -> Result<Provided> {
    let igvm =
        write(folder.path().join("svsm.igvm"), &module.image(guest, c_bit, SevFeatures::empty())?)?;
    Ok(Provided {
        image: Image::Igvm(igvm),
        command_line: String::new(),
        script,
        note: note(module.console()),
        _folder: Some(folder),
    })
}

/// What to say about a console that shows the module's messages.
fn note(console: ConsoleName) -> Option<String> {
    let whose = match console {
        ConsoleName::None => return None,
        ConsoleName::Host => "what the module tells the host",
        ConsoleName::Tenant => "what the module tells the guest's owner alone",
    };
    Some(format!("an image for development: the console shows {whose}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ConsoleName, note, usual_command_line};

    #[test]
    fn a_console_that_shows_something_is_told_of() {
        assert_eq!(note(ConsoleName::None), None);
        for console in [ConsoleName::Host, ConsoleName::Tenant] {
            assert!(note(console).is_some_and(|note| note.contains("development")));
        }
    }

    #[test]
    fn scripts_end_with_a_panic() {
        assert_eq!(usual_command_line(None, None), "console=ttyS0 quiet");
        assert_eq!(usual_command_line(Some(Path::new("k")), None), "");
        for kernel in [None, Some(Path::new("k"))] {
            assert!(usual_command_line(kernel, Some("exit 0")).ends_with("panic=-1"));
        }
    }
}
