//! `svsm run`: a guest in the platform simulator.
//!
//! The arguments become a request, `simulation` does the work, and this command
//! sits at the console and says what came out of it.

mod image;
mod keys;
mod person;
mod raw_terminal;
mod values;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use abi_simulator::launch::{CpuidAdditions, CpuidPolicy, MAX_VCPUS, Trace};
use abi_simulator::report;
use abi_snp::{SevFeatures, Vmpl};
use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};

use crate::failure::{Usage, Verdict};
use crate::output_file;
use crate::project::Project;
use crate::session::Session;
use crate::simulation::{
    Devices, End, FirmwareItem, Outcome, Pace, Platform, Request, Statistics, simulate,
};
use crate::terminal::{Terminal, Tone, seconds};
use image::{Linux, Provided, Wanted};
use person::Person;
use values::Serial;

/// Arguments of `svsm run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm run                                  Linux below the module, a shell
  cargo svsm run --guest-script check.sh          … a script instead of the shell
  cargo svsm run --kernel bzImage --initrd initrd.gz --append console=ttyS0
  cargo svsm run --guest none                     the module alone
  cargo svsm run --bare                           Linux at VMPL0, no module
  cargo svsm run --igvm other.igvm --cpus 4 --memory 2G --trace ghcb,pages
  cargo svsm run --igvm other.igvm --expect login: --timeout 60
  cargo svsm run --igvm other.igvm --icount --stats counts.json

Without --igvm, the module of this tree is built first, as images/svsm.toml says.
That is an image for development: the console shows the module's messages.

On a terminal every key is the guest's, Ctrl-C too. Ctrl-A x ends the run,
Ctrl-A h says what else there is.

The console goes to the standard output, what the simulator says to the standard
error stream; its last line says what ended the run. The exit code is 0 if the
guest switched itself off, if the text of --expect appeared or if you left with
Ctrl-A x. With --expect, nothing but the text counts. With --guest-script it is
the script's exit status if the guest switched itself off after it, else 1.")]
pub(crate) struct Arguments {
    /// IGVM file for SEV-SNP to start, of this or any other project [default:
    /// the module of this tree]
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["guest", "bare", "kernel", "initrd", "guest_script"],
        help_heading = "Image"
    )]
    igvm: Option<PathBuf>,
    /// What the module starts below itself
    #[arg(long, value_name = "KIND", value_enum, default_value_t, help_heading = "Image")]
    guest: GuestKind,
    /// Start Linux at VMPL0, without the module
    #[arg(long, conflicts_with = "guest", help_heading = "Image")]
    bare: bool,
    /// Linux kernel for the guest [default: Debian's kernel 7, with a shell]
    #[arg(long, value_name = "BZIMAGE", help_heading = "Image")]
    kernel: Option<PathBuf>,
    /// Initial RAM disk for the kernel
    #[arg(long, value_name = "FILE", requires = "kernel", help_heading = "Image")]
    initrd: Option<PathBuf>,
    /// Command line for the kernel, or for an IGVM file that asks for one
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, help_heading = "Image")]
    append: Option<String>,
    /// Script of busybox's shell to run in the guest instead of a shell; the run
    /// ends with its exit status
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["initrd", "expect"],
        help_heading = "Image"
    )]
    guest_script: Option<PathBuf>,

    /// Virtual processors, 1 to 16 [default: 2 for a guest of the module, else 1]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_VCPUS)),
        help_heading = "Platform"
    )]
    cpus: Option<u32>,
    /// Memory of the guest, up to 8G, in steps of 2M
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "512M",
        value_parser = values::memory,
        help_heading = "Platform"
    )]
    memory: u64,
    /// Page-table bit that makes a page private, 36 to 51
    #[arg(
        long,
        value_name = "N",
        default_value_t = Platform::default().c_bit,
        value_parser = clap::value_parser!(u32).range(36..=51),
        help_heading = "Platform"
    )]
    c_bit: u32,
    /// SEV features that the platform offers: names and hexadecimal numbers,
    /// separated by commas [default: snp-active, restricted-injection,
    /// alternate-injection, debug-swap, secure-tsc]
    #[arg(
        long,
        value_name = "LIST",
        default_value = None,
        value_parser = values::sev_features,
        help_heading = "Platform"
    )]
    sev_features: Option<SevFeatures>,
    /// Processor features that the guest is shown
    #[arg(long, value_name = "POLICY", value_enum, default_value_t, help_heading = "Platform")]
    cpuid: Cpuid,
    /// Show the guest INVLPGB and TLBSYNC, by which a processor makes all others
    /// forget translations
    #[arg(long, help_heading = "Platform")]
    invlpgb: bool,
    /// Version of attestation reports: 2, 3 or 5
    #[arg(
        long,
        value_name = "N",
        default_value_t = Platform::default().report_version,
        value_parser = values::report_version,
        help_heading = "Platform"
    )]
    report_version: u8,
    /// Start the guest at this privilege level, 0 to 3, with all permissions,
    /// as if somebody above it had [default: what the image says]
    #[arg(long, value_name = "N", value_parser = values::vmpl, help_heading = "Platform")]
    vmpl: Option<Vmpl>,
    /// What a hostile host does to the guest
    #[arg(long, value_name = "SCENARIO", help_heading = "Platform")]
    hostile: Option<PathBuf>,

    /// Raw disk image, for a virtio disk; the guest may write to it
    #[arg(long, value_name = "FILE", help_heading = "Devices")]
    disk: Option<PathBuf>,
    /// UNIX socket of a vhost-user back end, for a virtio socket device
    #[arg(long, value_name = "SOCKET", help_heading = "Devices")]
    vsock: Option<PathBuf>,
    /// Text that the guest can read by name, as with QEMU's -fw_cfg; names
    /// begin with opt/. May be given several times
    #[arg(
        long = "fw-cfg",
        value_name = "NAME=TEXT",
        value_parser = values::firmware_item,
        help_heading = "Devices"
    )]
    items: Vec<FirmwareItem>,
    /// Where the guest's first serial port goes: stdio, file:PATH or none
    #[arg(
        long,
        value_name = "WHERE",
        default_value = "stdio",
        value_parser = values::serial,
        help_heading = "Devices"
    )]
    serial: Serial,

    /// End the run when this text appears on the console; every other end is a
    /// failure
    #[arg(
        long,
        value_name = "TEXT",
        allow_hyphen_values = true,
        value_parser = NonEmptyStringValueParser::new(),
        help_heading = "Run"
    )]
    expect: Option<String>,
    /// Give up after this time
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(1..),
        help_heading = "Run"
    )]
    timeout: Option<u32>,
    /// Let a nanosecond pass with each instruction, so that two runs are the
    /// same
    #[arg(long, help_heading = "Run")]
    icount: bool,
    /// Let processors take turns in a random order that follows from this number,
    /// for random times; with 0, one after the other for equal times. The same
    /// number is the same order only with --icount
    #[arg(long, value_name = "SEED", default_value_t = 0, help_heading = "Run")]
    schedule: u64,

    /// Print what the simulator counted as a table at the end, and write it as
    /// JSON to a file unless it is `-`
    #[arg(long, value_name = "FILE", help_heading = "Insight")]
    stats: Option<PathBuf>,
    /// Tell what happens while it happens: exits, ghcb, pages, processors,
    /// interrupts, devices, security-processor, separated by commas, or all
    /// [without a list: exits]
    #[arg(
        long,
        value_name = "KINDS",
        num_args = 0..=1,
        default_missing_value = "exits",
        value_parser = values::trace,
        help_heading = "Insight"
    )]
    trace: Option<Trace>,
    /// Wait on this TCP port of 127.0.0.1 for gdb before anything starts. It
    /// sees QEMU's machine: the simulator, and the guest's registers while the
    /// guest runs
    #[arg(
        long,
        value_name = "PORT",
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = "Insight"
    )]
    gdb: Option<u16>,
}

