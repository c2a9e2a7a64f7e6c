//! `svsm fuzz`: runs the fuzz targets below `fuzz/` under libFuzzer.
//!
//! The stable compiler is told to accept the few unstable options that
//! instrumentation needs, so no second toolchain is necessary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::failure::{self, Usage, Verdict};
use crate::jobs::Counts;
use crate::log::Log;
use crate::process;
use crate::project::Project;
use crate::session::{Network, Session};

/// Seconds that one input may take before it counts as a hang.
const INPUT_TIMEOUT: u32 = 10;

/// Arguments of `svsm fuzz`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm fuzz --list
  cargo svsm fuzz igvm
  cargo svsm fuzz --seconds 60

Inputs that reach new code are kept in fuzz/corpus/TARGET, those that fail in
fuzz/artifacts/TARGET; neither is part of the source.")]
pub(crate) struct Arguments {
    /// Only this target; all if none is named
    target: Option<String>,
    /// Stop each target after so many seconds [default: never, or 60 for all]
    #[arg(long, value_name = "N", conflicts_with = "runs")]
    seconds: Option<u32>,
    /// Stop each target after so many inputs
    #[arg(long, value_name = "N")]
    runs: Option<u32>,
    /// Tell the targets' names, and run none
    #[arg(long)]
    list: bool,
}

/// How long a target runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// So many inputs.
    Runs(u32),
    /// So many seconds.
    Seconds(u32),
    /// Until it is stopped or finds something.
    Endless,
}

/// A target whose inputs take long, and a smoke of it.
struct Slow {
    target: &'static str,
    /// Inputs that are enough where others have more.
    runs: u32,
    /// What libFuzzer is told besides.
    argument: &'static str,
}

const SLOW: [Slow; 1] = [Slow {
    // Sequences of commands, with the creation of keys among them. They reach so
    // much that to weigh how rare it is takes longer than they do.
    target: "tpm_sequence",
    runs: 2_000,
    argument: "-entropic=0",
}];

impl Effort {
    /// Shows that a target works and that the obvious does not break it.
    pub(crate) const SMOKE: Self = Self::Runs(10_000);

    /// What one target is told in a smoke.
    fn smoke_arguments(self, target: &str) -> Vec<String> {
        let slow = SLOW.iter().find(|slow| slow.target == target);
        match (self, slow) {
            (Self::Runs(runs), Some(slow)) => {
                let mut arguments = Self::Runs(runs.min(slow.runs)).arguments();
                arguments.push(slow.argument.to_owned());
                arguments
            }
            _ => self.arguments(),
        }
    }

    fn arguments(self) -> Vec<String> {
        match self {
            Self::Runs(runs) => vec![format!("-runs={runs}")],
            Self::Seconds(seconds) => vec![format!("-max_total_time={seconds}")],
            Self::Endless => Vec::new(),
        }
    }
}

/// Runs the command.
///
/// # Errors
///
/// There is no such target, it cannot be built, or it found something.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let project = Project::open(session)?;
    let targets = targets(project.workspace.root())?;
    if arguments.list {
        session.terminal.line(&targets.join("\n"))?;
        return Ok(Verdict::Good);
    }
    let chosen = match &arguments.target {
        None => targets,
        Some(name) if targets.contains(name) => vec![name.clone()],
        Some(name) => {
            let names = targets.join(", ");
            bail!(Usage(format!("there is no fuzz target `{name}`; there is {names}")));
        }
    };
    let effort = match (arguments.runs, arguments.seconds) {
        (Some(runs), _) => Effort::Runs(runs),
        (None, Some(seconds)) => Effort::Seconds(seconds),
        (None, None) if chosen.len() == 1 => Effort::Endless,
        (None, None) => Effort::Seconds(60),
    };
    let fuzz = Fuzz::new(&project)?;
    for target in &chosen {
        let corpus = fuzz.corpus(target);
        std::fs::create_dir_all(&corpus)
            .with_context(|| format!("cannot create {}", corpus.display()))?;
        let mut command = fuzz.run(target, &corpus, &effort.arguments());
        let status = command.stdin(Stdio::null()).status().context("cannot start cargo-fuzz")?;
        if !status.success() {
            bail!("`{}` failed ({status})", process::show(&command));
        }
    }
    Ok(Verdict::Good)
}

