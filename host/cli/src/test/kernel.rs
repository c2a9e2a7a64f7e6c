//! Runs the kernel with tests in place of services, on every platform that it
//! is built for.
//!
//! The tests are in `kernel/trials`; which of them run is in the image's kernel
//! options. One that panics ends its machine: the next machine goes on behind
//! it. Each ending has a machine of its own, and each scenario of a hostile host.

mod console;
mod target;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use svsm_image::manifest::{KernelOptions, Kind, Manifest};

use self::console::{Announced, Trials, announced, endings, has_callers, processors, trials};
use self::target::{Features, Machine, Run, Shown, Target};
use crate::build::{self, Built};
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::test::attacked_image;
use crate::test::depth::Depth;

/// What the image is made of.
const MANIFEST: &str = "images/kernel-trials.toml";

/// What a hostile host does to it.
const SCENARIOS: &str = "simulator/scenarios/kernel";

/// What scenarios call the kernel, by what its save areas ask for.
const KERNELS: [(&str, Features); 2] =
    [("module", Features::Plain), ("module-secure-tsc", Features::SecureTsc)];

/// The ending that is no fault, and so tells no callers.
const PLAIN_STOP: &str = "stop";

/// What the endings run on: one processor of each platform.
const SMALL: [Target; 2] = [native(Machine::Q35, 1), snp(1, Features::Plain, Shown::Nothing)];

/// What all tests run on.
const TARGETS: [Target; 14] = [
    SMALL[0],
    native(Machine::Q35, 4),
    native(Machine::Pc, 4),
    native(Machine::Microvm, 4),
    native(Machine::MicrovmWithoutTables, 4),
    SMALL[1],
    snp(4, Features::Plain, Shown::Nothing),
    snp(1, Features::RestrictedInjection, Shown::Nothing),
    snp(4, Features::RestrictedInjection, Shown::Nothing),
    snp(1, Features::SecureTsc, Shown::Nothing),
    snp(4, Features::SecureTsc, Shown::Nothing),
    snp(4, Features::Plain, Shown::Invlpgb),
    snp(4, Features::Plain, Shown::Xsave),
    snp(4, Features::RestrictedInjection, Shown::Invlpgb),
];

const fn native(machine: Machine, cpus: u32) -> Target {
    Target::Native { machine, cpus }
}

const fn snp(cpus: u32, features: Features, shown: Shown) -> Target {
    Target::Snp { cpus, features, shown }
}

/// Builds the image, runs it and counts its tests and endings.
///
/// # Errors
///
/// The image or the simulator cannot be built, or QEMU is missing.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let bench = Bench { project, manifest: project.workspace.root().join(MANIFEST) };
    let mut counts = Counts::default();
    for target in TARGETS {
        counts = counts.plus(bench.all_trials(target, log)?);
    }
    let list = bench.run(SMALL[0], "endings", log)?;
    let names: Vec<String> = endings(&list.console).map(str::to_owned).collect();
    for name in &names {
        for target in SMALL {
            counts = counts.plus(bench.ending(target, name, log)?);
        }
    }
    if names.is_empty() {
        log.say("the kernel lists no endings")?;
        counts.failed += 1;
    }
    let names = KERNELS.map(|(name, _)| name);
    let scenarios = attacked_image::scenarios(project, SCENARIOS, &names, Depth::Thorough)?;
    for (kernel, features) in KERNELS {
        let built = bench.image(features, "", log)?;
        let scenarios = scenarios.iter().filter(|wanted| wanted.expected.kernel == kernel);
        counts = counts.plus(attacked_image::test(project, &built.igvm, scenarios, log)?);
    }
    Ok(counts)
}

/// What runs take.
struct Bench<'a> {
    project: &'a Project,
    manifest: PathBuf,
}

impl Bench<'_> {
    /// Runs the image with these options.
    fn run(&self, target: Target, options: &str, log: &mut Log) -> Result<Run> {
        let built = self.image(target.features(), options, log)?;
        log.say(&format!("--- {target}, options `{options}`"))?;
        target.run(self.project, &built, log)
    }

    fn image(&self, features: Features, options: &str, log: &mut Log) -> Result<Built> {
        let mut manifest = Manifest::load(&self.manifest)?;
        if let Kind::Module(module) = &mut manifest.kind {
            let options = KernelOptions::try_from(options.to_owned());
            module.kernel.options = options.map_err(|error| anyhow!(error))?;
        }
        let features = features.bits().bits();
        manifest.snp.sev_features = features.try_into().map_err(|error: String| anyhow!(error))?;
        build::changed_image(self.project, &manifest, log.stream()?)
    }

    /// All tests, in as many machines as they need.
    fn all_trials(&self, target: Target, log: &mut Log) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut next = 0;
        loop {
            let run = self.run(target, &format!("from={next}"), log)?;
            let Trials { counts: these, announced, complete } = trials(&run.console);
            counts = counts.plus(these);
            if !run.has_broadcast_as(target) {
                log.say("INVLPGB was used where there is none, or not where there is")?;
                counts.failed += 1;
            }
            if processors(&run.console) != Some(target.processors()) {
                counts.failed += 1;
                log.say("the kernel did not find as many processors as there are")?;
            }
            if complete && run.stopped_with(0) {
                return Ok(counts);
            }
            // The test that it ended in, or the way to or from the tests.
            counts.failed += 1;
            log.say("the kernel did not come to the end of its tests")?;
            let begun = these.passed + these.failed + 1;
            next += begun;
            if complete || begun >= announced {
                return Ok(counts);
            }
        }
    }

    /// One ending: the machine must stop for the reason that the kernel says, and
    /// after a fault show who called whom.
    fn ending(&self, target: Target, name: &str, log: &mut Log) -> Result<Counts> {
        let run = self.run(target, &format!("ending={name}"), log)?;
        let as_announced = announced(&run.console)
            .is_some_and(|Announced { code, said }| said && run.stopped_with(code));
        let as_announced = as_announced && (name == PLAIN_STOP || has_callers(&run.console));
        if as_announced {
            return Ok(Counts::passed(1));
        }
        log.say(&format!("{name} ended otherwise than announced"))?;
        Ok(Counts { failed: 1, ..Counts::default() })
    }
}
