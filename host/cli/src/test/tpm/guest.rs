//! Linux in QEMU with our device as its TPM: through QEMU's `-tpmdev emulator`,
//! the firmware, and both interfaces that QEMU can show a guest.

use anyhow::{Context, Result, bail};
use svsm_initrd::console;
use svsm_initrd::ram_disk::Task;

use crate::guest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::{path_in_option, qemu};
use crate::project::Project;
use crate::setup::LINUX_6_12;
use crate::test::machine::run_to_end;
use crate::tpm::Server;

/// What the guest does.
const SCRIPT: &str = include_str!("guest.sh");
/// How that ends.
const STATUS: u8 = 42;
/// QEMU's devices.
const INTERFACES: [&str; 2] = ["tpm-crb", "tpm-tis"];

/// Boots a guest with each interface.
///
/// # Errors
///
/// QEMU, a kernel or busybox is missing, or a machine is not switched off in
/// time.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let mut counts = Counts::default();
    for interface in INTERFACES {
        counts = counts.plus(boot(project, interface, log)?);
    }
    Ok(counts)
}

fn boot(project: &Project, interface: &str, log: &mut Log) -> Result<Counts> {
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let socket = folder.path().join("socket");
    let commands = folder.path().join("commands.log");
    let text = |path: &std::path::Path| path.display().to_string();
    let options = ["--no-sync", "--unix", &text(&socket), "--log", &text(&commands)];
    let server = Server::start(&folder.path().join("state"), &options)?;
    let kernel = project.toolbox.guest_kernel(&LINUX_6_12)?;
    let ram_disk = folder.path().join("initrd");
    let content = guest::ram_disk(&project.toolbox, &kernel, Task::Script(SCRIPT))?;
    std::fs::write(&ram_disk, content)
        .with_context(|| format!("cannot write {}", ram_disk.display()))?;

    let mut qemu = qemu(project)?;
    qemu.args(["-cpu", "max", "-m", "256M"]);
    qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(&ram_disk);
    qemu.args(["-append", "console=ttyS0 panic=-1"]);
    qemu.arg("-chardev").arg(path_in_option("socket,id=tpm,path=", &socket));
    qemu.args(["-tpmdev", "emulator,id=tpm0,chardev=tpm"]);
    qemu.args(["-device", &format!("{interface},tpmdev=tpm0")]);
    let end = run_to_end(&mut qemu, log)?;
    drop(server);
    let commands = std::fs::read_to_string(&commands).unwrap_or_default();
    log.say(&format!("--- commands\n{commands}--- end of commands"))?;
    if !end.status.success() {
        bail!("QEMU failed ({})", end.status);
    }
    let mut counts = Counts::default();
    for (what, found) in expectations(&end.console) {
        if found {
            counts.passed += 1;
        } else {
            counts.failed += 1;
            log.say(&format!("{interface}: missing on the console: {what}"))?;
        }
    }
    Ok(counts)
}

/// What the console must show, and whether it does.
fn expectations(console: &str) -> Vec<(String, bool)> {
    let has = |wanted: &str| console.lines().any(|line| line.trim_end() == wanted);
    // SHA-256 of 32 zero bytes and 32 bytes of 0xaa.
    let extended = "pcr 16: 9EF814B42FA0BE12D197C44D3E8E03441A4B1118237658368BA1351090E556ED";
    let lines = ["version: 2", "random: 8001 20 00000000", extended, "complaints: 0"];
    let mut found: Vec<(String, bool)> =
        lines.into_iter().map(|line| (format!("`{line}`"), has(line))).collect();
    let status = console::exit_status(console) == Some(STATUS);
    found.push((format!("exit status {STATUS}"), status));
    found
}

#[cfg(test)]
mod tests {
    use super::expectations;

    const CONSOLE: &str = "\
[    2.5] Run /init as init process\r
version: 2\r
random: 8001 20 00000000\r
pcr 16: 9EF814B42FA0BE12D197C44D3E8E03441A4B1118237658368BA1351090E556ED\r
complaints: 0\r
\r
svsm-guest: exit status 42\r
";

    fn missing(console: &str) -> usize {
        expectations(console).into_iter().filter(|(_, found)| !found).count()
    }

    #[test]
    fn every_difference_is_seen() {
        assert_eq!(missing(CONSOLE), 0);
        assert_eq!(missing(""), expectations("").len());
        for (from, to) in [
            ("version: 2", "version: "),
            ("00000000", "00000101"),
            ("9EF8", "0000"),
            ("complaints: 0", "complaints: 1"),
            ("status 42", "status 1"),
        ] {
            assert_eq!(missing(&CONSOLE.replace(from, to)), 1, "{from}");
        }
    }
}
