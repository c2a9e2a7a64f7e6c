//! Runs the platform simulator's self-test: whether this machine's QEMU does
//! what the simulator relies on.

use anyhow::{Context, Result, bail};

use super::machine::run_to_end;
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::qemu;
use crate::project::Project;
use crate::simulation::hypervisor;

/// QEMU's exit statuses when a self-test ended, all well or not; see
/// `simulator/hypervisor/src/exit.rs`.
const ENDED: [i32; 2] = [33, 35];

/// Builds the program, runs it and counts its checks.
///
/// # Errors
///
/// It cannot be built, or did not come to the end of its checks.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let program = hypervisor(project, log.stream()?)?;
    let mut qemu = qemu(project)?;
    // Page tables of five levels with bit 51 as an address bit need all 52.
    // The program lies below 2 GiB.
    qemu.args(["-cpu", "max,phys-bits=52", "-m", "2G"]);
    qemu.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", "-kernel"]).arg(program);
    let end = run_to_end(&mut qemu, log)?;
    if !end.status.code().is_some_and(|code| ENDED.contains(&code)) {
        bail!("the self-test did not come to its end ({})", end.status);
    }
    counts(&end.console).context("the last line does not count the checks")
}

/// Reads `N passed, N failed`, the last line.
fn counts(console: &str) -> Option<Counts> {
    let (passed, rest) = console.lines().next_back()?.trim_end().split_once(" passed, ")?;
    let failed = rest.strip_suffix(" failed")?;
    Some(Counts { passed: passed.parse().ok()?, failed: failed.parse().ok()?, skipped: 0 })
}

#[cfg(test)]
mod tests {
    use super::counts;
    use crate::jobs::Counts;

    #[test]
    fn the_last_line_counts() {
        let expected = Counts { passed: 41, failed: 1, skipped: 0 };
        assert_eq!(counts("ok a\r\n41 passed, 1 failed\r\n"), Some(expected));
        for console in ["", "41 passed, 1 failed\nerror: x", "41 passed", "x passed, 1 failed"] {
            assert_eq!(counts(console), None, "{console}");
        }
    }
}
