//! Machines that the kernel runs on.

use std::fmt;
use std::time::Duration;

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
    /// A plain virtual machine, which has one processor for this kernel.
    Native,
    /// The platform simulator.
    Snp {
        /// Virtual processors.
        cpus: u32,
        /// What the save areas ask for.
        features: Features,
    },
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
            Self::Native => f.write_str("native"),
            Self::Snp { cpus, features } => {
                write!(f, "SEV-SNP with {cpus} processors, features: {features:?}")
            }
        }
    }
}

/// What a run came to.
pub(super) struct Run {
    /// What was on the console, without carriage returns.
    pub(super) console: String,
    stop: Stop,
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
}

impl Target {
    /// What the image's save areas ask for; a plain virtual machine has none.
    pub(super) const fn features(self) -> Features {
        match self {
            Self::Native => Features::Plain,
            Self::Snp { features, .. } => features,
        }
    }

    /// Runs an image to its end.
    ///
    /// # Errors
    ///
    /// QEMU is missing, or does not do what it is to.
    pub(super) fn run(self, project: &Project, built: &Built, log: &mut Log) -> Result<Run> {
        match self {
            Self::Native => native(project, built, log),
            Self::Snp { cpus, .. } => snp(project, built, cpus, log),
        }
    }
}

fn native(project: &Project, built: &Built, log: &mut Log) -> Result<Run> {
    let image = built.native.as_ref().context("the image has no platform `native`")?;
    let mut qemu = qemu(project)?;
    qemu.args(["-cpu", "max", "-m", "512M", "-kernel"]).arg(image);
    let end = run_to_end(&mut qemu, log)?;
    let stop = if end.status.success() { Stop::Untold } else { Stop::Other };
    Ok(Run { console: end.console.replace('\r', ""), stop })
}

fn snp(project: &Project, built: &Built, cpus: u32, log: &mut Log) -> Result<Run> {
    let request = Request {
        image: Image::Igvm(built.igvm.clone()),
        command_line: String::new(),
        platform: Platform { cpus, ..Platform::default() },
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
    Ok(Run { console, stop })
}
