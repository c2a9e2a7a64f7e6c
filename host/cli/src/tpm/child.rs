//! `svsm tpm serve` as a child process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A device that serves. It is ended when this is dropped.
pub(crate) struct Server {
    process: Child,
    /// Where it takes commands over TCP, if it does.
    pub(crate) commands: Option<SocketAddr>,
}

impl Server {
    /// Serves the device in this folder, which is made if it is missing, and
    /// waits until it is ready.
    ///
    /// # Errors
    ///
    /// It does not start; what it said is in the message.
    pub(crate) fn start(state: &Path, arguments: &[&str]) -> Result<Self> {
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(own);
        command.args(["tpm", "serve", "--manufacture", "--state"]).arg(state).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let process = command.spawn().context("cannot start the device")?;
        let mut server = Self { process, commands: None };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let output = self.process.stdout.take().context("its output is read once")?;
        let mut said = String::new();
        for line in BufReader::new(output).lines() {
            let line = line.context("cannot read what the device says")?;
            if line == "ready" {
                return Ok(());
            }
            if let Some((_, address)) = line.split_once(" commands: ") {
                self.commands = address.parse().ok();
            }
            said.push_str(&line);
            said.push('\n');
        }
        bail!("the device does not serve: {said}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it cannot be ended there is nothing else to try, and if it ended
        // by itself both succeed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
