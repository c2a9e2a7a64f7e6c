//! `svsm setup`: finds or provides what the other commands need.
//!
//! Each thing is a [`Step`]. Other commands ask for single steps through
//! [`Toolbox`], so nobody has to run this command first.

mod apt;
mod bare_metal;
mod busybox;
mod chip_keys;
mod crates;
mod debian_programs;
mod distribution;
mod firmware;
mod guest_kernel;
mod machine;
mod provide;
mod step;
mod system_package;
mod tool;
mod toolbox;
mod tpm_programs;
mod tpm_suite;
mod version;

use anyhow::{Result, bail};

pub(crate) use guest_kernel::{GuestKernel, KernelFiles, LINUX_6_1, LINUX_6_12, LINUX_7};
pub(crate) use machine::TARGET;
pub(crate) use toolbox::Toolbox;
pub(crate) use tpm_programs::TpmProgramFiles;
pub(crate) use tpm_suite::TpmSuiteFiles;

use bare_metal::BareMetal;
use busybox::Busybox;
use chip_keys::ChipKeys;
use crates::Crates;
use firmware::Firmware;
use machine::Machine;
use step::Step;
use system_package::{CXX, QEMU};
use tool::{CARGO_DENY, CARGO_FUZZ, MDBOOK};
use tpm_programs::TpmPrograms;
use tpm_suite::TpmSuite;

use crate::failure::{self, Usage, Verdict};
use crate::session::Session;
use crate::terminal::Tone;
use crate::workspace::Workspace;

/// Arguments of `svsm setup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only these steps; all if none is named
    #[arg(value_name = "STEP")]
    steps: Vec<String>,
    /// Tell what is there and what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// All steps, those that others need first.
const STEPS: [&dyn Step; 15] = [
    &Crates,
    &BareMetal,
    &ChipKeys,
    &QEMU,
    &Firmware,
    &LINUX_6_1,
    &LINUX_6_12,
    &LINUX_7,
    &Busybox,
    &TpmPrograms,
    &TpmSuite,
    &CXX,
    &CARGO_DENY,
    &MDBOOK,
    &CARGO_FUZZ,
];

/// Runs the command.
///
/// # Errors
///
/// A step is unknown; or the machine cannot be looked at.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let Session { terminal, network } = session;
    let steps = choose(&arguments.steps)?;
    let workspace = Workspace::find()?;
    let machine = Machine::look(workspace.root(), network)?;
    terminal.line(&format!("cache: {}", machine.cache.root().display()))?;
    let mut failed = Vec::new();
    for step in steps {
        let result = if arguments.dry_run {
            provide::plan(step, &machine, terminal)
        } else {
            provide::need_and_tell(step, &machine, terminal)
        };
        if let Err(error) = result {
            let line = format!("FAILED     {:<10}  {}", step.name(), failure::message(&error));
            terminal.line(&terminal.paint(Tone::Bad, &line))?;
            failed.push(step.name());
        }
    }
    if failed.is_empty() {
        return Ok(Verdict::Good);
    }
    bail!("not everything is there: {}", failed.join(", "))
}

fn choose(names: &[String]) -> Result<Vec<&'static dyn Step>> {
    let known = || STEPS.iter().map(|step| step.name()).collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        return Ok(STEPS.to_vec());
    }
    let find = |name: &String| {
        let step = STEPS.into_iter().find(|step| step.name() == *name);
        step.ok_or_else(|| {
            Usage(format!("there is no step `{name}`; steps are {}", known())).into()
        })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::{STEPS, choose};

    #[test]
    fn names_are_short_and_unique() {
        let mut names: Vec<String> = STEPS.iter().map(|step| step.name()).collect();
        assert!(names.iter().all(|name| name.len() <= 10), "{names:?}");
        names.sort();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn steps_are_chosen_by_name() {
        let names = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
            choose(&wanted).map(|steps| steps.iter().map(|step| step.name()).collect::<Vec<_>>())
        };
        assert_eq!(names(&["qemu"]).unwrap_or_default(), ["qemu"]);
        assert_eq!(names(&[]).unwrap_or_default().len(), STEPS.len());
        let message = names(&["nonsense"]).map_err(|error| error.to_string()).unwrap_err();
        assert!(message.contains("nonsense") && message.contains("bare-metal"), "{message}");
    }
}
