//! Boots stock kernels in QEMU as ordinary virtual machines, with our initial
//! RAM disk, and with our ACPI tables in place of QEMU's.
//!
//! So these two are known to be right before a confidential guest starts with
//! them.

use std::num::NonZeroU8;

use anyhow::{Context, Result, bail};
use svsm_initrd::console;
use svsm_initrd::ram_disk::Task;

use super::machine::{count_found, run_to_end};
use crate::guest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::qemu;
use crate::project::Project;
use crate::setup::{GuestKernel, LINUX_6_1, LINUX_6_12, LINUX_7};

const KERNELS: [&GuestKernel; 3] = [&LINUX_6_1, &LINUX_6_12, &LINUX_7];

/// What the guest does.
const SCRIPT: &str = include_str!("guest.sh");
/// How that ends.
const STATUS: u8 = 42;

/// Where the tables lie, and how much memory the kernel leaves alone for them.
const TABLES: u64 = 0x1f00_0000;
const TABLES_SIZE: u64 = 0x1_0000;

const PROCESSORS: NonZeroU8 = NonZeroU8::new(4).unwrap();

/// Slot of the disk's controller. Its pin A is connected to …
const DISK_SLOT: u8 = 3;
/// … this pin of the IOAPIC.
const DISK_INTERRUPT: u8 = 23;
/// First line of the disk.
const DISK_CONTENT: &str = "content of the disk";

/// Boots each kernel and compares what it finds with what there is.
///
/// # Errors
///
/// QEMU, a kernel or busybox is missing, or a machine is not switched off in
/// time.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let mut counts = Counts::default();
    for kernel in KERNELS {
        counts = counts.plus(boot(project, kernel, log)?);
    }
    Ok(counts)
}

fn boot(project: &Project, kernel: &GuestKernel, log: &mut Log) -> Result<Counts> {
    let kernel = project.toolbox.guest_kernel(kernel)?;
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content)
            .map(|()| path.display().to_string())
            .with_context(|| format!("cannot write {}", path.display()))
    };
    let ram_disk = guest::ram_disk(&project.toolbox, &kernel, Task::Script(SCRIPT))?;
    let ram_disk = file("initrd", &ram_disk)?;
    let tables = file("tables", &platform_tables::build(TABLES, PROCESSORS)?.bytes)?;
    let mut content = format!("{DISK_CONTENT}\n").into_bytes();
    content.resize(1 << 20, 0);
    let disk = file("disk", &content)?;

    let mut qemu = qemu(project)?;
    qemu.args(["-cpu", "max", "-m", "512M"]);
    qemu.args(["-smp", &PROCESSORS.to_string()]);
    qemu.arg("-kernel").arg(&kernel.image).args(["-initrd", &ram_disk, "-append"]);
    qemu.arg(format!(
        "console=ttyS0 panic=-1 acpi_rsdp={TABLES:#x} memmap={TABLES_SIZE:#x}#{TABLES:#x}"
    ));
    qemu.args(["-device", &format!("loader,file={tables},addr={TABLES:#x},force-raw=on")]);
    qemu.args(["-drive", &format!("file={disk},format=raw,if=none,id=disk")]);
    qemu.args(["-device", &format!("virtio-blk-pci,drive=disk,addr={DISK_SLOT}")]);
    let end = run_to_end(&mut qemu, log)?;
    if !end.status.success() {
        bail!("QEMU failed ({})", end.status);
    }
    count_found(expectations(&end.console), log)
}

/// What the console must show, and whether it does.
fn expectations(console: &str) -> Vec<(String, bool)> {
    let lines = [
        format!("processors: {PROCESSORS}"),
        "sleep states: S0 S5".to_owned(),
        "complaints about ACPI: 0".to_owned(),
        "serial port: 4".to_owned(),
        format!("disk: {DISK_CONTENT}"),
        format!("interrupt of the disk: {DISK_INTERRUPT}"),
    ];
    let has = |wanted: &str| console.lines().any(|line| line.trim_end() == wanted);
    let mut found: Vec<(String, bool)> =
        lines.into_iter().map(|line| (format!("`{line}`"), has(&line))).collect();
    let timer = console.lines().filter_map(|line| line.strip_prefix("power-management timer: "));
    let mut timers = timer.flat_map(str::split_whitespace);
    found.push(("a power-management timer".to_owned(), timers.any(|timer| timer == "acpi_pm")));
    let status = console::exit_status(console) == Some(STATUS);
    found.push((format!("exit status {STATUS}"), status));
    found
}

#[cfg(test)]
mod tests {
    use super::expectations;

    const CONSOLE: &str = "\
[    2.5] Run /init as init process\r
processors: 4\r
sleep states: S0 S5\r
power-management timer: tsc acpi_pm \r
complaints about ACPI: 0\r
serial port: 4\r
disk: content of the disk\r
interrupt of the disk: 23\r
\r
svsm-guest: exit status 42\r
[    3.4] reboot: Power down\r
";

    fn missing(console: &str) -> usize {
        expectations(console).into_iter().filter(|(_, found)| !found).count()
    }

    #[test]
    fn a_good_console_shows_everything() {
        assert_eq!(missing(CONSOLE), 0);
    }

    #[test]
    fn an_empty_console_shows_nothing() {
        assert_eq!(missing(""), expectations("").len());
    }

    #[test]
    fn every_difference_is_seen() {
        for (from, to) in [
            ("processors: 4", "processors: 1"),
            ("S0 S5", "S0"),
            ("tsc acpi_pm", "tsc"),
            ("ACPI: 0", "ACPI: 1"),
            ("port: 4", "port: "),
            ("disk: content", "disk: other content"),
            ("disk: 23", "disk: 24"),
            ("status 42", "status 0"),
        ] {
            assert_eq!(missing(&CONSOLE.replace(from, to)), 1, "{from}");
        }
    }
}
