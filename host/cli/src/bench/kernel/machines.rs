//! What the kernel is measured on, and what a run gives.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use abi_simulator::report;
use anyhow::{Context, Result, anyhow, bail};
use svsm_image::manifest::{ConsoleName, KernelOptions, Kind, Manifest};

use crate::build;
use crate::log::Log;
use crate::project::Project;
use crate::simulation::{Devices, End, Image, Pace, Platform, Request};
use crate::test::recorder::{Recording, record};

/// What the image is made of.
const MANIFEST: &str = "images/kernel-trials.toml";

/// Far more than any run takes.
const LIMIT: Duration = Duration::from_secs(120);

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    cpus: u32,
    memory_mib: u64,
}

/// All of them.
pub(super) const MACHINES: [Machine; 4] = [
    Machine { cpus: 1, memory_mib: 512 },
    Machine { cpus: 4, memory_mib: 512 },
    Machine { cpus: 1, memory_mib: 2048 },
    Machine { cpus: 4, memory_mib: 2048 },
];

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} × {} MiB", self.cpus, self.memory_mib)
    }
}

/// What was counted on one machine.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Instructions of all processors, from the first one to the first task.
    pub(super) instructions: u64,
    /// Exits of all processors on this way.
    pub(super) exits: u64,
    /// Bytes of memory in use, by what for.
    pub(super) memory: Vec<(String, u64)>,
    /// Instructions that operations take.
    pub(super) operations: Vec<(String, u64)>,
}

/// Measures on one machine.
///
/// # Errors
///
/// The image cannot be built, or the machine does not come to its end.
pub(super) fn measure(project: &Project, machine: Machine, log: &mut Log) -> Result<Counts> {
    let start = run(project, machine, "nothing", ConsoleName::None, log)?;
    let bench = run(project, machine, "bench", ConsoleName::Host, log)?;
    let start = start.outcome.statistics.context("the simulator has told no counts")?;
    let counts = bench.outcome.statistics.context("the simulator has told no counts")?;
    let intervals = counts.rows("instructions between marks (with --icount)");
    let operations = operations(&bench.console, intervals)?;
    let instructions = start.rows("others").find(|(name, _)| name.starts_with("instructions of"));
    Ok(Counts {
        instructions: instructions.context("instructions were not counted")?.1,
        exits: start.rows("exits").map(|(_, count)| count).sum(),
        memory: memory(&bench.console),
        operations,
    })
}

/// Runs the kernel with these options to its end.
fn run(
    project: &Project,
    machine: Machine,
    options: &str,
    console: ConsoleName,
    log: &mut Log,
) -> Result<Recording> {
    let mut manifest = Manifest::load(&project.workspace.root().join(MANIFEST))?;
    if let Kind::Module(module) = &mut manifest.kind {
        let options = KernelOptions::try_from(options.to_owned());
        module.kernel.options = options.map_err(|error| anyhow!(error))?;
        module.log.console = console;
    }
    let built = build::changed_image(project, &manifest, log.stream()?)?;
    log.say(&format!("=== {machine}, options `{options}`"))?;
    let request = Request {
        image: Image::Igvm(built.igvm),
        command_line: String::new(),
        platform: Platform {
            cpus: machine.cpus,
            memory: machine.memory_mib << 20,
            ..Platform::default()
        },
        devices: Devices::default(),
        pace: Pace::Instructions,
        debugger: None,
        limit: Some(LIMIT),
        expect: None,
    };
    let run = record(project, &request, log)?;
    match run.outcome.end {
        End::Told(report::End::Terminated { reason_code: 0, .. }) => Ok(run),
        end => bail!("the kernel did not come to its end: {end}; see {}", log.path().display()),
    }
}

/// What memory is used for, as lines of the console say.
fn memory(console: &str) -> Vec<(String, u64)> {
    let lines = console.lines().filter_map(|line| line.trim_end().strip_prefix("memory "));
    let entry = |line: &str| {
        let (bytes, name) = line.split_once(' ')?;
        Some((name.to_owned(), bytes.parse().ok()?))
    };
    lines.filter_map(entry).collect()
}

/// What the operations that the console names take, by the counts between marks.
/// From mark to mark there is a request to the host, which is the first figure:
/// it is taken off the others.
fn operations<'a>(
    console: &str,
    intervals: impl Iterator<Item = (&'a str, u64)>,
) -> Result<Vec<(String, u64)>> {
    let mut counts: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for (name, count) in intervals {
        if let Some((from, to)) = marks(name)
            && from % 2 == 0
            && to == from + 1
        {
            counts.entry(from).or_default().push(count);
        }
    }
    let mut request = None;
    let mut found = Vec::new();
    for line in console.lines().filter_map(|line| line.trim_end().strip_prefix("operation ")) {
        let mut words = line.splitn(3, ' ');
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        let (mark, parts) = (number(), number());
        let (Some(mark), Some(parts), Some(name)) = (mark, parts, words.next()) else {
            bail!("the kernel says `operation {line}`");
        };
        let count = counts.get_mut(&mark).and_then(|counts| median(counts));
        let count = count.with_context(|| format!("`{name}` was not measured"))?;
        let own = count.saturating_sub(request.unwrap_or(0));
        request.get_or_insert(count);
        found.push((name.to_owned(), own / u64::from(parts.max(1))));
    }
    if found.is_empty() {
        bail!("the kernel has measured nothing");
    }
    Ok(found)
}

/// `0x1 to 0x2`.
fn marks(name: &str) -> Option<(u32, u32)> {
    let number = |text: &str| u32::from_str_radix(text.strip_prefix("0x")?, 16).ok();
    let (from, to) = name.split_once(" to ")?;
    Some((number(from)?, number(to)?))
}

fn median(counts: &mut [u64]) -> Option<u64> {
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "processors: 1\r\noperation 0 1 request\r\noperation 2 2 switch\r\n\
                           memory 4096 heap\r\nmemory 512 page tables\r\nmemory lost\r\n";

    #[test]
    fn operations_cost_the_middle_without_the_request() -> Result<()> {
        let intervals =
            [("0x0 to 0x1", 500), ("0x1 to 0x0", 9), ("0x0 to 0x1", 520), ("0x0 to 0x1", 510)];
        let switches = [("0x1 to 0x2", 7), ("0x2 to 0x3", 2510), ("", 1)];
        let found = operations(CONSOLE, intervals.into_iter().chain(switches))?;
        assert_eq!(found, [("request".to_owned(), 510), ("switch".to_owned(), 1000)]);
        Ok(())
    }

    #[test]
    fn what_was_not_measured_is_an_error() {
        let error =
            operations(CONSOLE, [("0x0 to 0x1", 500)].into_iter()).map_err(|e| e.to_string());
        assert_eq!(error, Err("`switch` was not measured".to_owned()));
        assert!(operations("", std::iter::empty()).is_err());
        assert!(operations("operation x", std::iter::empty()).is_err());
    }

    #[test]
    fn memory_is_by_use() {
        let expected = [("heap".to_owned(), 4096), ("page tables".to_owned(), 512)];
        assert_eq!(memory(CONSOLE), expected);
    }
}
