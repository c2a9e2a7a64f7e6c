//! `svsm check`: everything that can be said about the source without running
//! it.

use anyhow::{Result, bail};

use crate::failure::{Usage, Verdict};
use crate::jobs::{self, Counts, Job};
use crate::log::Log;
use crate::module;
use crate::project::Project;
use crate::session::{Network, Session};
use crate::workspace::{World, cargo};

/// Folders that are workspaces of their own, next to that of the root.
const TREES: [&str; 2] = ["fuzz", "tests/oracle"];

/// Arguments of `svsm check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm check
  cargo svsm check --fix
  cargo svsm check clippy rules

All checks run even if one fails. What they print goes to
target/svsm/test-logs/NAME.log; the end of it is shown when a check fails.")]
pub(crate) struct Arguments {
    /// Only checks whose name contains one of these words
    #[arg(value_name = "NAME")]
    filters: Vec<String>,
    /// First format the source and lower the unsafe budget where it can be
    #[arg(long)]
    fix: bool,
    /// Tell the checks' names and purposes, and run none
    #[arg(long)]
    list: bool,
}

/// Runs the command.
///
/// # Errors
///
/// No check has such a name, or the tree cannot be read.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let project = Project::open(session)?;
    if arguments.fix {
        fix(&project)?;
    }
    let jobs = select(jobs(&project), &arguments.filters)?;
    if arguments.list {
        jobs::list(&jobs, session.terminal)?;
        return Ok(Verdict::Good);
    }
    run_and_tell(jobs, &project)
}

/// Runs jobs, which have their logs in `target/svsm/test-logs`, and tells how
/// they ended.
///
/// # Errors
///
/// As [`jobs::run`].
pub(crate) fn run_and_tell(jobs: Vec<Job<'_>>, project: &Project) -> Result<Verdict> {
    let terminal = project.session.terminal;
    let logs = project.workspace.output().join("test-logs");
    let report = jobs::run(jobs, &logs, terminal)?;
    terminal.line(&format!("\n{}\n", report.table(terminal)))?;
    terminal.line(&report.counts().show())?;
    Ok(if report.counts().failed == 0 { Verdict::Good } else { Verdict::Bad })
}

/// Keeps the jobs whose name contains one of the words; all if there is none.
///
/// # Errors
///
/// A word fits no job.
pub(crate) fn select<'a>(jobs: Vec<Job<'a>>, words: &[String]) -> Result<Vec<Job<'a>>> {
    let fits = |job: &Job<'_>, word: &String| job.name().contains(word.as_str());
    if let Some(word) = words.iter().find(|word| !jobs.iter().any(|job| fits(job, word))) {
        let names: Vec<&str> = jobs.iter().map(Job::name).collect();
        bail!(Usage(format!("nothing is called `{word}`; there is {}", names.join(", "))));
    }
    let wanted = |job: &Job<'_>| words.is_empty() || words.iter().any(|word| fits(job, word));
    Ok(jobs.into_iter().filter(wanted).collect())
}

/// All checks, fast ones first.
pub(crate) fn jobs(project: &Project) -> Vec<Job<'_>> {
    vec![
        Job::all_or_nothing("format", "the source is formatted", |log| format(project, log)),
        Job::new("rules", "rules of the source tree", |log| rules(project, log)),
        Job::all_or_nothing("dependencies", "licences, sources, banned crates", |log| {
            dependencies(project, log)
        }),
        Job::all_or_nothing("clippy", "lints of what runs on this machine", |log| {
            clippy(project, log)
        }),
        Job::all_or_nothing("clippy-bare-metal", "lints of what runs without a system", |log| {
            clippy_bare_metal(project, log)
        }),
        Job::all_or_nothing("build-bare-metal", "libraries compile without a system", |log| {
            build_bare_metal(project, log)
        }),
        Job::all_or_nothing("documentation", "rustdoc has no warnings", |log| {
            documentation(project, log)
        }),
    ]
}

fn format(project: &Project, log: &mut Log) -> Result<()> {
    let root = project.workspace.root();
    let mut fmt = cargo();
    log.run(fmt.args(["fmt", "--all", "--check"]).current_dir(root))?;
    for tree in TREES {
        let mut fmt = cargo();
        log.run(fmt.args(["fmt", "--check"]).current_dir(root.join(tree)))?;
    }
    Ok(())
}

