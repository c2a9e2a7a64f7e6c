//! From a manifest to what the layouts take: reads the files and checks them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use abi_boot::{Access, Platform};

use crate::bzimage::{self, BzImage};
use crate::layout::module::Filled;
use crate::layout::part::Purpose;
use crate::layout::payload::Payload;
use crate::layout::{cpuid_request, linux, module};
use crate::manifest::{AreaPages, Linux, LinuxPayload, Module, PlatformName, Program, Snp};
use crate::{elf, input};

/// Largest ELF file that is read, in bytes.
pub const MAX_ELF_SIZE: u64 = 16 << 20;
/// Largest bzImage that is read, in bytes.
pub const MAX_KERNEL_SIZE: u64 = 256 << 20;
/// Largest initial RAM disk that is read, in bytes.
pub const MAX_INITRD_SIZE: u64 = 1 << 30;

/// Why an input is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] input::Error),
    /// A package was not built.
    #[error("package `{0}` has not been built")]
    Package(String),
    /// The kernel's or a service's ELF file breaks a rule.
    #[error("{what} {}: {source}", path.display())]
    Elf {
        /// Which one.
        what: String,
        /// The file.
        path: PathBuf,
        /// The rule.
        source: elf::Error,
    },
    /// A Linux kernel is not one that can be started.
    #[error("Linux kernel {}: {source}", path.display())]
    BzImage {
        /// The file.
        path: PathBuf,
        /// Why.
        source: bzimage::Error,
    },
}

/// The files of a module image.
pub(super) struct ModuleFiles {
    kernel: elf::KernelElf,
    services: Vec<(String, Arc<[u8]>)>,
    guest: Option<LinuxFiles>,
}

/// Reads the files of a module image.
pub(super) fn read_module(
    module: &Module,
    packages: &BTreeMap<String, PathBuf>,
) -> Result<ModuleFiles, Error> {
    let path = program_path(&module.kernel.program, packages)?;
    let bytes = input::read(path, "kernel", MAX_ELF_SIZE)?;
    let kernel = elf::parse_kernel(&bytes).map_err(elf_error("kernel".to_owned(), path))?;

    let mut services = Vec::new();
    for service in &module.services {
        let path = program_path(&service.program, packages)?;
        let bytes = input::read(path, "service", MAX_ELF_SIZE)?;
        elf::check_service(&bytes)
            .map_err(elf_error(format!("service `{}`", service.name), path))?;
        services.push((service.name.to_string(), bytes.into()));
    }
    let guest = module.guest.as_ref().map(read_linux).transpose()?;
    Ok(ModuleFiles { kernel, services, guest })
}

fn elf_error(what: String, path: &Path) -> impl FnOnce(elf::Error) -> Error {
    move |source| Error::Elf { what, path: path.to_path_buf(), source }
}

fn program_path<'a>(
    program: &'a Program,
    packages: &'a BTreeMap<String, PathBuf>,
) -> Result<&'a Path, Error> {
    match program {
        Program::Elf(path) => Ok(path),
        Program::Package(name) => {
            packages.get(name).map(PathBuf::as_path).ok_or_else(|| Error::Package(name.clone()))
        }
    }
}