/// What runs below the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum GuestKind {
    /// Linux
    #[default]
    Linux,
    /// Nothing: the module alone
    None,
}

/// Which processor features a guest is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Cpuid {
    /// Without XSAVE, and so without AVX and protection keys
    #[default]
    Reduced,
    /// With XSAVE and AVX, but without XSAVEC, which Linux insists on
    Xsave,
    /// All that QEMU's processor has and an SNP guest can have
    Full,
}

/// Runs the command.
///
/// # Errors
///
/// There is no run: see [`simulate`]; or what is to run cannot be had.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let wanted = wanted(arguments)?;
    let project = Project::open(session)?;
    let cpus = arguments.cpus.unwrap_or_else(|| usual_cpus(&wanted));
    let provided = image::provide(&project, wanted, arguments.c_bit)?;
    let request = request(arguments, &provided, cpus);
    let terminal = session.terminal;
    if let Some(note) = &provided.note {
        // The terminal may be gone, which is no reason to fail.
        let _ = writeln!(std::io::stderr(), "{}", terminal.paint_error(Tone::Quiet, note));
    }
    let mut person = Person::new(&arguments.serial, terminal)?;
    let outcome = simulate(&project, &request, &mut person, Stdio::inherit())?;
    let script = provided.script.as_ref().map(|script| person.exit_status_of(script));
    person.leave()?;

    if let Some(path) = &arguments.stats {
        counts(&outcome, path, terminal)?;
    }
    let verdict = verdict(&outcome.end, request.expect.as_deref(), script);
    let tone = match verdict {
        Verdict::Good | Verdict::Status(0) => Tone::Good,
        Verdict::Bad | Verdict::Status(_) => Tone::Bad,
    };
    let mark = terminal.paint_error(tone, "run ended:");
    let more = match (&request.expect, script, verdict) {
        (Some(text), _, Verdict::Bad) => format!(", and `{text}` did not appear"),
        (_, Some(None), _) => ", and the script did not come to its end".to_owned(),
        (_, Some(Some(status)), _) => format!(", and the script's exit status was {status}"),
        _ => String::new(),
    };
    let line = format!("{mark} {}{more} ({})", outcome.end, seconds(outcome.took));
    // The terminal may be gone, which is no reason to fail otherwise.
    let _ = writeln!(std::io::stderr(), "{line}");
    Ok(verdict)
}

