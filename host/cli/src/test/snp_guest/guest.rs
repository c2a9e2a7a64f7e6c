//! A stock kernel, a script for it, and the machine that it is to run on.

use std::time::Duration;

use abi_snp::SevFeatures;
use anyhow::{Context, Result};
use svsm_initrd::ram_disk::Task;
use tempfile::TempDir;

use crate::guest;
use crate::project::Project;
use crate::setup::GuestKernel;
use crate::simulation::{self, Devices, Image, LinuxImage, Pace, Platform, Request};

/// Far more than any guest takes on a slow machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(300);

/// A guest that can be run.
pub(super) struct Guest {
    /// How. The image is a bare Linux image of the kernel and a RAM disk that
    /// runs the script; it may be asked for a changed platform.
    pub(super) request: Request,
    /// Where its files are.
    folder: TempDir,
}

impl Guest {
    /// A guest that starts `kernel` at VMPL0, runs `script` and powers off, on
    /// the platform that is the default.
    ///
    /// # Errors
    ///
    /// As [`Self::with_features`].
    pub(super) fn new(project: &Project, kernel: &GuestKernel, script: &str) -> Result<Self> {
        Self::with_features(project, kernel, script, SevFeatures::empty())
    }

    /// The same, with a save area that asks for `more_features` than SNP alone.
    ///
    /// # Errors
    ///
    /// The kernel or busybox is missing and cannot be had, or the RAM disk
    /// cannot be written.
    pub(super) fn with_features(
        project: &Project,
        kernel: &GuestKernel,
        script: &str,
        more_features: SevFeatures,
    ) -> Result<Self> {
        let kernel = project.toolbox.guest_kernel(kernel)?;
        let folder = tempfile::tempdir().context("cannot create a folder for a RAM disk")?;
        let task = Task::Script(script);
        let initrd = guest::ram_disk_in(folder.path(), &project.toolbox, &kernel, task)?;
        let image = LinuxImage {
            kernel: kernel.image,
            initrd: Some(initrd),
            sev_features: SevFeatures::SNP_ACTIVE | more_features,
        };
        let request = Request {
            image: Image::Linux(image),
            // A panic ends the run at once.
            command_line: "console=ttyS0 quiet panic=-1".to_owned(),
            platform: Platform::default(),
            devices: Devices::default(),
            pace: Pace::RealTime,
            debugger: None,
            limit: Some(LIMIT),
            expect: None,
        };
        Ok(Self { request, folder })
    }

    /// The IGVM file of the image that is started.
    ///
    /// # Errors
    ///
    /// It cannot be built.
    pub(super) fn image(&self) -> Result<Vec<u8>> {
        simulation::image(&self.request)
    }

    /// Starts the guest from the IGVM file `image` from now on.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(super) fn replace_image(&mut self, image: &[u8]) -> Result<()> {
        let path = self.folder.path().join("image.igvm");
        std::fs::write(&path, image).with_context(|| format!("cannot write {}", path.display()))?;
        self.request.image = Image::Igvm(path);
        // It is in the image.
        self.request.command_line.clear();
        Ok(())
    }
}
