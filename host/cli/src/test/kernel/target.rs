//! Machines that the kernel runs on.

use std::fmt;
use std::time::Duration;

use abi_simulator::launch::{CpuidAdditions, CpuidPolicy};
use abi_simulator::report;
use abi_snp::SevFeatures;
use anyhow::{Context, Result, bail};

use crate::build::Built;
use crate::log::Log;
use crate::machine::{follow, qemu};
use crate::project::Project;
use crate::simulation::{Devices, End, Image, Pace, Platform, Request, simulate};
use crate::test::listener::Listener;
use crate::test::machine::run_to_end;

/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(120);

/// The reason set of the module's own reasons.
const REASON_SET: u8 = 2;

/// A machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// A plain virtual machine.
    Native {
        /// What it is built like.
        machine: Machine,
        /// Its processors.
        cpus: u32,
    },
    /// The platform simulator.
    Snp {
        /// Virtual processors.
        cpus: u32,
        /// What the save areas ask for.
        features: Features,
        /// What the kernel is shown of the processor, besides the usual.
        shown: Shown,
    },
}

/// What CPUID shows, besides the usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing: processors are made to forget translations one by one.
    Nothing,
    /// INVLPGB and TLBSYNC.
    Invlpgb,
    /// XSAVE and AVX.
    Xsave,
}

impl Shown {
    const fn additions(self) -> CpuidAdditions {
        match self {
            Self::Nothing | Self::Xsave => CpuidAdditions::empty(),
            Self::Invlpgb => CpuidAdditions::INVLPGB,
        }
    }

    const fn policy(self) -> CpuidPolicy {
        match self {
            Self::Nothing | Self::Invlpgb => CpuidPolicy::REDUCED,
            Self::Xsave => CpuidPolicy::XSAVE,
        }
    }
}

/// Machine types of QEMU.
#[derive(Clone, Copy, Debug)]
pub(super) enum Machine {
    /// A PC with PCI Express.
    Q35,
    /// An older PC.
    Pc,
    /// A small machine with few devices.
    Microvm,
    /// The same without ACPI tables, so that nothing tells of more than one
    /// processor.
    MicrovmWithoutTables,
}

impl Machine {
    /// Its name for QEMU, with options.
    const fn name(self) -> &'static str {
        match self {
            Self::Q35 => "q35",
            Self::Pc => "pc",
            Self::Microvm => "microvm",
            Self::MicrovmWithoutTables => "microvm,acpi=off",
        }
    }
}

/// What save areas ask for, besides SEV-SNP itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Features {
    /// Nothing: the host may inject all events, and the kernel has interrupts
    /// masked.
    Plain,
    /// Nothing is injected but #HV, by which the kernel learns of interrupts.
    RestrictedInjection,
    /// Time stamp counters that are not the host's.
    SecureTsc,
}

impl Features {
    /// The features themselves.
    pub(super) const fn bits(self) -> SevFeatures {
        SevFeatures::SNP_ACTIVE.union(match self {
            Self::Plain => SevFeatures::empty(),
            Self::RestrictedInjection => SevFeatures::RESTRICTED_INJECTION,
            Self::SecureTsc => SevFeatures::SECURE_TSC,
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native { machine, cpus } => {
                write!(f, "native, {} with {cpus} processors", machine.name())
            }
            Self::Snp { cpus, features, shown } => write!(
                f,
                "SEV-SNP with {cpus} processors, features: {features:?}, shown: {shown:?}"
            ),
        }
    }
}

/// What a run came to.
pub(super) struct Run {
    /// What was on the console, without carriage returns.
    pub(super) console: String,
    stop: Stop,
    /// How often the module has executed INVLPGB, and waited by TLBSYNC.
    broadcasts: (u64, u64),
}

/// How the machine ended.
enum Stop {
    /// In a way that tells no reason, which is how the module stops a plain
    /// virtual machine.
    Untold,
    /// With a reason of the module's.
    Reason(u8),
    /// Otherwise.
    Other,
}

impl Run {
    /// Whether the machine ended as the module ends it for this reason.
    pub(super) fn stopped_with(&self, code: u8) -> bool {
        match self.stop {
            Stop::Untold => true,
            Stop::Reason(found) => found == code,
            Stop::Other => false,
        }
    }