fn rules(project: &Project, log: &mut Log) -> Result<Counts> {
    let mut counts = Counts::default();
    for outcome in svsm_check::run(project.workspace.root()) {
        if outcome.passed() {
            counts.passed += 1;
            log.say(&format!("ok: {}", outcome.name))?;
        } else {
            counts.failed += 1;
        }
        for problem in outcome.problems {
            log.say(&format!("{}: {problem}", outcome.name))?;
        }
    }
    Ok(counts)
}

fn dependencies(project: &Project, log: &mut Log) -> Result<()> {
    let mut deny = std::process::Command::new(project.toolbox.cargo_deny()?);
    deny.current_dir(project.workspace.root()).arg("--locked");
    if project.session.network == Network::Forbidden {
        deny.arg("--offline");
    }
    log.run(deny.args(["check", "bans", "licenses", "sources"]))
}

fn clippy(project: &Project, log: &mut Log) -> Result<()> {
    let mut command = project.workspace.cargo("clippy", project.session.network);
    command.args(project.workspace.select_buildable()).arg("--all-targets");
    log.run(command.args(["--", "-D", "warnings"]))
}

fn clippy_bare_metal(project: &Project, log: &mut Log) -> Result<()> {
    let mut command = module::cargo(project, "clippy")?;
    command.args(project.workspace.select(World::BareMetal));
    log.run(command.args(["--", "-D", "warnings"]))
}

/// Lints stop before code is made: what the compiler cannot make, for want of
/// vector registers say, shows only here.
fn build_bare_metal(project: &Project, log: &mut Log) -> Result<()> {
    let mut command = module::cargo(project, "build")?;
    log.run(command.args(project.workspace.select(World::BareMetal)).arg("--lib"))
}

fn documentation(project: &Project, log: &mut Log) -> Result<()> {
    const WHAT: [&str; 2] = ["--no-deps", "--document-private-items"];
    let mut host = project.workspace.cargo("doc", project.session.network);
    host.args(WHAT).args(project.workspace.select(World::Host));
    log.run(host.env("RUSTDOCFLAGS", "-D warnings"))?;
    let mut bare = module::cargo(project, "doc")?;
    module::deny_documentation_warnings(&mut bare, project)?;
    log.run(bare.args(WHAT).args(project.workspace.select(World::OnlyBareMetal)))
}

fn fix(project: &Project) -> Result<()> {
    let (root, terminal) = (project.workspace.root(), project.session.terminal);
    for folder in TREES.iter().map(|tree| root.join(tree)).chain([root.to_owned()]) {
        let mut fmt = cargo();
        crate::process::capture(fmt.args(["fmt", "--all"]).current_dir(folder))?;
    }
    for lowered in svsm_check::update_budget(root)? {
        let svsm_check::Lowered { name, from, to } = lowered;
        terminal.line(&format!("unsafe budget of {name} lowered from {from} to {to}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::select;
    use crate::failure::Usage;
    use crate::jobs::Job;

    fn names(words: &[&str]) -> anyhow::Result<Vec<&'static str>> {
        let job = |name| Job::all_or_nothing(name, "", |_| Ok(()));
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let jobs = select(vec![job("clippy"), job("clippy-bare-metal"), job("boot")], &words)?;
        Ok(jobs.iter().map(Job::name).collect())
    }

    #[test]
    fn words_select_by_part_of_the_name() -> anyhow::Result<()> {
        assert_eq!(names(&[])?, ["clippy", "clippy-bare-metal", "boot"]);
        assert_eq!(names(&["clippy"])?, ["clippy", "clippy-bare-metal"]);
        assert_eq!(names(&["boot", "bare"])?, ["clippy-bare-metal", "boot"]);
        Ok(())
    }

    #[test]
    fn a_word_that_fits_nothing_is_a_wrong_call() {
        let error = names(&["boot", "nonsense"]).err();
        assert!(error.is_some_and(|error| error.is::<Usage>()));
    }
}
