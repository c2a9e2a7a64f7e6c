//! The keys of a manifest, as types. This is their documentation.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;

use crate::layout::payload::Acpi;

use super::values::{
    AreaPages, CBit, ConsoleName, Features, KernelOptions, MaxVcpus, MemorySize, Name, Pages,
    PlatformName, Policy, Region, VmsaGpa, checked_default,
};

/// A checked manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `name`: what the image is called; names the files that are built.
    pub name: Name,
    /// `platforms`: what the image is to start on, at least one.
    pub platforms: BTreeSet<PlatformName>,
    /// `[snp]`: what only AMD SEV-SNP needs. May be left out: all its keys have
    /// defaults.
    pub snp: Snp,
    /// `kind`: `"module"` or `"linux"`, and the sections that belong to it.
    pub kind: Kind,
    /// Folder that relative paths start from.
    pub folder: PathBuf,
}

/// What kind of image it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `kind = "module"`: an image with the module.
    Module(Module),
    /// `kind = "linux"`: Linux at VMPL0, without any module. Platform `snp`
    /// only.
    Linux(Linux),
}

/// Keys of an image with the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// `max_vcpus`: most virtual processors that the module may serve.
    pub max_vcpus: MaxVcpus,
    /// `[region]`: the guest memory that the module owns.
    pub region: Region,
    /// `[kernel]`: the module's kernel.
    pub kernel: Kernel,
    /// `[parameters]`: sizes of what the loader fills in. May be left out.
    pub parameters: Parameters,
    /// `[log]`: who may read the module's messages. May be left out.
    pub log: Log,
    /// `[[service]]`: programs that the module starts, in this order; may be
    /// none.
    pub services: Vec<Service>,
    /// `[guest]` with `kind = "linux"`: what the module starts as its guest;
    /// `kind = "none"` or no section for nothing.
    pub guest: Option<LinuxPayload>,
}

/// `[kernel]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// `package` or `elf`: where it comes from.
    pub program: Program,
    /// `stack_pages`: pages of the stack it starts on. Default: 4.
    pub stack_pages: Pages,
    /// `options`: words for the kernel, measured with it. Default: none.
    pub options: KernelOptions,
}

/// Where an ELF file comes from: exactly one of two keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// `package`: a cargo package of this workspace, built for bare metal.
    Package(String),
    /// `elf`: a file.
    Elf(PathBuf),
}

/// `[parameters]`: pages of each IGVM parameter area; 0 leaves an area out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// `memory_map_pages`: what memory there is. Default: 1, which is 170
    /// entries.
    pub memory_map_pages: AreaPages,
    /// `madt_pages`: ACPI MADT, which lists the processors. Default: 1. QEMU
    /// fills it since 2026; its earlier versions and Cloud Hypervisor refuse a
    /// file that asks for one.
    pub madt_pages: AreaPages,
    /// `device_tree_pages`: flattened device tree. Default: 0, because both
    /// refuse a file that asks for one.
    pub device_tree_pages: AreaPages,
}

/// `[log]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `console`: whose messages the console shows. Default: `"none"`.
    pub console: ConsoleName,
}

/// `[[service]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `name`: unique; what the boot block and messages call it.
    pub name: Name,
    /// `package` or `elf`: where it comes from.
    pub program: Program,
}

/// A Linux kernel and what it is started with: `[guest]` with
/// `kind = "linux"`, and part of `[linux]`.
///
/// A guest of the module is there on platform `snp` only: `native` has no level
/// of privilege to run it at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinuxPayload {
    /// `kernel`: a bzImage, boot protocol 2.12 or later with a 64-bit entry.
    pub kernel: PathBuf,
    /// `initrd`: initial RAM disk; may be left out.
    pub initrd: Option<PathBuf>,
    /// `command_line`: the kernel's arguments. Default: empty.
    pub command_line: String,
}

/// `[linux]`: keys of a bare Linux image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linux {
    /// `kernel`, `initrd` and `command_line`.
    pub payload: LinuxPayload,
    /// `memory_size`: bytes of memory that Linux is told of, from address 0
    /// on; a multiple of 2 MiB, at most 2 GiB. All of it is in the image, as
    /// zero pages: see [`crate::layout::linux`].
    pub memory_size: MemorySize,
    /// Whose ACPI tables Linux reads: one of two keys, or neither.
    ///
    /// `cpus`: processors that the image's own tables tell Linux of, 1 to 8,
    /// with the APIC ids from 0 on. Default: 1. The tables describe the machine
    /// of [`platform_tables`].
    ///
    /// `rsdp`: physical address of the ACPI root pointer, for platforms that
    /// provide tables in memory that the guest may trust. The image then has
    /// none.
    pub acpi: Acpi,
}

/// `[snp]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Snp {
    /// `c_bit`: the page-table bit that marks private memory, 32 to 51.
    /// Default: 51, as on every SNP processor so far.
    pub c_bit: CBit,
    /// `policy`: the guest policy. Default: `0x3_0000`, that is simultaneous
    /// multithreading allowed and no debugging [SNP ABI 56860 §4.3].
    pub policy: Policy,
    /// `sev_features`: what protection the first processor's save area asks
    /// for, bit by bit. Default: 1, SNP alone. Whatever starts in the image has
    /// to be able to live with more.
    pub sev_features: Features,
    /// `svn`: security version number of the image, for its ID block.
    /// Default: 0.
    pub svn: u32,
    /// `vmsa_gpa`: where the first processor's save area is measured. Default:
    /// `0xffff_ffff_f000`, which KVM uses whatever the image says and which
    /// QEMU therefore insists on.
    pub vmsa_gpa: VmsaGpa,
}

impl Manifest {
    /// The cargo packages that have to be built before the image can be.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        let module = match &self.kind {
            Kind::Module(module) => Some(module),
            Kind::Linux(_) => None,
        };
        module
            .into_iter()
            .flat_map(|module| {
                let services = module.services.iter().map(|service| &service.program);
                std::iter::once(&module.kernel.program).chain(services)
            })
            .filter_map(|program| match program {
                Program::Package(name) => Some(name.as_str()),
                Program::Elf(_) => None,
            })
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            memory_map_pages: checked_default(1),
            madt_pages: checked_default(1),
            device_tree_pages: checked_default(0),
        }
    }
}

impl Default for Snp {
    fn default() -> Self {
        Self {
            c_bit: checked_default(51),
            policy: checked_default(0x3_0000),
            sev_features: checked_default(1),
            svn: 0,
            vmsa_gpa: checked_default(abi_snp::KVM_VMSA_GPA),
        }
    }
}
