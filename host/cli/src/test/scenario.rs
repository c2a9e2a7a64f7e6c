//! Scenarios of a hostile host, and whether a guest ends as they say.

mod expectation;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use self::expectation::{Expectation, Fate, expectations, rule_lines};
use super::checks::Checks;
use super::recorder::Recording;

/// A scenario, and what it says about one guest.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The scenario.
    pub(super) path: PathBuf,
    /// Lines of its rules.
    pub(super) rules: Vec<usize>,
    /// What is expected.
    pub(super) expected: Expectation,
}

impl Wanted {
    /// The scenario's name.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// All that the scenarios of a folder expect, in the order of their names.
///
/// # Errors
///
/// A scenario cannot be read, or says nothing that can be tested.
pub(super) fn wanted(folder: &Path) -> Result<Vec<Wanted>> {
    let mut all = Vec::new();
    for path in scenarios(folder)? {
        let unreadable = || format!("cannot read {}", path.display());
        let text = fs::read_to_string(&path).with_context(unreadable)?;
        let expected = expectations(&text).with_context(unreadable)?;
        if expected.is_empty() {
            bail!("{} has no line `# Expected of …`", path.display());
        }
        all.extend(expected.into_iter().map(|expected| Wanted {
            path: path.clone(),
            rules: rule_lines(&text),
            expected,
        }));
    }
    Ok(all)
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

/// Compares what became of a guest with what is expected.
///
/// # Errors
///
/// The log cannot be written.
pub(super) fn judge(wanted: &Wanted, run: &Recording, checks: &mut Checks<'_>) -> Result<()> {
    let Wanted { rules, expected, .. } = wanted;
    let Recording { outcome, console, told } = run;
    let what = format!("end is `{}`, not `{}`", expected.end, outcome.end);
    checks.same(&what, &expected.end.is_met_by(&outcome.end), &true)?;
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
    fn what_scenarios_expect_can_happen() -> Result<()> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../simulator/scenarios");
        for folder in [folder.join("guest"), folder.join("kernel"), folder] {
            let wanted = wanted(&folder)?;
            assert!(wanted.iter().any(|wanted| wanted.expected.is_always_tested));
            for wanted in wanted {
                let Wanted { rules, expected, .. } = &wanted;
                assert!(expected.fates.iter().all(|(line, _)| rules.contains(line)), "{wanted:?}");
                // A run in which the host does nothing proves nothing.
                let attacks = rules.iter().any(|line| expected.fate_of(*line) != Fate::Unmet);
                assert!(attacks, "{wanted:?}");
            }
        }
        Ok(())
    }
}
