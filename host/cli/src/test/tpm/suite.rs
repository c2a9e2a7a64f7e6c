//! tpm2-tools' own integration tests against the device. Each script has a
//! device of its own, the copy of a new one, and as many run at once as there
//! are processors.

mod known;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::jobs::Counts;
use crate::log::Log;
use crate::process;
use crate::project::Project;
use crate::setup::TpmSuiteFiles;
use crate::test::tpm::shell::{Play, Protocol, write_program};
use known::{Ending, Verdict};

/// Plays one script.
const SCRIPT: &str = include_str!("suite.sh");
/// Leaves a new device that has lost its power in good order.
const MANUFACTURE: &str = "tpm2 shutdown --clear\nstop\n";
/// What the scripts call `tpm2`, but for the function that starts it.
const TOOL: &str = include_str!("suite/tpm2.sh");
/// Programs that the scripts want and that a system may lack.
const NEEDS: [&str; 6] = ["awk", "bash", "cmp", "flock", "shasum", "which"];
/// What the scripts speak.
const PROTOCOL: Protocol = ("swtpm", "swtpm");
/// Far more than a script takes.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Plays all scripts. If they cannot be had they are left out, for not every
/// mirror of Debian's holds sources.
///
/// # Errors
///
/// A program is missing, or a file cannot be written.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let missing = NEEDS.into_iter().find(|program| process::on_path(program).is_none());
    if let Some(program) = missing {
        bail!("tpm2-tools' tests want the program `{program}`: install it (`shasum` is Perl's)");
    }
    let files = match project.toolbox.tpm_suite() {
        Ok(files) => files,
        Err(error) => {
            log.say(&format!("all scripts are left out: {error:#}"))?;
            return Ok(Counts { skipped: 1, ..Counts::default() });
        }
    };
    let names = names(&files.scripts())?;
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let stage = Stage::new(files, folder.path())?;
    stage.manufacture(log)?;
    let mut counts = Counts::default();
    for (script, reason) in known::stale(&names) {
        counts.failed += 1;
        log.say(&format!("FAILED {script}: there is no such script ({reason})"))?;
    }
    let (left_out, played): (Vec<_>, Vec<_>) =
        names.iter().partition(|name| known::left_out(name).is_some());
    for name in left_out {
        counts.skipped += 1;
        log.say(&format!("left out {name}: {}", known::left_out(name).unwrap_or_default()))?;
    }
    for played in play_all(&stage, &played) {
        let Played { name, ending, output, took } = played;
        let time = took.as_secs_f64();
        let output = std::fs::read(output).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        match ending.and_then(|ending| known::judge(&name, ending, &output)) {
            Ok(Verdict::Passed) => {
                counts.passed += 1;
                log.say(&format!("passed {name} ({time:.1} s)"))?;
            }
            Ok(Verdict::Known(reason)) => {
                counts.skipped += 1;
                log.say(&format!("failed as known {name} ({time:.1} s): {reason}"))?;
            }
            Err(error) => {
                counts.failed += 1;
                let commands = std::fs::read_to_string(stage.place(&name).join("commands.log"));
                let commands = commands.unwrap_or_default();
                log.say(&format!("--- {name}\n{commands}{output}FAILED {name}: {error:#}"))?;
            }
        }
    }
    Ok(counts)
}

/// Names of the scripts in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder).with_context(failed)? {
        let path = file.with_context(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "sh") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    if names.is_empty() {
        bail!("{} holds no scripts", folder.display());
    }
    names.sort();
    Ok(names)
}

/// The folder of the new device, beside those of the scripts.
const NEW_DEVICE: &str = "new device";

/// Where scripts are played.
struct Stage {
    files: TpmSuiteFiles,
    folder: PathBuf,
    programs: PathBuf,
}

/// How a script ended.
struct Played {
    name: String,
    /// An error if it could not be started or took too long.
    ending: Result<Ending>,
    /// The file with what it said.
    output: PathBuf,
    took: Duration,
}

impl Stage {
    /// Prepares it in an empty folder.
    fn new(files: TpmSuiteFiles, folder: &Path) -> Result<Self> {
        let programs = folder.join("programs");
        std::fs::create_dir(&programs)
            .with_context(|| format!("cannot create {}", programs.display()))?;
        write_program(&programs, "tpm2", &format!("#!/bin/sh\n{}{TOOL}", files.tools()))?;
        for (name, script) in files.commands() {
            write_program(&programs, name, &script)?;
        }
        Ok(Self { files, folder: folder.to_owned(), programs })
    }

    /// Makes the device that all scripts have copies of: making its endorsement
    /// keys takes longer than many a script.
    fn manufacture(&self, log: &Log) -> Result<()> {
        let play = Play {
            script: MANUFACTURE,
            protocol: PROTOCOL,
            programs: &[&self.programs],
            variables: &[],
            folder: &self.place(NEW_DEVICE),
            limit: TIMEOUT,
        };
        let status = play.play(|| log.stream())?;
        if !status.success() {
            bail!("no device could be made ({status})");
        }
        Ok(())
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn play(&self, name: &str) -> Played {
        let began = Instant::now();
        let output = self.folder.join(format!("{name}.output"));
        let ending = self.ending(name, &output);
        Played { name: name.to_owned(), ending, output, took: began.elapsed() }
    }

    fn ending(&self, name: &str, output: &Path) -> Result<Ending> {
        let said = File::create(output).context("cannot create a file for what it says")?;
        let source = self.files.source();
        let script = self.files.scripts().join(format!("{name}.sh"));
        let fixtures = self.files.helpers().join("fixtures");
        let device = self.place(NEW_DEVICE).join("state");
        let play = Play {
            script: SCRIPT,
            protocol: PROTOCOL,
            programs: &[&self.programs, &self.files.helpers()],
            variables: &[
                ("SCRIPT", script.as_os_str()),
                ("abs_srcdir", source.as_os_str()),
                ("FIXTURES", fixtures.as_os_str()),
                ("DEVICE", device.as_os_str()),
            ],
            folder: &self.place(name),
            limit: TIMEOUT,
        };
        let status = play.play(|| Ok(Stdio::from(said.try_clone()?)))?;
        Ok(Ending::of(status.code()))
    }
}

/// Plays scripts on all processors. How they ended comes in the order of their
/// names.
fn play_all(stage: &Stage, names: &[&String]) -> Vec<Played> {
    let next = Mutex::new(names.iter());
    let take = || next.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut played = Vec::new();
        while let Some(name) = take() {
            played.push(stage.play(name));
        }
        played
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<Played> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<Played>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect()
    });
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn scripts_are_found_by_their_names() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(names(folder.path()).is_err());
        for file in ["sign.sh", "README.md", "clear.sh"] {
            std::fs::write(folder.path().join(file), "")?;
        }
        assert_eq!(names(folder.path())?, ["clear", "sign"]);
        Ok(())
    }
}
