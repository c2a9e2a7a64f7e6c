//! What the other commands ask set-up for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use svsm_endorsement::Endorsement;

use super::bare_metal::BareMetal;
use super::busybox::Busybox;
use super::chip_keys::ChipKeys;
use super::firmware::Firmware;
use super::guest_kernel::{GuestKernel, KernelFiles};
use super::machine::Machine;
use super::provide::need;
use super::step::{Found, Step};
use super::system_package::{CXX, QEMU};
use super::tool::{CARGO_DENY, CARGO_FUZZ, MDBOOK};
use super::tpm_programs::{TpmProgramFiles, TpmPrograms};
use super::tpm_suite::{TpmSuite, TpmSuiteFiles};
use crate::session::Session;
use crate::terminal::Terminal;

/// Finds things on this machine and provides them when they are missing. Each
/// question fails if the thing is missing and cannot be had; the message says
/// what to do.
pub(crate) struct Toolbox {
    machine: Machine,
    terminal: Terminal,
}

/// Core and alloc for bare metal.
pub(crate) struct BareMetalLibraries {
    /// Where they are, if the compiler has to be told.
    pub(crate) folder: Option<PathBuf>,
    /// Their version and where they come from, for people. Images built with
    /// libraries of different origin differ in bytes.
    pub(crate) origin: String,
}

impl Toolbox {
    /// Looks at the machine for the tree at `root`.
    ///
    /// # Errors
    ///
    /// No compiler answers, or there is no place for the cache.
    pub(crate) fn open(root: &Path, session: Session) -> Result<Self> {
        let machine = Machine::look(root, session.network)?;
        Ok(Self { machine, terminal: session.terminal })
    }

    /// Core and alloc for bare metal.
    pub(crate) fn bare_metal(&self) -> Result<BareMetalLibraries> {
        let Found { path, detail } = need(&BareMetal, &self.machine, self.terminal)?;
        let folder = (path != self.machine.rustc.target_libraries).then_some(path);
        Ok(BareMetalLibraries { folder, origin: detail })
    }

    /// Hash of the commit that the compiler was built from.
    pub(crate) fn compiler_commit(&self) -> &str {
        &self.machine.rustc.commit
    }

    /// Keys and certificates of the simulated security processor.
    pub(crate) fn endorsement(&self) -> Result<Endorsement> {
        let folder = self.need(&ChipKeys)?;
        Endorsement::load(&folder).with_context(|| folder.display().to_string())
    }

    /// QEMU's program.
    pub(crate) fn qemu(&self) -> Result<PathBuf> {
        self.need(&QEMU)
    }

    /// A file with the OVMF that tests measure.
    pub(crate) fn firmware(&self) -> Result<PathBuf> {
        self.need(&Firmware)
    }

    /// A kernel for test guests.
    pub(crate) fn guest_kernel(&self, kernel: &GuestKernel) -> Result<KernelFiles> {
        KernelFiles::in_folder(&self.need(kernel)?)
    }

    /// The user land of test guests: a busybox that needs no library.
    pub(crate) fn busybox(&self) -> Result<PathBuf> {
        self.need(&Busybox)
    }

    /// tpm2-tools and swtpm.
    pub(crate) fn tpm_programs(&self) -> Result<TpmProgramFiles> {
        self.need(&TpmPrograms).map(TpmProgramFiles::in_folder)
    }

    /// tpm2-tools' own tests, and what they run.
    pub(crate) fn tpm_suite(&self) -> Result<TpmSuiteFiles> {
        self.need(&TpmSuite).map(TpmSuiteFiles::in_folder)
    }

    /// cargo-deny's program.
    pub(crate) fn cargo_deny(&self) -> Result<PathBuf> {
        self.need(&CARGO_DENY)
    }

    /// mdbook's program.
    pub(crate) fn mdbook(&self) -> Result<PathBuf> {
        self.need(&MDBOOK)
    }

    /// cargo-fuzz's program, together with the C++ compiler it needs.
    pub(crate) fn cargo_fuzz(&self) -> Result<PathBuf> {
        self.need(&CXX)?;
        self.need(&CARGO_FUZZ)
    }

    fn need(&self, step: &dyn Step) -> Result<PathBuf> {
        need(step, &self.machine, self.terminal).map(|found| found.path)
    }
}