    /// Whether the kernel has used INVLPGB if it was there, and waited for it as
    /// often, and has not if it was not.
    pub(super) fn has_broadcast_as(&self, target: Target) -> bool {
        let (invalidations, waits) = self.broadcasts;
        invalidations == waits && (invalidations != 0) == target.has_broadcasts()
    }
}

impl Target {
    /// What the image's save areas ask for; a plain virtual machine has none.
    pub(super) const fn features(self) -> Features {
        match self {
            Self::Native { .. } => Features::Plain,
            Self::Snp { features, .. } => features,
        }
    }

    /// Whether one processor can make all others forget, and has others.
    const fn has_broadcasts(self) -> bool {
        matches!(self, Self::Snp { cpus: 2.., shown: Shown::Invlpgb, .. })
    }

    /// Processors that the kernel finds.
    pub(super) const fn processors(self) -> u32 {
        match self {
            Self::Native { machine: Machine::MicrovmWithoutTables, .. } => 1,
            Self::Native { cpus, .. } | Self::Snp { cpus, .. } => cpus,
        }
    }

    /// Runs an image to its end.
    ///
    /// # Errors
    ///
    /// QEMU is missing, or does not do what it is to.
    pub(super) fn run(self, project: &Project, built: &Built, log: &mut Log) -> Result<Run> {
        match self {
            Self::Native { machine, cpus } => native(project, built, machine, cpus, log),
            Self::Snp { cpus, shown, .. } => snp(project, built, cpus, shown, log),
        }
    }
}

fn native(
    project: &Project,
    built: &Built,
    machine: Machine,
    cpus: u32,
    log: &mut Log,
) -> Result<Run> {
    let image = built.native.as_ref().context("the image has no platform `native`")?;
    let mut qemu = qemu(project)?;
    // Of what is given twice, the last counts.
    qemu.args(["-machine", machine.name(), "-smp", &cpus.to_string()]);
    qemu.args(["-cpu", "max", "-m", "512M", "-kernel"]).arg(image);
    let end = run_to_end(&mut qemu, log)?;
    let stop = if end.status.success() { Stop::Untold } else { Stop::Other };
    Ok(Run { console: end.console.replace('\r', ""), stop, broadcasts: (0, 0) })
}

fn snp(project: &Project, built: &Built, cpus: u32, shown: Shown, log: &mut Log) -> Result<Run> {
    let request = Request {
        image: Image::Igvm(built.igvm.clone()),
        command_line: String::new(),
        platform: Platform {
            cpus,
            cpuid: shown.policy(),
            cpuid_additions: shown.additions(),
            ..Platform::default()
        },
        devices: Devices::default(),
        pace: Pace::RealTime,
        debugger: None,
        limit: Some(LIMIT),
        expect: None,
    };
    let mut listener = Listener::default();
    let outcome = simulate(project, &request, &mut listener, log.stream()?)?;
    let console = listener.into_text();
    log.say(&format!("{}\n--- {}", console.trim_end(), outcome.end))?;
    let stop = match outcome.end {
        End::Interrupted(signal) => {
            follow(signal)?;
            bail!("interrupted by {}", signal.name());
        }
        End::Told(report::End::Terminated { reason_set: REASON_SET, reason_code, .. }) => {
            Stop::Reason(reason_code)
        }
        _ => Stop::Other,
    };
    let count = |name: &str| {
        let statistics = outcome.statistics.as_ref();
        let mut rows = statistics.into_iter().flat_map(|counts| counts.rows("translations"));
        rows.find(|(row, _)| *row == name).map_or(0, |(_, count)| count)
    };
    let broadcasts = (count("INVLPGB at VMPL0"), count("TLBSYNC at VMPL0"));
    Ok(Run { console, stop, broadcasts })
}
