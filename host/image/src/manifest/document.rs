//! From TOML text to a checked [`Manifest`].
//!
//! The text is first read into a document that has every key of every kind of
//! manifest; then the sections that belong to the kind are picked and missing
//! or foreign ones refused.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::layout::payload::Acpi;

use super::error::Error;
use super::keys::{
    Kernel, Kind, Linux, LinuxPayload, Log, Manifest, Module, Parameters, Program, Service, Snp,
};
use super::values::{
    Cpus, KernelOptions, MaxVcpus, MemorySize, Name, Pages, PlatformName, Region, checked_default,
};

/// Longest command line, in bytes. Kernels state a lower limit of their own.
const MAX_COMMAND_LINE: usize = 65_536;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    name: Name,
    kind: Spanned<KindName>,
    platforms: Spanned<BTreeSet<PlatformName>>,
    max_vcpus: Option<Spanned<MaxVcpus>>,
    region: Option<Spanned<Region>>,
    kernel: Option<Spanned<RawKernel>>,
    parameters: Option<Spanned<Parameters>>,
    log: Option<Spanned<Log>>,
    #[serde(default)]
    snp: Snp,
    #[serde(default)]
    service: Vec<Spanned<RawService>>,
    guest: Option<Spanned<RawGuest>>,
    linux: Option<Spanned<RawLinux>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Module,
    Linux,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKernel {
    package: Option<Name>,
    elf: Option<PathBuf>,
    #[serde(default = "four_pages")]
    stack_pages: Pages,
    #[serde(default)]
    options: KernelOptions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawService {
    name: Name,
    package: Option<Name>,
    elf: Option<PathBuf>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GuestKind {
    None,
    Linux,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGuest {
    kind: GuestKind,
    kernel: Option<PathBuf>,
    initrd: Option<PathBuf>,
    command_line: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLinux {
    kernel: PathBuf,
    initrd: Option<PathBuf>,
    #[serde(default)]
    command_line: String,
    memory_size: MemorySize,
    cpus: Option<Cpus>,
    rsdp: Option<u64>,
}

/// A problem and the bytes of the text that it is about.
type Fault = (Range<usize>, String);

/// Reads the manifest `text`, which stood in `file`.
pub(super) fn parse(text: &str, file: &Path, folder: &Path) -> Result<Manifest, Error> {
    let document: Document = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        Error::content(file, text, span, error.message().to_owned())
    })?;
    check(document, folder).map_err(|(span, problem)| Error::content(file, text, span, problem))
}

fn check(document: Document, folder: &Path) -> Result<Manifest, Fault> {
    if document.platforms.get_ref().is_empty() {
        return Err((document.platforms.span(), "`platforms` must name at least one".to_owned()));
    }
    Ok(Manifest {
        name: document.name.clone(),
        platforms: document.platforms.get_ref().clone(),
        snp: document.snp,
        kind: match document.kind.get_ref() {
            KindName::Module => Kind::Module(module(document, folder)?),
            KindName::Linux => Kind::Linux(linux(document, folder)?),
        },
        folder: folder.to_path_buf(),
    })
}

fn module(document: Document, folder: &Path) -> Result<Module, Fault> {
    let kind_span = document.kind.span();
    let missing = |key: &str| (kind_span.clone(), format!("kind `module` needs `{key}`"));
    if let Some(linux) = document.linux {
        return Err((linux.span(), "`linux` belongs to kind `linux`, not to `module`".to_owned()));
    }
    let kernel = document.kernel.ok_or_else(|| missing("kernel"))?;
    let span = kernel.span();
    let RawKernel { package, elf, stack_pages, options } = kernel.into_inner();
    let program = program(package, elf, folder).map_err(|e| (span, format!("kernel: {e}")))?;

    Ok(Module {
        max_vcpus: document.max_vcpus.ok_or_else(|| missing("max_vcpus"))?.into_inner(),
        region: document.region.ok_or_else(|| missing("region"))?.into_inner(),
        kernel: Kernel { program, stack_pages, options },
        parameters: document.parameters.map(Spanned::into_inner).unwrap_or_default(),
        log: document.log.map(Spanned::into_inner).unwrap_or_default(),
        services: services(document.service, folder)?,
        guest: document.guest.map(|raw| guest(raw, folder)).transpose()?.flatten(),
    })
}

fn services(raw: Vec<Spanned<RawService>>, folder: &Path) -> Result<Vec<Service>, Fault> {
    let mut names = BTreeSet::new();
    let mut services = Vec::new();
    for service in raw {
        let span = service.span();
        let RawService { name, package, elf } = service.into_inner();
        if !names.insert(name.clone()) {
            return Err((span, format!("service `{name}` is there twice")));
        }
        let program = program(package, elf, folder)
            .map_err(|problem| (span, format!("service `{name}`: {problem}")))?;
        services.push(Service { name, program });
    }
    Ok(services)
}

fn program(
    package: Option<Name>,
    elf: Option<PathBuf>,
    folder: &Path,
) -> Result<Program, &'static str> {
    match (package, elf) {
        (Some(package), None) => Ok(Program::Package(package.as_str().to_owned())),
        (None, Some(elf)) => Ok(Program::Elf(folder.join(elf))),
        _ => Err("exactly one of `package` and `elf` must be given"),
    }
}

fn guest(raw: Spanned<RawGuest>, folder: &Path) -> Result<Option<LinuxPayload>, Fault> {
    let span = raw.span();
    let RawGuest { kind, kernel, initrd, command_line } = raw.into_inner();
    match (kind, kernel) {
        (GuestKind::None, None) if initrd.is_none() && command_line.is_none() => Ok(None),
        (GuestKind::None, _) => Err((span, "guest: kind `none` takes no other keys".to_owned())),
        (GuestKind::Linux, None) => Err((span, "guest: kind `linux` needs `kernel`".to_owned())),
        (GuestKind::Linux, Some(kernel)) => {
            payload(kernel, initrd, command_line.unwrap_or_default(), folder)
                .map(Some)
                .map_err(|problem| (span, format!("guest: {problem}")))
        }
    }
}

fn linux(document: Document, folder: &Path) -> Result<Linux, Fault> {
    let foreign = [
        ("max_vcpus", document.max_vcpus.map(|v| v.span())),
        ("region", document.region.map(|v| v.span())),
        ("kernel", document.kernel.map(|v| v.span())),
        ("parameters", document.parameters.map(|v| v.span())),
        ("log", document.log.map(|v| v.span())),
        ("service", document.service.first().map(Spanned::span)),
        ("guest", document.guest.map(|v| v.span())),
    ];
    for (key, span) in foreign {
        if let Some(span) = span {
            return Err((span, format!("`{key}` belongs to kind `module`, not to `linux`")));
        }
    }
    if document.platforms.get_ref().iter().any(|name| *name != PlatformName::Snp) {
        return Err((
            document.platforms.span(),
            "`platforms`: kind `linux` is for platform `snp` only; other virtual machine \
             monitors start a Linux kernel by themselves"
                .to_owned(),
        ));
    }
    let kind_span = document.kind.span();
    let raw = document.linux.ok_or((kind_span, "kind `linux` needs `linux`".to_owned()))?;
    let span = raw.span();
    let RawLinux { kernel, initrd, command_line, memory_size, cpus, rsdp } = raw.into_inner();
    let acpi = match (cpus, rsdp) {
        (Some(_), Some(_)) => {
            let problem = "linux: `cpus` and `rsdp` exclude each other: with `rsdp`, the \
                           platform's tables tell of the processors";
            return Err((span, problem.to_owned()));
        }
        (cpus, None) => Acpi::Image { processors: cpus.unwrap_or_else(one_cpu).get() },
        (None, Some(rsdp)) => Acpi::Platform { rsdp },
    };
    let payload = payload(kernel, initrd, command_line, folder)
        .map_err(|problem| (span, format!("linux: {problem}")))?;
    Ok(Linux { payload, memory_size, acpi })
}

fn payload(
    kernel: PathBuf,
    initrd: Option<PathBuf>,
    command_line: String,
    folder: &Path,
) -> Result<LinuxPayload, &'static str> {
    if command_line.len() > MAX_COMMAND_LINE || command_line.contains('\0') {
        return Err("`command_line` must have at most 65536 bytes, none of them zero");
    }
    Ok(LinuxPayload {
        kernel: folder.join(kernel),
        initrd: initrd.map(|path| folder.join(path)),
        command_line,
    })
}

fn one_cpu() -> Cpus {
    checked_default(1)
}

fn four_pages() -> Pages {
    checked_default(4)
}
