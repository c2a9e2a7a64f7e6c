//! A guest that QEMU moves to another QEMU, and with it its TPM to another device.
//!
//! The guest begins a hash and extends a PCR, is moved, and finds both as it left
//! them: QEMU takes the state of the first device through swtpm's control channel
//! and gives it to the second one, which was a device of its own before.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use svsm_initrd::console;
use svsm_initrd::ram_disk::Task;

use crate::guest;
use crate::jobs::Counts;
use crate::log::Log;
use crate::machine::{Event, Machine, Side, Signals, follow, path_in_option, qemu};
use crate::process;
use crate::project::Project;
use crate::setup::LINUX_6_12;
use crate::test::machine::count_found;
use crate::tpm::Server;

/// What the guest does.
const SCRIPT: &str = include_str!("migration.sh");
/// How that ends.
const STATUS: u8 = 42;
/// What it says while it waits to be moved.
const WAITING: &str = "waiting";
/// Far more than each of the two machines takes.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Boots a guest, moves it, and counts what it found.
///
/// # Errors
///
/// QEMU, a kernel or busybox is missing, or a machine does not do as it is told in
/// time.
pub(super) fn test(project: &Project, log: &mut Log) -> Result<Counts> {
    let folder = tempfile::tempdir().context("cannot create a folder")?;
    let place = |name: &str| folder.path().join(name);
    let kernel = project.toolbox.guest_kernel(&LINUX_6_12)?;
    let content = guest::ram_disk(&project.toolbox, &kernel, Task::Script(SCRIPT))?;
    std::fs::write(place("initrd"), content).context("cannot write the guest's RAM disk")?;
    let machine = |tpm: &Path| -> Result<Command> {
        let mut qemu = qemu(project)?;
        qemu.args(["-cpu", "max", "-m", "256M", "-append", "console=ttyS0 panic=-1"]);
        qemu.arg("-kernel").arg(&kernel.image).arg("-initrd").arg(place("initrd"));
        qemu.arg("-chardev").arg(path_in_option("socket,id=tpm,path=", tpm));
        qemu.args(["-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0"]);
        Ok(qemu)
    };

    let source = Device::start(&folder.path().join("source"))?;
    let mut qemu = machine(&source.socket)?;
    let monitor = path_in_option("socket,id=monitor,server=on,wait=off,path=", &place("monitor"));
    qemu.arg("-chardev").arg(monitor).args(["-mon", "chardev=monitor"]);
    let mut first = Talk::start(&mut qemu, log)?;
    first.until(WAITING)?;
    let saved = place("guest");
    first.leave(&place("monitor"), &saved)?;
    first.tell("source", log)?;
    drop(source);

    let target = Device::start(&folder.path().join("target"))?;
    let mut qemu = machine(&target.socket)?;
    qemu.arg("-incoming").arg(path_in_option("file:", &saved));
    let mut second = Talk::start(&mut qemu, log)?;
    second.until(WAITING)?;
    second.machine.send(b"go on\n")?;
    let status = second.end()?;
    second.tell("target", log)?;
    if !status.success() {
        bail!("QEMU failed ({status})");
    }
    count_found(expectations(&first.console, &second.console), log)
}

/// What the consoles of both machines must show, and whether they do.
fn expectations(before: &str, after: &str) -> Vec<(String, bool)> {
    let has = |console: &str, wanted: &str| {
        let found = console.lines().any(|line| line.trim_end() == wanted);
        (format!("`{wanted}`"), found)
    };
    // SHA-256 of "abc", and of 32 zero bytes and 32 bytes of 0xaa.
    let digest = "digest: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let extended = "pcr 16: 9EF814B42FA0BE12D197C44D3E8E03441A4B1118237658368BA1351090E556ED";
    let mut found = vec![has(before, "sequence: 80000000")];
    found.extend([digest, extended, "complaints: 0"].map(|wanted| has(after, wanted)));
    let status = console::exit_status(after) == Some(STATUS);
    found.push((format!("exit status {STATUS}"), status));
    found
}

/// A device on a Unix socket.
struct Device {
    socket: PathBuf,
    _server: Server,
}

impl Device {
    fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder).context("cannot create a folder")?;
        let socket = folder.join("socket");
        let path = socket.display().to_string();
        let server = Server::start(&folder.join("state"), &["--no-sync", "--unix", &path])?;
        Ok(Self { socket, _server: server })
    }
}

