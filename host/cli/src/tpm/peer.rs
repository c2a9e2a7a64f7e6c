//! TPMs that this program talks to: our device in this process or in another,
//! and swtpm.

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use svsm_tpm::{Appliance, Journal};
use tpm::MemoryStore;

use super::child::Server;
use crate::log::Log;
use crate::setup::TpmProgramFiles;

/// Whoever executes commands.
pub(crate) trait Peer {
    /// Executes a command.
    ///
    /// # Errors
    ///
    /// There is no response.
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>>;

    /// Takes the power away and gives it back.
    ///
    /// # Errors
    ///
    /// There is no power again.
    fn restart(&mut self) -> Result<()>;
}

/// Our device.
pub(crate) struct InProcess(Appliance);

impl InProcess {
    /// A new device with power.
    ///
    /// # Errors
    ///
    /// None is made.
    pub(crate) fn new() -> Result<Self> {
        let mut device =
            Appliance::new(Box::new(MemoryStore::default()), Arc::new(Journal::silent()));
        device.manufacture()?;
        device.power_on()?;
        Ok(Self(device))
    }
}

impl Peer for InProcess {
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        self.0.execute(0, 0, command).context("our device has no power")
    }

    fn restart(&mut self) -> Result<()> {
        Ok(self.0.power_on()?)
    }
}

/// swtpm. It is ended when this is dropped.
pub(crate) struct Emulator {
    process: Child,
    data: UnixStream,
    control: UnixStream,
}

/// CMD_INIT of the control channel, without flags.
const INIT: [u8; 8] = [0, 0, 0, 2, 0, 0, 0, 0];
/// Tag, size and code.
const HEADER: usize = 10;
/// More than any response has behind its header.
const LARGEST: usize = 1 << 16;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Emulator {
    /// Starts swtpm with a new device, whose state and sockets are in `folder`.
    ///
    /// # Errors
    ///
    /// It does not start or does not answer.
    pub(crate) fn start(programs: &TpmProgramFiles, folder: &Path, log: &Log) -> Result<Self> {
        let (data, control) = (folder.join("data"), folder.join("control"));
        let mut command = programs.emulator();
        command.args(["socket", "--tpm2", "--seccomp", "action=none", "--tpmstate"]);
        command.arg(format!("dir={}", folder.display()));
        command.args(["--server", &format!("type=unixio,path={}", data.display())]);
        command.args(["--ctrl", &format!("type=unixio,path={}", control.display())]);
        command.stdin(Stdio::null()).stdout(log.stream()?).stderr(log.stream()?);
        let mut process = command.spawn().context("cannot start swtpm")?;
        let connected = connect(&data).and_then(|data| Ok((data, connect(&control)?)));
        let (data, control) = match connected {
            Ok(both) => both,
            Err(error) => {
                process.kill().and_then(|()| process.wait()).context("cannot end swtpm")?;
                return Err(error);
            }
        };
        let mut peer = Self { process, data, control };
        peer.restart()?;
        Ok(peer)
    }
}

fn connect(path: &Path) -> Result<UnixStream> {
    const TICK: Duration = Duration::from_millis(10);
    let began = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).context("cannot prepare a socket")?;
                return Ok(stream);
            }
            Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(TICK),
            Err(error) => return Err(error).context("swtpm does not listen"),
        }
    }
}

/// TPM_RC_RETRY: the device was busy with something of its own. swtpm says so
/// when a protected object is first used after a start.
const RETRY: [u8; 4] = 0x922_u32.to_be_bytes();

impl Peer for Emulator {
    fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        let response = self.exchange(command)?;
        if response.get(6..10) == Some(&RETRY) { self.exchange(command) } else { Ok(response) }
    }

    fn restart(&mut self) -> Result<()> {
        let mut result = [0; 4];
        self.control
            .write_all(&INIT)
            .and_then(|()| self.control.read_exact(&mut result))
            .context("swtpm's control channel gives no answer")?;
        ensure!(result == [0; 4], "swtpm cannot be restarted: {result:x?}");
        Ok(())
    }
}

impl Emulator {
    fn exchange(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        exchange(&mut self.data, command).context("swtpm does not answer")
    }
}

/// Sends a command over a channel that carries nothing else, and receives the
/// response.
fn exchange(channel: &mut (impl Read + Write), command: &[u8]) -> Result<Vec<u8>> {
    channel.write_all(command).context("no command is taken")?;
    let mut response = vec![0; HEADER];
    channel.read_exact(&mut response).context("no response comes")?;
    let size = response.get(2..6).and_then(|size| size.first_chunk());
    let size = size.map_or(0, |size| u32::from_be_bytes(*size));
    let rest = usize::try_from(size)?.checked_sub(HEADER).filter(|rest| *rest <= LARGEST);
    let Some(rest) = rest else { bail!("a response says that it has {size} bytes") };
    response.resize(HEADER + rest, 0);
    let (_, body) = response.split_at_mut(HEADER);
    channel.read_exact(body).context("half a response comes")?;
    Ok(response)
}

/// Our device in another process, with a data channel as QEMU gives it one.
pub(crate) struct Served {
    data: UnixStream,
    /// The channel lasts as long as this one, over which it came.
    _control: UnixStream,
    /// Ended after the connections.
    _server: Server,
}

/// CMD_SET_DATAFD of the control channel.
const SET_DATA_DESCRIPTOR: [u8; 4] = [0, 0, 0, 16];

impl Served {
    /// A new device whose state and socket are in `folder`.
    ///
    /// # Errors
    ///
    /// It does not serve.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Result<Self> {
        let socket = folder.join("socket");
        let shown = socket.display().to_string();
        let server =
            Server::start(&folder.join("state"), &[arguments, &["--unix", &shown]].concat())?;
        let mut control = connect(&socket)?;
        let (data, theirs) = UnixStream::pair().context("cannot create a pair of sockets")?;
        data.set_read_timeout(Some(PATIENCE)).context("cannot prepare a socket")?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [theirs.as_fd()];
        ensure!(
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)),
            "a descriptor does not fit into a message"
        );
        let request = [IoSlice::new(&SET_DATA_DESCRIPTOR)];
        sendmsg(&control, &request, &mut ancillary, SendFlags::empty())
            .context("the device takes no request")?;
        let mut result = [0; 4];
        control.read_exact(&mut result).context("the device gives no answer")?;
        ensure!(result == [0; 4], "the device takes no data channel: {result:x?}");
        Ok(Self { data, _control: control, _server: server })
    }

    /// Executes a command.
    ///
    /// # Errors
    ///
    /// There is no response.
    pub(crate) fn execute(&mut self, command: &[u8]) -> Result<Vec<u8>> {
        exchange(&mut self.data, command).context("our device does not answer")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // If it cannot be ended there is nothing else to try.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