/// Runs all targets with a fixed seed, each on a corpus that starts from the
/// seeds in the source alone, so that the smoke is the same every time.
///
/// # Errors
///
/// A target cannot be built. One that finds something is counted.
pub(crate) fn smoke(project: &Project, effort: Effort, log: &mut Log) -> Result<Counts> {
    let fuzz = Fuzz::new(project)?;
    log.run(&mut fuzz.build())?;
    let mut counts = Counts::default();
    for target in targets(project.workspace.root())? {
        let corpus = tempfile::tempdir().context("cannot create a folder")?;
        let arguments = effort.smoke_arguments(&target);
        match log.run(fuzz.run(&target, corpus.path(), &arguments).arg("-seed=1")) {
            Ok(()) => counts.passed += 1,
            Err(error) => {
                counts.failed += 1;
                log.say(&format!("fuzz target {target}: {}", failure::message(&error)))?;
            }
        }
    }
    Ok(counts)
}

/// How cargo-fuzz is called.
struct Fuzz<'a> {
    project: &'a Project,
    program: PathBuf,
}

impl<'a> Fuzz<'a> {
    fn new(project: &'a Project) -> Result<Self> {
        let fuzz = Self { project, program: project.toolbox.cargo_fuzz()? };
        // cargo-fuzz would bring the lock file up to date without a word.
        let mut locked = project.workspace.cargo("metadata", project.session.network);
        locked.args(["--format-version", "1"]).current_dir(fuzz.folder());
        process::capture(&mut locked).context("fuzz/Cargo.lock is not as fuzz/Cargo.toml says")?;
        Ok(fuzz)
    }

    fn folder(&self) -> PathBuf {
        self.project.workspace.root().join("fuzz")
    }

    /// Where the inputs that a person's runs have found are kept.
    fn corpus(&self, target: &str) -> PathBuf {
        self.folder().join("corpus").join(target)
    }

    fn build(&self) -> Command {
        self.command("build")
    }

    /// Runs a target on `corpus` and the seeds in the source, with these
    /// arguments for libFuzzer. More can be added.
    fn run(&self, target: &str, corpus: &Path, arguments: &[String]) -> Command {
        let mut command = self.command("run");
        command.arg(target).arg(corpus);
        let seeds = self.folder().join("seeds").join(target);
        if seeds.is_dir() {
            command.arg(seeds);
        }
        command.arg("--").args(arguments).arg(format!("-timeout={INPUT_TIMEOUT}"));
        command
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(subcommand).current_dir(self.project.workspace.root());
        command.arg("--fuzz-dir").arg(self.folder());
        command.arg("--target-dir").arg(self.project.workspace.target().join("fuzz"));
        command.env("RUSTC_BOOTSTRAP", "1");
        if self.project.session.network == Network::Forbidden {
            command.env("CARGO_NET_OFFLINE", "true");
        }
        command
    }
}

/// The part of `fuzz/Cargo.toml` that is of use here.
#[derive(Deserialize)]
struct Manifest {
    bin: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Names of all fuzz targets, sorted.
fn targets(root: &Path) -> Result<Vec<String>> {
    let path = root.join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not as expected", path.display()))
}

fn parse(manifest: &str) -> Result<Vec<String>> {
    let manifest: Manifest = toml::from_str(manifest)?;
    let mut names: Vec<String> = manifest.bin.into_iter().map(|target| target.name).collect();
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Effort, SLOW, parse, targets};

    #[test]
    fn targets_are_the_manifest_s_programs() -> anyhow::Result<()> {
        let manifest = "[package]\nname = 'fuzz'\n[[bin]]\nname = 'igvm'\n[[bin]]\nname = 'elf'\n";
        assert_eq!(parse(manifest)?, ["elf", "igvm"]);
        assert!(parse("[package]\nname = 'fuzz'").is_err());
        assert!(parse("not toml").is_err());
        Ok(())
    }

    #[test]
    fn every_target_is_one_of_them() -> anyhow::Result<()> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(root.join("fuzz/targets"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                files.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        files.sort();
        assert_eq!(targets(&root)?, files);
        Ok(())
    }

    #[test]
    fn slow_targets_have_fewer_inputs() -> anyhow::Result<()> {
        assert_eq!(Effort::SMOKE.smoke_arguments("igvm"), ["-runs=10000"]);
        let slow = Effort::SMOKE.smoke_arguments("tpm_sequence");
        assert_eq!(slow, ["-runs=2000", "-entropic=0"]);
        assert_eq!(Effort::Runs(5).smoke_arguments("tpm_sequence"), ["-runs=5", "-entropic=0"]);
        assert_eq!(Effort::Seconds(9).smoke_arguments("tpm_sequence"), ["-max_total_time=9"]);
        let targets = targets(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
        assert!(SLOW.iter().all(|slow| targets.iter().any(|target| target == slow.target)));
        Ok(())
    }

    #[test]
    fn efforts_become_arguments() {
        assert_eq!(Effort::Runs(5).arguments(), ["-runs=5"]);
        assert_eq!(Effort::Seconds(60).arguments(), ["-max_total_time=60"]);
        assert!(Effort::Endless.arguments().is_empty());
    }
}
