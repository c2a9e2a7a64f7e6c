//! Boots the image in QEMU as an ordinary virtual machine and reads its
//! console.

use anyhow::{Context, Result, bail};
use svsm_image::layout::part::Part;
use svsm_image::manifest::PlatformName;

use super::machine::{count_found, run_to_end};
use crate::build::Built;
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::qemu;
use crate::project::Project;

/// Boots `built` and compares its console with what the builder placed.
///
/// # Errors
///
/// QEMU is missing, or the machine does not end in time.
pub(super) fn test(project: &Project, built: &Built, log: &mut Log) -> Result<Counts> {
    let image = built.native.as_ref().context("the image has no platform `native`")?;
    let mut qemu = qemu(project)?;
    // One processor model for all machines, so that every run is the same.
    qemu.args(["-cpu", "max", "-m", "512M", "-kernel"]).arg(image);
    let end = run_to_end(&mut qemu, log)?;
    let text = end.console;
    if !end.status.success() {
        bail!("QEMU failed ({})", end.status);
    }

    let version = project.workspace.packages().iter().find(|package| package.name == "svsm-kernel");
    let version = version.context("the tree has no package `svsm-kernel`")?.version.as_str();
    let parts = built.image.parts.get(&PlatformName::Native).map(Vec::as_slice);
    count_found(expectations(&text, version, parts.unwrap_or_default()), log)
}

/// What the console must show, and whether it does.
fn expectations(console: &str, version: &str, parts: &[Part]) -> Vec<(String, bool)> {
    let has = |test: &dyn Fn(&str) -> bool| console.lines().any(|line| test(message(line)));
    let banner = format!("SVSM {version} (native)");
    let mut found = vec![
        (format!("`{banner}`"), has(&|line| line == banner)),
        ("`region: …`".to_owned(), has(&|line| line.starts_with("region: "))),
    ];
    for part in parts {
        let range = format!("{:#012x}..{:#012x} {} ", part.gpa, part.end(), part.access);
        let purpose = part.purpose.to_string();
        let shown = has(&|line| line.starts_with(&range) && line.contains(&purpose));
        found.push((format!("`{range}… {purpose}`"), shown));
    }
    // No service is in the image, so this is how a start without fault ends.
    let end = "stopped: no services to start";
    found.push((
        format!("`{end}` at the end"),
        console.lines().next_back().is_some_and(|l| l.trim_end() == end),
    ));
    found
}

/// What a line of the log says: behind time, processor and level.
fn message(line: &str) -> &str {
    line.split_once(" info: ").map_or(line, |(_, message)| message).trim_end()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use abi_boot::Access;
    use svsm_image::layout::part::{Part, Purpose};

    use super::expectations;

    const CONSOLE: &str = "\
[    0.000000] cpu0 info: SVSM 0.1.0 (native)\r
[    0.000000] cpu0 info: region: 0x8000000..0x9000000, 16384 KiB\r
[    0.000000] cpu0 info: 0x0008000000..0x0008001000 r--      4 KiB  boot block\r
stopped: no services to start\r
";

    fn block() -> Part {
        Part {
            purpose: Purpose::BootBlock,
            name: String::new(),
            gpa: 0x800_0000,
            size: 0x1000,
            access: Access::READ,
            content: Arc::new([]),
        }
    }

    fn missing(console: &str, parts: &[Part]) -> Vec<String> {
        let all = expectations(console, "0.1.0", parts).into_iter();
        all.filter(|(_, found)| !found).map(|(what, _)| what).collect()
    }

    #[test]
    fn a_good_console_shows_everything() {
        assert!(missing(CONSOLE, &[block()]).is_empty());
    }

    #[test]
    fn an_empty_console_shows_nothing() {
        assert_eq!(missing("", &[block()]).len(), 4);
    }

    #[test]
    fn a_part_elsewhere_or_with_other_rights_is_missing() {
        let moved = Part { gpa: 0x800_1000, ..block() };
        let writable = Part { access: Access::READ | Access::WRITE, ..block() };
        for part in [moved, writable] {
            assert_eq!(missing(CONSOLE, &[part]).len(), 1);
        }
    }

    #[test]
    fn another_end_is_a_failure() {
        let console = CONSOLE.replace("no services to start", "panic");
        assert_eq!(missing(&console, &[]).len(), 1);
    }
}
