//! The module, a stock kernel below it, a script for that, and the machine that
//! they are to run on.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use abi_snp::{Digest, SevFeatures};
use anyhow::{Context, Result};
use svsm_image::file::Igvm;
use svsm_image::manifest::LinuxPayload;
use svsm_image::measure::{Options, snp_launch_digest};
use svsm_initrd::ram_disk::Task;
use tempfile::TempDir;

use crate::guest;
use crate::module_image::image_in;
use crate::project::Project;
use crate::setup::GuestKernel;
use crate::simulation::{Devices, Image, Pace, Platform, Request};

/// Far more than any guest takes on a slow machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(900);

/// What the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    /// Processors.
    pub(super) cpus: u32,
    /// Memory.
    pub(super) memory_mib: u64,
    /// SEV features that the module asks for, beside SEV-SNP.
    pub(super) features: SevFeatures,
}

/// A module with a guest that can be run.
pub(super) struct Guest {
    /// How.
    pub(super) request: Request,
    /// What the image must be measured as.
    pub(super) digest: Digest,
    /// Where its files are.
    folder: TempDir,
}

impl Guest {
    /// The module of this tree with `kernel` below it, which runs `script` and
    /// powers off. Messages of the compiler go to `messages`.
    ///
    /// # Errors
    ///
    /// The module does not compile, the kernel or busybox is missing and cannot
    /// be had, or a file cannot be written.
    pub(super) fn new(
        project: &Project,
        kernel: &GuestKernel,
        size: Size,
        script: &str,
        messages: Stdio,
    ) -> Result<Self> {
        let kernel = project.toolbox.guest_kernel(kernel)?;
        let folder = tempfile::tempdir().context("cannot create a folder for the image")?;
        let task = Task::Script(script);
        let initrd = guest::ram_disk_in(folder.path(), &project.toolbox, &kernel, task)?;
        let payload = LinuxPayload {
            kernel: kernel.image,
            initrd: Some(initrd),
            // A panic ends the run at once.
            command_line: "console=ttyS0 quiet panic=-1".to_owned(),
        };
        let platform =
            Platform { cpus: size.cpus, memory: size.memory_mib << 20, ..Platform::default() };
        let image = image_in(
            folder.path(),
            project,
            Some(payload),
            platform.c_bit,
            size.features,
            messages,
        )?;
        let bytes =
            std::fs::read(&image).with_context(|| format!("cannot read {}", image.display()))?;
        let digest = snp_launch_digest(&Igvm::parse(&bytes)?, &Options::default())?.digest;
        let request = Request {
            image: Image::Igvm(image),
            // It is in the image.
            command_line: String::new(),
            platform,
            devices: Devices::default(),
            pace: Pace::RealTime,
            debugger: None,
            limit: Some(LIMIT),
            expect: None,
        };
        Ok(Self { request, digest, folder })
    }

    /// Attaches a disk with this content; the file that it is.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn attach_disk(&mut self, content: &[u8]) -> Result<PathBuf> {
        let path = self.folder.path().join("disk");
        std::fs::write(&path, content)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.request.devices.disk = Some(path.clone());
        Ok(path)
    }
}
