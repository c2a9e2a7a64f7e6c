//! Kernels of test guests: Debian's, for clouds, as Debian built them.
//!
//! Each stands for an age of Linux's support for SEV-SNP. They are pinned by
//! Debian's release, not by version, because the archive keeps only the newest
//! of each; which one was taken is written down beside it and told.

mod modules;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::apt::{self, Archive};
use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;
use modules::Modules;

/// The package that needs the newest kernel for clouds of a release.
const META_PACKAGE: &str = "linux-image-cloud-amd64";

/// Files of a kernel in the cache.
const IMAGE: &str = "bzImage";
const MODULES: &str = "modules";
/// Names of the files in [`MODULES`] in the order in which they load.
const ORDER: &str = "modules.order";
const VERSION: &str = "version";

/// Files of a kernel.
pub(crate) struct KernelFiles {
    /// The kernel itself.
    pub(crate) image: PathBuf,
    /// Its modules in the order in which they load.
    pub(crate) modules: Vec<PathBuf>,
}

impl KernelFiles {
    /// The files in the folder where a step has put them.
    ///
    /// # Errors
    ///
    /// The list of modules cannot be read.
    pub(super) fn in_folder(folder: &Path) -> Result<Self> {
        let order = std::fs::read_to_string(folder.join(ORDER))
            .with_context(|| format!("cannot read {}", folder.join(ORDER).display()))?;
        let modules = order.lines().map(|name| folder.join(MODULES).join(name)).collect();
        Ok(Self { image: folder.join(IMAGE), modules })
    }
}

/// A kernel, as a step.
pub(crate) struct GuestKernel {
    /// Name of the step, of the form `linux-SERIES`.
    name: &'static str,
    /// What it is good for in tests.
    purpose: &'static str,
    /// Debian's release.
    suite: &'static str,
    /// Modules that guests need and that are not built in; those that they
    /// depend on come along.
    modules: &'static [&'static str],
}

/// Guest of SEV-SNP at VMPL0 only; without a driver for guest requests.
pub(crate) const LINUX_6_1: GuestKernel = GuestKernel {
    name: "linux-6.1",
    purpose: "guest kernel that knows SEV-SNP, but no module at VMPL0",
    suite: "bookworm",
    modules: &[
        "virtio_pci",
        "virtio_console",
        "virtio_blk",
        "virtio_net",
        "vmw_vsock_virtio_transport",
        "configfs",
    ],
};

/// Knows modules at VMPL0, but no vTPM of theirs.
pub(crate) const LINUX_6_12: GuestKernel = GuestKernel {
    name: "linux-6.12",
    purpose: "guest kernel that knows modules at VMPL0",
    suite: "trixie",
    // Its driver for guest requests asks for AES-GCM by name, so nothing says
    // that it depends on it.
    modules: &[
        "virtio_blk",
        "virtio_net",
        "vmw_vsock_virtio_transport",
        "configfs",
        "ghash_generic",
        "gcm",
        "sev_guest",
    ],
};

/// Knows modules at VMPL0, their vTPM, and Secure TSC.
pub(crate) const LINUX_7: GuestKernel = GuestKernel {
    name: "linux-7",
    purpose: "guest kernel that knows modules at VMPL0 and their vTPM",
    suite: "forky",
    modules: &["virtio_blk", "virtio_net", "vmw_vsock_virtio_transport", "configfs", "sev_guest"],
};

impl GuestKernel {
    /// Name, of the form `linux-SERIES`.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }
}

impl Step for GuestKernel {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn purpose(&self) -> String {
        self.purpose.to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = self.place(machine);
        let read = |name| std::fs::read_to_string(path.join(name)).ok();
        let (Some(version), Some(order)) = (read(VERSION), read(ORDER)) else { return Ok(None) };
        // An earlier version of this program may have wanted other modules.
        let is_there = |module: &&str| order.lines().any(|name| name == format!("{module}.ko"));
        let whole = path.join(IMAGE).is_file()
            && self.modules.iter().all(is_there)
            && order.lines().all(|name| path.join(MODULES).join(name).is_file());
        Ok(whole.then(|| Found { path, detail: version.trim_end().to_owned() }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        apt::require(machine, self.name, &self.place(machine))?;
        let how = format!(
            "download Debian {}'s kernel for clouds (up to 40 MB, checked against the archive's \
             signature)",
            self.suite
        );
        Ok(vec![Way::new(how, |log| self.fetch(machine, log))])
    }
}

impl GuestKernel {
    fn place(&self, machine: &Machine) -> PathBuf {
        machine.cache.join("guest").join(self.name)
    }