/// A machine and what it has said.
struct Talk {
    machine: Machine,
    console: String,
    messages: String,
    began: Instant,
}

impl Talk {
    fn start(qemu: &mut Command, log: &mut Log) -> Result<Self> {
        log.say(&format!("$ {}", process::show(qemu)))?;
        let machine = Machine::start(qemu, None, None, Signals::note()?)?;
        Ok(Self { machine, console: String::new(), messages: String::new(), began: Instant::now() })
    }

    /// Listens for a moment; the status if the machine has ended.
    fn listen(&mut self) -> Result<Option<ExitStatus>> {
        if self.began.elapsed() > TIMEOUT {
            let (time, messages) = (TIMEOUT.as_secs(), &self.messages);
            bail!("the machine did not do as it was told within {time} s; QEMU said: {messages}");
        }
        for event in self.machine.wait()? {
            match event {
                Event::Heard(Side::Console, bytes) => {
                    self.console.push_str(&String::from_utf8_lossy(&bytes));
                }
                Event::Heard(_, bytes) => self.messages.push_str(&String::from_utf8_lossy(&bytes)),
                Event::Signal(signal) => {
                    follow(signal)?;
                    bail!("interrupted by {}", signal.name());
                }
                Event::Ended(status) => return Ok(Some(status)),
            }
        }
        Ok(None)
    }

    /// Listens until the console has a line.
    fn until(&mut self, line: &str) -> Result<()> {
        while !self.console.lines().any(|found| found.trim_end() == line) {
            if let Some(status) = self.listen()? {
                let (console, messages) = (&self.console, &self.messages);
                bail!("QEMU ended ({status}) without `{line}`; it said: {messages}{console}");
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.listen()? {
                return Ok(status);
            }
        }
    }

    /// Saves the machine in a file, with the commands of QEMU's monitor, and ends
    /// it.
    fn leave(&mut self, monitor: &Path, file: &Path) -> Result<()> {
        let mut monitor = UnixStream::connect(monitor).context("cannot connect to the monitor")?;
        monitor.set_read_timeout(Some(TIMEOUT)).context("cannot set a limit of time")?;
        let mut answer = command(&mut monitor, "")?;
        answer += &command(&mut monitor, &format!("migrate \"file:{}\"\n", file.display()))?;
        let status = command(&mut monitor, "info migrate\n")?;
        if !status.contains("completed") {
            bail!("QEMU does not save the machine: {answer}{status}");
        }
        monitor.write_all(b"quit\n").context("cannot write to the monitor")?;
        self.end().map(|_| ())
    }

    fn tell(&self, which: &str, log: &mut Log) -> Result<()> {
        log.say(&format!("--- {which}\n{}\n--- end of {which}", self.console.trim_end()))?;
        log.say(self.messages.trim_end())
    }
}

/// Gives the monitor a command and waits until it asks for the next one.
fn command(monitor: &mut UnixStream, line: &str) -> Result<String> {
    monitor.write_all(line.as_bytes()).context("cannot write to the monitor")?;
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"(qemu) ") {
        monitor.read_exact(&mut byte).context("the monitor does not answer")?;
        answer.extend(byte);
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::expectations;

    const BEFORE: &str = "sequence: 80000000\r\nwaiting\r\n";
    const AFTER: &str = "\
waiting\r
digest: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\r
pcr 16: 9EF814B42FA0BE12D197C44D3E8E03441A4B1118237658368BA1351090E556ED\r
complaints: 0\r
\r
svsm-guest: exit status 42\r
";

    fn missing(before: &str, after: &str) -> usize {
        expectations(before, after).into_iter().filter(|(_, found)| !found).count()
    }

    #[test]
    fn every_difference_is_seen() {
        assert_eq!(missing(BEFORE, AFTER), 0);
        assert_eq!(missing("", ""), 5);
        assert_eq!(missing(&BEFORE.replace("80000000", ""), AFTER), 1);
        for (from, to) in [
            ("ba78", "0000"),
            ("9EF8", "0000"),
            ("complaints: 0", "complaints: 1"),
            ("status 42", "status 1"),
        ] {
            assert_eq!(missing(BEFORE, &AFTER.replace(from, to)), 1, "{from}");
        }
    }
}