/// What the arguments ask for.
fn wanted(arguments: &Arguments) -> Result<Wanted> {
    let linux = Linux {
        kernel: arguments.kernel.clone(),
        initrd: arguments.initrd.clone(),
        append: arguments.append.clone(),
        script: arguments.guest_script.clone(),
    };
    match (&arguments.igvm, arguments.bare, arguments.guest) {
        (Some(igvm), ..) => Ok(Wanted::Igvm(igvm.clone(), linux.append.unwrap_or_default())),
        (None, true, _) => Ok(Wanted::Bare(linux)),
        (None, false, GuestKind::Linux) => Ok(Wanted::UnderModule(linux)),
        (None, false, GuestKind::None) if linux == Linux::default() => Ok(Wanted::Module),
        (None, false, GuestKind::None) => {
            let problem = "--guest none starts no guest: leave --kernel, --initrd, --append and \
                           --guest-script out, or take --guest linux";
            Err(Usage(problem.to_owned()).into())
        }
    }
}

/// A guest of the module has two processors, so that it shows that it can.
fn usual_cpus(wanted: &Wanted) -> u32 {
    match wanted {
        Wanted::UnderModule(_) => 2,
        _ => Platform::default().cpus,
    }
}

fn request(arguments: &Arguments, provided: &Provided, cpus: u32) -> Request {
    Request {
        image: provided.image.clone(),
        command_line: provided.command_line.clone(),
        platform: Platform {
            cpus,
            memory: arguments.memory,
            c_bit: arguments.c_bit,
            sev_features: arguments.sev_features.unwrap_or(Platform::default().sev_features),
            cpuid: match arguments.cpuid {
                Cpuid::Full => CpuidPolicy::FULL,
                Cpuid::Reduced => CpuidPolicy::REDUCED,
                Cpuid::Xsave => CpuidPolicy::XSAVE,
            },
            cpuid_additions: if arguments.invlpgb {
                CpuidAdditions::INVLPGB
            } else {
                CpuidAdditions::empty()
            },
            report_version: arguments.report_version,
            vmpl: arguments.vmpl,
            schedule: arguments.schedule,
            scenario: arguments.hostile.clone(),
            trace: arguments.trace.unwrap_or_default(),
        },
        devices: Devices {
            disk: arguments.disk.clone(),
            vsock: arguments.vsock.clone(),
            items: arguments.items.clone(),
        },
        pace: if arguments.icount { Pace::Instructions } else { Pace::RealTime },
        debugger: arguments.gdb,
        limit: arguments.timeout.map(|seconds| Duration::from_secs(seconds.into())),
        expect: arguments.expect.clone(),
    }
}

/// Whether the run did what was asked for: the text that was expected appeared;
/// or the script (`script` if there was one) ended and the guest switched itself
/// off; or, with neither, the guest switched itself off or the person left.
fn verdict(end: &End, expected: Option<&str>, script: Option<Option<u8>>) -> Verdict {
    match (end, expected, script) {
        (End::Expected, ..) => Verdict::Good,
        (End::Told(report::End::PoweredOff), None, Some(Some(status))) => Verdict::Status(status),
        (End::Told(report::End::PoweredOff) | End::Left, None, None) => Verdict::Good,
        _ => Verdict::Bad,
    }
}

/// Shows what was counted, and writes it to `path` unless that is `-`.
fn counts(outcome: &Outcome, path: &Path, terminal: Terminal) -> Result<()> {
    let Some(statistics) = &outcome.statistics else {
        let problem = "no statistics: the run ended before the simulator told any";
        eprintln!("{}", terminal.paint_error(Tone::Notable, problem));
        return Ok(());
    };
    if path != Path::new("-") {
        let json = serde_json::to_string_pretty(&for_machines(outcome, statistics))?;
        output_file::write(path, (json + "\n").as_bytes())?;
    }
    Ok(terminal.line(&statistics.table(terminal))?)
}

/// Nothing in it differs between two runs that are the same.
fn for_machines(outcome: &Outcome, statistics: &Statistics) -> Value {
    json!({
        "launch_digest": outcome.launch_digest,
        "end": outcome.end.to_string(),
        "statistics": statistics,
    })
}

#[cfg(test)]
mod tests;
