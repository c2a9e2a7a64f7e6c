//! Stock kernels under a hostile host: they end themselves, are stopped by the
//! platform, or go on unharmed, as each scenario says.

mod expectation;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use svsm_initrd::console::exit_status;

use self::expectation::{Expectation, Fate, expectations, rule_lines};
use super::super::depth::Depth;
use super::super::recorder::{Recording, record};
use super::checks::Checks;
use super::guest::Guest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_1, LINUX_6_12, LINUX_7};

/// Where the scenarios are.
const FOLDER: &str = "simulator/scenarios";
/// What the guest does.
const SCRIPT: &str = include_str!("hostile.sh");
/// How that ends if the guest has lost nothing.
const STATUS: u8 = 42;
/// How long guests run that get nowhere: several times what others take.
const PATIENCE: Duration = Duration::from_secs(60);

const KERNELS: [&GuestKernel; 3] = [&LINUX_6_1, &LINUX_6_12, &LINUX_7];

/// Runs the scenarios and compares what becomes of the guests with what the
/// scenarios say.
///
/// # Errors
///
/// A kernel, busybox or QEMU is missing, a scenario cannot be read or says
/// nothing that can be tested, or there is no run to speak of.
pub(in super::super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let mut wanted = Vec::new();
    for path in scenarios(&project.workspace.root().join(FOLDER))? {
        let unreadable = || format!("cannot read {}", path.display());
        let text = fs::read_to_string(&path).with_context(unreadable)?;
        let expected = expectations(&text).with_context(unreadable)?;
        if expected.is_empty() {
            bail!("{} has no line `# Expected of …`", path.display());
        }
        for expected in expected {
            if expected.is_always_tested || depth == Depth::Thorough {
                wanted.push((path.clone(), rule_lines(&text), expected));
            }
        }
    }
    let mut checks = Checks::new(log);
    // A guest is made once for all of its scenarios.
    for kernel in KERNELS {
        let mut of_kernel =
            wanted.iter().filter(|(.., expected)| expected.kernel == kernel.name()).peekable();
        if of_kernel.peek().is_none() {
            continue;
        }
        let mut guest = Guest::new(project, kernel, SCRIPT)?;
        // Most rules wait for what the kernel writes.
        guest.request.command_line = "console=ttyS0 panic=-1".to_owned();
        let limit = guest.request.limit;
        for (path, rules, expected) in of_kernel {
            let name = path.file_stem().unwrap_or_default().display();
            checks.log().say(&format!("=== {name}, {}", expected.of))?;
            guest.request.platform.cpus = expected.processors;
            guest.request.platform.scenario = Some(path.clone());
            guest.request.limit = if expected.end.is_time_out() { Some(PATIENCE) } else { limit };
            let run = record(project, &guest.request, checks.log())?;
            judge(expected, rules, &run, &mut checks)?;
        }
    }
    if let Some((path, _, expected)) =
        wanted.iter().find(|(.., expected)| KERNELS.iter().all(|k| k.name() != expected.kernel))
    {
        bail!("{}: there is no kernel `{}`", path.display(), expected.kernel);
    }
    Ok(checks.counts())
}

/// All scenarios, by name.
fn scenarios(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "scenario") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn judge(
    expected: &Expectation,
    rules: &[usize],
    run: &Recording,
    checks: &mut Checks<'_>,
) -> Result<()> {
    let Recording { outcome, console, told } = run;
    let what = format!("end is `{}`, not `{}`", expected.end, outcome.end);
    checks.same(&what, &expected.end.is_met_by(&outcome.end), &true)?;
    if expected.end.is_power_off() {
        checks.same("exit status", &exit_status(console), &Some(STATUS))?;
    }
    for line in rules {
        let fate = fate(told, *line);
        checks.same(&format!("rule of line {line}"), &fate, &expected.fate_of(*line))?;
    }
    for text in &expected.shown {
        checks.same(&format!("`{text}` on the console"), &console.contains(text), &true)?;
    }
    for text in &expected.not_shown {
        checks.same(&format!("`{text}` on the console"), &console.contains(text), &false)?;
    }
    Ok(())
}

/// What the simulator has told about the rule of this line.
fn fate(told: &[String], line: usize) -> Fate {
    let begin = format!("hostile host, line {line}: ");
    let mut notes = told.iter().filter_map(|note| note.strip_prefix(&begin)).peekable();
    if notes.peek().is_none() {
        return Fate::Unmet;
    }
    if notes.any(|note| !note.starts_with("not possible")) { Fate::Done } else { Fate::Impossible }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_tell_what_became_of_rules() {
        let told = [
            "hostile host, line 3: not possible: the page is not shared",
            "hostile host, line 3: refused",
            "hostile host, line 14: not possible: no such level",
            "something else",
        ];
        let told = told.map(str::to_owned);
        let found = [1, 3, 4, 14].map(|line| fate(&told, line));
        assert_eq!(found, [Fate::Unmet, Fate::Done, Fate::Unmet, Fate::Impossible]);
    }

    #[test]
    fn every_scenario_says_what_is_expected() -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(FOLDER);
        let paths = scenarios(&folder)?;
        assert!(!paths.is_empty());
        let mut always = 0;
        for path in paths {
            let text = fs::read_to_string(&path)?;
            let name = path.display();
            let expected = expectations(&text).with_context(|| name.to_string())?;
            assert!(!expected.is_empty(), "{name}");
            for expected in &expected {
                assert!(KERNELS.iter().any(|kernel| kernel.name() == expected.kernel), "{name}");
                let rules = rule_lines(&text);
                assert!(expected.fates.iter().all(|(line, _)| rules.contains(line)), "{name}");
                // A run in which the host does nothing proves nothing.
                assert!(rules.iter().any(|line| expected.fate_of(*line) != Fate::Unmet), "{name}");
                always += usize::from(expected.is_always_tested);
            }
        }
        assert!(always != 0);
        Ok(())
    }
}
