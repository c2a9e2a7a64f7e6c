//! From a manifest to what the layouts take: reads the files and checks them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use abi_boot::{Access, Platform};

use crate::layout::module::{Filled, Payload};
use crate::layout::part::Purpose;
use crate::layout::{cpuid_request, linux, module};
use crate::manifest::{AreaPages, Linux, LinuxPayload, Module, PlatformName, Program, Snp};
use crate::{bzimage, elf, input};

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
    /// The guest kernel takes no such long command line.
    #[error(
        "guest.command_line has {length} bytes, but {} takes at most {limit}", path.display()
    )]
    CommandLineTooLong {
        /// The kernel.
        path: PathBuf,
        /// Bytes of the command line.
        length: usize,
        /// What the kernel says.
        limit: u32,
    },
}

/// The files of a module image.
pub(super) struct ModuleFiles {
    kernel: elf::KernelElf,
    services: Vec<(String, Arc<[u8]>)>,
    guest: Vec<Payload>,
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
    let guest = module.guest.as_ref().map(read_guest).transpose()?.unwrap_or_default();
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

fn read_guest(payload: &LinuxPayload) -> Result<Vec<Payload>, Error> {
    let bytes = read_kernel(payload)?;
    let kernel = parse_kernel(payload, &bytes)?;
    let (length, limit) = (payload.command_line.len(), kernel.max_command_line);
    if length > limit as usize {
        return Err(Error::CommandLineTooLong { path: payload.kernel.clone(), length, limit });
    }
    let mut guest = vec![Payload { purpose: Purpose::GuestKernel, content: bytes.into() }];
    let initrd = read_initrd(payload)?;
    guest.extend(initrd.map(|content| Payload { purpose: Purpose::GuestInitrd, content }));
    if !payload.command_line.is_empty() {
        let content = payload.command_line.as_bytes().into();
        guest.push(Payload { purpose: Purpose::GuestCommandLine, content });
    }
    Ok(guest)
}

fn read_kernel(payload: &LinuxPayload) -> Result<Vec<u8>, Error> {
    Ok(input::read(&payload.kernel, "Linux kernel", MAX_KERNEL_SIZE)?)
}

fn parse_kernel<'a>(
    payload: &LinuxPayload,
    bytes: &'a [u8],
) -> Result<bzimage::BzImage<'a>, Error> {
    bzimage::BzImage::parse(bytes)
        .map_err(|source| Error::BzImage { path: payload.kernel.clone(), source })
}

fn read_initrd(payload: &LinuxPayload) -> Result<Option<Arc<[u8]>>, Error> {
    let read = |path: &PathBuf| input::read(path, "initial RAM disk", MAX_INITRD_SIZE);
    Ok(payload.initrd.as_ref().map(read).transpose()?.map(Arc::from))
}

impl ModuleFiles {
    /// What the layout for `platform` takes.
    pub(super) fn inputs(
        &self,
        module: &Module,
        snp: &Snp,
        platform: PlatformName,
    ) -> module::Inputs<'_> {
        let (platform, c_bit_mask) = match platform {
            PlatformName::Snp => (Platform::SNP, snp.c_bit.mask()),
            PlatformName::Native => (Platform::NATIVE, 0),
        };
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
            guest: self.guest.clone(),
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

/// The files of a bare Linux image.
pub(super) struct LinuxFiles {
    kernel: Vec<u8>,
    initrd: Option<Arc<[u8]>>,
}

/// Reads the files of a bare Linux image.
pub(super) fn read_linux(linux: &Linux) -> Result<LinuxFiles, Error> {
    Ok(LinuxFiles { kernel: read_kernel(&linux.payload)?, initrd: read_initrd(&linux.payload)? })
}

impl LinuxFiles {
    /// The kernel, checked.
    pub(super) fn kernel(&self, linux: &Linux) -> Result<bzimage::BzImage<'_>, Error> {
        parse_kernel(&linux.payload, &self.kernel)
    }

    /// What the layout takes.
    pub(super) fn inputs<'a>(
        &self,
        linux: &'a Linux,
        snp: &Snp,
        kernel: &'a bzimage::BzImage<'a>,
    ) -> linux::Inputs<'a> {
        linux::Inputs {
            kernel,
            initrd: self.initrd.clone(),
            command_line: &linux.payload.command_line,
            memory_size: linux.memory_size.get(),
            acpi: linux.acpi,
            c_bit_mask: snp.c_bit.mask(),
            cpuid: cpuid_request::page().into(),
        }
    }
}