    fn fetch(&self, machine: &Machine, log: &mut Log) -> Result<()> {
        let archive = Archive::open(&machine.cache, &[self.suite], log)?;
        let staging = machine.cache.staging()?;
        let unpacked = staging.path().join("packages");
        let version = unpack(&archive, self.suite, &unpacked, log)?;
        let (image, release) = find_image(&unpacked)?;
        if !is_of_series(&release, self.series()) {
            bail!(
                "Debian {} has moved on to Linux {release}, and this step wants {}: \
                 its suite in our source has to change",
                self.suite,
                self.series()
            );
        }
        let made = staging.path().join("kernel");
        std::fs::create_dir(&made)
            .and_then(|()| std::fs::rename(&image, made.join(IMAGE)))
            .with_context(|| format!("cannot move {}", image.display()))?;
        let order = Modules::below(&unpacked)?.take(self.modules, &made.join(MODULES))?;
        let version = format!("{release}, Debian's {version} of {}\n", self.suite);
        std::fs::write(made.join(ORDER), order)
            .and_then(|()| std::fs::write(made.join(VERSION), version))
            .with_context(|| format!("cannot write into {}", made.display()))?;
        machine.cache.put(&made, &self.place(machine))
    }

    /// Numbers that its release must begin with, such as `6.1`.
    fn series(&self) -> &'static str {
        self.name.strip_prefix("linux-").unwrap_or(self.name)
    }
}

/// Fetches the newest kernel of a suite and unpacks it, each package into a
/// folder of its own. Newer kernels come in several packages. Gives their
/// version.
fn unpack(archive: &Archive, suite: &str, folder: &Path, log: &mut Log) -> Result<String> {
    let mut packages = vec![META_PACKAGE.to_owned()];
    let mut next = 0;
    while let Some(package) = packages.get(next) {
        for found in archive.dependencies(std::slice::from_ref(package))? {
            if is_part_of_kernel(&found) && !packages.contains(&found) {
                packages.push(found);
            }
        }
        next += 1;
    }
    let mut kernel_version = None;
    for package in packages.iter().filter(|name| *name != META_PACKAGE) {
        let versions = archive.versions(package)?;
        let version =
            versions.first().with_context(|| format!("Debian {suite} has no {package}"))?;
        archive.unpack(package, version, &folder.join(package), log)?;
        if package.starts_with("linux-image-") {
            kernel_version = Some(version.clone());
        }
    }
    kernel_version.with_context(|| format!("{META_PACKAGE} of Debian {suite} needs no kernel"))
}

fn is_part_of_kernel(package: &str) -> bool {
    package.starts_with("linux-") && package.ends_with("-cloud-amd64")
}

/// The kernel's file and its release (as `uname -r` tells it) among unpacked
/// packages: `boot/vmlinuz-RELEASE`, or since Linux 7
/// `usr/lib/modules/RELEASE/vmlinuz`.
fn find_image(folder: &Path) -> Result<(PathBuf, String)> {
    let images = modules::files_below(folder)?.into_iter().filter_map(|file| {
        let name = file.file_name()?.to_str()?;
        let release = match name.strip_prefix("vmlinuz") {
            Some("") => file.parent()?.file_name()?.to_str()?,
            Some(rest) => rest.strip_prefix('-')?,
            None => return None,
        };
        let release = release.to_owned();
        Some((file, release))
    });
    let images: Vec<_> = images.collect();
    match <[_; 1]>::try_from(images) {
        Ok([image]) => Ok(image),
        Err(images) => bail!("Debian's packages hold {} kernels, not one", images.len()),
    }
}

/// Whether a release such as `6.1.0-50-cloud-amd64` belongs to a series such as
/// `6.1` or `6`.
fn is_of_series(release: &str, series: &str) -> bool {
    release.strip_prefix(series).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests;
