//! Running a list of jobs: each has a log, all run even if one fails, a table
//! tells at the end.
//!
//! `check` and `test` are lists of such jobs.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::failure;
use crate::log::Log;
use crate::table::{self, Cell};
use crate::terminal::{Terminal, Tone, seconds};

/// Lines of a failed job's log that are shown.
const TAIL_LINES: usize = 40;

/// How many things a job looked at, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Things that are as they should be.
    pub(crate) passed: usize,
    /// Things that are not.
    pub(crate) failed: usize,
    /// Things that were left out.
    pub(crate) skipped: usize,
}

impl Counts {
    /// So many things, all as they should be.
    pub(crate) const fn passed(passed: usize) -> Self {
        Self { passed, failed: 0, skipped: 0 }
    }

    /// The sum of both.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// The closing line, or a table's field: `12 passed, 0 failed`.
    pub(crate) fn show(self) -> String {
        let Self { passed, failed, skipped } = self;
        match skipped {
            0 => format!("{passed} passed, {failed} failed"),
            _ => format!("{passed} passed, {failed} failed, {skipped} skipped"),
        }
    }
}

/// What a job does; it writes its details into the log.
type Work<'a> = Box<dyn FnOnce(&mut Log) -> Result<Counts> + 'a>;

/// One thing to do.
pub(crate) struct Job<'a> {
    name: &'static str,
    purpose: &'static str,
    work: Work<'a>,
}

impl<'a> Job<'a> {
    /// A job whose `name` is also that of its log file, and whose `purpose`
    /// fits behind it on a line.
    pub(crate) fn new(
        name: &'static str,
        purpose: &'static str,
        work: impl FnOnce(&mut Log) -> Result<Counts> + 'a,
    ) -> Self {
        Self { name, purpose, work: Box::new(work) }
    }

    /// A job that runs commands which all have to succeed, and counts as one.
    pub(crate) fn all_or_nothing(
        name: &'static str,
        purpose: &'static str,
        work: impl FnOnce(&mut Log) -> Result<()> + 'a,
    ) -> Self {
        Self::new(name, purpose, move |log| work(log).map(|()| Counts::passed(1)))
    }

    /// The name.
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }
}

/// How a job ended.
struct Outcome {
    name: &'static str,
    counts: Counts,
    took: Duration,
}

/// How all jobs ended.
pub(crate) struct Report {
    outcomes: Vec<Outcome>,
}

/// Runs jobs one after the other, with logs in `folder`, and tells about each
/// when it has ended.
///
/// # Errors
///
/// A log or the screen cannot be written. A job that fails is no error; the
/// report counts it.
pub(crate) fn run(jobs: Vec<Job<'_>>, folder: &Path, terminal: Terminal) -> Result<Report> {
    let total = jobs.len();
    let width = jobs.iter().map(|job| job.name.len()).max().unwrap_or_default();
    let mut outcomes = Vec::with_capacity(total);
    for (index, job) in jobs.into_iter().enumerate() {
        let place = format!("[{}/{total}]", index + 1);
        let mut log = Log::create(folder.join(format!("{}.log", job.name)))?;
        let spinner = terminal.busy(&format!("{place} {}: {}", job.name, job.purpose));
        let began = Instant::now();
        let result = (job.work)(&mut log);
        let took = began.elapsed();
        drop(spinner);
        let counts = match &result {
            Ok(counts) => *counts,
            Err(_) => Counts { failed: 1, ..Counts::default() },
        };
        let verdict = match counts.failed {
            0 => terminal.paint(Tone::Good, "ok    "),
            _ => terminal.paint(Tone::Bad, "FAILED"),
        };
        terminal.line(&format!(
            "{} {verdict} {:width$} {:>11}  {}",
            terminal.paint(Tone::Quiet, &place),
            job.name,
            seconds(took),
            terminal.paint(Tone::Quiet, job.purpose),
        ))?;
        if counts.failed != 0 {
            explain(&log, result.err(), terminal)?;
        }
        outcomes.push(Outcome { name: job.name, counts, took });
    }
    Ok(Report { outcomes })
}