impl ModuleFiles {
    /// The guest's kernel, checked, if there is a guest.
    pub(super) fn guest_kernel(&self, module: &Module) -> Result<Option<BzImage<'_>>, Error> {
        let guest = self.guest.iter().zip(&module.guest).next();
        guest.map(|(files, payload)| files.kernel(payload)).transpose()
    }

    /// What the layout for `platform` takes, with the guest's kernel as
    /// [`Self::guest_kernel`] gave it.
    pub(super) fn inputs<'a>(
        &'a self,
        module: &'a Module,
        snp: &Snp,
        platform: PlatformName,
        guest_kernel: Option<&'a BzImage<'a>>,
    ) -> module::Inputs<'a> {
        let (platform, c_bit_mask) = match platform {
            PlatformName::Snp => (Platform::SNP, snp.c_bit.mask()),
            PlatformName::Native => (Platform::NATIVE, 0),
        };
        let guest = self.guest.as_ref().zip(module.guest.as_ref()).zip(guest_kernel);
        let guest = guest.map(|((files, payload), kernel)| files.payload(payload, kernel));
        module::Inputs {
            platform,
            region_base: module.region.base,
            region_size: module.region.size,
            max_vcpus: module.max_vcpus.get(),
            console: module.log.console.into(),
            stack_pages: module.kernel.stack_pages.get(),
            c_bit_mask,
            kernel: &self.kernel,
            filled: filled(module, platform),
            services: self.services.clone(),
            // Only below the module of a confidential machine is there a level
            // to run a guest at.
            guest: guest.filter(|_| platform == Platform::SNP),
        }
    }
}

/// Pages that the platform (on SNP) and the loader fill, and the page with the
/// kernel's options.
fn filled(module: &Module, platform: Platform) -> Vec<Filled> {
    let parameters = &module.parameters;
    let area = |purpose, pages: AreaPages| Filled {
        purpose,
        pages: pages.get(),
        access: Access::READ,
        content: Arc::default(),
    };
    let page = |purpose, access, content| Filled { purpose, pages: 1, access, content };
    let mut filled = Vec::new();
    if platform == Platform::SNP {
        filled.push(page(Purpose::Cpuid, Access::READ, cpuid_request::page().into()));
        // The kernel keeps its message counters there and erases keys.
        let access = Access::READ | Access::WRITE;
        filled.push(page(Purpose::Secrets, access, Arc::default()));
    }
    filled.push(area(Purpose::MemoryMap, parameters.memory_map_pages));
    filled.push(page(Purpose::VpCount, Access::READ, Arc::default()));
    filled.push(area(Purpose::Madt, parameters.madt_pages));
    filled.push(area(Purpose::DeviceTree, parameters.device_tree_pages));
    let options = module.kernel.options.as_str();
    if !options.is_empty() {
        let content: Arc<[u8]> = options.as_bytes().into();
        filled.push(page(Purpose::KernelOptions, Access::READ, content));
    }
    filled
}

/// The files of a Linux guest.
pub(super) struct LinuxFiles {
    kernel: Vec<u8>,
    initrd: Option<Arc<[u8]>>,
}

/// Reads the files of a Linux guest.
pub(super) fn read_linux(payload: &LinuxPayload) -> Result<LinuxFiles, Error> {
    let initrd = payload.initrd.as_ref();
    let initrd = initrd.map(|path| input::read(path, "initial RAM disk", MAX_INITRD_SIZE));
    Ok(LinuxFiles {
        kernel: input::read(&payload.kernel, "Linux kernel", MAX_KERNEL_SIZE)?,
        initrd: initrd.transpose()?.map(Arc::from),
    })
}

impl LinuxFiles {
    /// The kernel, checked.
    pub(super) fn kernel(&self, payload: &LinuxPayload) -> Result<BzImage<'_>, Error> {
        BzImage::parse(&self.kernel)
            .map_err(|source| Error::BzImage { path: payload.kernel.clone(), source })
    }

    /// What is to be started.
    fn payload<'a>(&self, payload: &'a LinuxPayload, kernel: &'a BzImage<'a>) -> Payload<'a> {
        Payload { kernel, initrd: self.initrd.clone(), command_line: &payload.command_line }
    }

    /// What the layout of a bare Linux image takes.
    pub(super) fn inputs<'a>(
        &self,
        linux: &'a Linux,
        snp: &Snp,
        kernel: &'a BzImage<'a>,
    ) -> linux::Inputs<'a> {
        linux::Inputs {
            payload: self.payload(&linux.payload, kernel),
            memory_size: linux.memory_size.get(),
            acpi: linux.acpi,
            c_bit_mask: snp.c_bit.mask(),
            cpuid: cpuid_request::page().into(),
        }
    }
}