/// Tells the jobs' names and purposes.
///
/// # Errors
///
/// The screen cannot be written.
pub(crate) fn list(jobs: &[Job<'_>], terminal: Terminal) -> Result<()> {
    let row = |job: &Job<'_>| vec![Cell::words(job.name), Cell::words(job.purpose)];
    let rows: Vec<_> = jobs.iter().map(row).collect();
    Ok(terminal.line(&table::render(&rows, terminal))?)
}

/// Shows why a job failed: the end of its log, then the error.
fn explain(log: &Log, error: Option<anyhow::Error>, terminal: Terminal) -> Result<()> {
    for line in log.tail(TAIL_LINES)?.lines() {
        terminal.line(&format!("    {line}"))?;
    }
    if let Some(error) = error {
        let message = failure::message(&error).replace('\n', "\n    ");
        terminal.line(&format!("    {}", terminal.paint(Tone::Bad, &message)))?;
    }
    terminal.line(&format!("    whole log: {}", log.path().display()))?;
    Ok(())
}

impl Report {
    /// The sum over all jobs.
    pub(crate) fn counts(&self) -> Counts {
        self.outcomes.iter().fold(Counts::default(), |sum, outcome| sum.plus(outcome.counts))
    }

    /// A row for each job and one for the sum.
    pub(crate) fn table(&self, terminal: Terminal) -> String {
        let heading = ["step", "result", "passed", "failed", "skipped", "time"];
        let mut rows = vec![heading.map(|text| Cell::words(text).tone(Tone::Strong)).to_vec()];
        for outcome in &self.outcomes {
            rows.push(row(outcome.name, outcome.counts, outcome.took));
        }
        let took = self.outcomes.iter().map(|outcome| outcome.took).sum();
        rows.push(row("total", self.counts(), took));
        table::render(&rows, terminal)
    }
}

fn row(name: &str, counts: Counts, took: Duration) -> Vec<Cell> {
    let result = match counts.failed {
        0 => Cell::words("ok").tone(Tone::Good),
        _ => Cell::words("FAILED").tone(Tone::Bad),
    };
    let figure = |count: usize| Cell::figure(count.to_string());
    vec![
        Cell::words(name),
        result,
        figure(counts.passed),
        figure(counts.failed),
        figure(counts.skipped),
        Cell::figure(seconds(took)),
    ]
}

#[cfg(test)]
mod tests {
    use anyhow::{Result, bail};

    use super::{Counts, Job, run};
    use crate::terminal::Terminal;

    #[test]
    fn a_failure_does_not_stop_the_next_job() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let jobs = vec![
            Job::new("breaks", "", |log| {
                log.say("about to break")?;
                bail!("broken")
            }),
            Job::new("counts", "", |_| Ok(Counts { passed: 5, failed: 2, skipped: 1 })),
            Job::all_or_nothing("works", "", |_| Ok(())),
        ];
        let report = run(jobs, folder.path(), Terminal::plain())?;
        assert_eq!(report.counts(), Counts { passed: 6, failed: 3, skipped: 1 });
        let table = report.table(Terminal::plain());
        let rows: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().take(5).collect()).collect();
        assert_eq!(rows[1], ["breaks", "FAILED", "0", "1", "0"]);
        assert_eq!(rows[3], ["works", "ok", "1", "0", "0"]);
        assert_eq!(rows[4], ["total", "FAILED", "6", "3", "1"]);
        let log = std::fs::read_to_string(folder.path().join("breaks.log"))?;
        assert_eq!(log, "about to break\n");
        Ok(())
    }

    #[test]
    fn the_closing_line() {
        assert_eq!(Counts::passed(3).show(), "3 passed, 0 failed");
        let skipped = Counts { passed: 3, failed: 1, skipped: 2 };
        assert_eq!(skipped.show(), "3 passed, 1 failed, 2 skipped");
    }
}
