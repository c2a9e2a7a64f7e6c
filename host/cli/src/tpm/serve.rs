//! `svsm tpm serve`: a TPM on sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use svsm_tpm::{Appliance, Durability, Journal, Lifetime, Listeners, Startup, StateFolder};

use super::new_device::{self, NewDevice};
use crate::failure::Verdict;
use crate::machine::Signals;
use crate::session::Session;

/// Port for commands, that of Microsoft's simulator and of most examples for
/// swtpm.
const PORT: u16 = 2321;

/// Arguments of `svsm tpm serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm tpm serve --state tpm --manufacture
  cargo svsm tpm serve --state tpm --startup clear --log tpm.log
  cargo svsm tpm serve --state tpm --protocol mssim --port 2321
  cargo svsm tpm serve --state tpm --unix tpm.socket --terminate

With tpm2-tools, then:    tpm2_startup -c -T swtpm:port=2321
                          tpm2_pcrread -T mssim:port=2321
With QEMU (--unix):       -chardev socket,id=tpm,path=tpm.socket
                          -tpmdev emulator,id=tpm0,chardev=tpm
                          -device tpm-crb,tpmdev=tpm0

The device has power from the start. It keeps its state in the folder of
--state, one device in each; a second program that wants the same folder is
refused. What becomes permanent is on the disk before the response leaves.

A line `ready` says that it serves. SIGTERM, SIGINT, a request of the protocol
or, with --terminate, a client that leaves end it: the command under way is
finished first. The device then loses its power; an orderly shutdown of the TPM
is up to its user.")]
pub(crate) struct Arguments {
    /// Folder of the device's state; made if it is missing
    #[arg(long, value_name = "FOLDER")]
    state: PathBuf,
    #[command(flatten)]
    new_device: NewDevice,
    /// What is spoken on TCP
    #[arg(long, value_enum, default_value_t = Protocol::Swtpm)]
    protocol: Protocol,
    /// TCP port for commands; control (swtpm) or the platform (mssim) is at the
    /// next one; 0 takes free ones and tells them [default: 2321, or none with a
    /// Unix socket]
    #[arg(long)]
    port: Option<u16>,
    /// Address to listen at; whoever can connect has the TPM
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Unix socket for swtpm's control channel, which QEMU's `-tpmdev emulator`
    /// connects to
    #[arg(long, value_name = "FILE")]
    unix: Option<PathBuf>,
    /// Unix socket for swtpm's commands, which the TCTI `swtpm:path=` connects to:
    /// it wants control (--unix) at the same name with `.ctrl` behind it
    #[arg(long, value_name = "FILE")]
    unix_commands: Option<PathBuf>,
    /// Start the TPM up at once, as firmware would: `state` resumes if there is
    /// state, and clears if not
    #[arg(long, value_enum)]
    startup: Option<StartupArgument>,
    /// End when a client leaves that had a channel for commands
    #[arg(long)]
    terminate: bool,
    /// Write a line for each command: names and codes, no contents
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Do not wait for the disk at each change: faster, and after a power cut of
    /// this machine the state may be an old one
    #[arg(long)]
    no_sync: bool,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Protocol {
    /// swtpm's: bare commands, and a control channel.
    Swtpm,
    /// That of Microsoft's simulator.
    Mssim,
}

/// How the TPM starts up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StartupArgument {
    Clear,
    State,
}

/// Runs the command.
///
/// # Errors
///
/// The state or the log cannot be used, or a socket cannot be made.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let journal = Arc::new(match &arguments.log {
        Some(path) => Journal::append(path)
            .with_context(|| format!("cannot write the log {}", path.display()))?,
        None => Journal::silent(),
    });
    let signals = Signals::note()?;
    let (mut appliance, mut told) = open(arguments, &journal)?;
    let startup = arguments.startup.map(|startup| match startup {
        StartupArgument::Clear => Startup::Clear,
        StartupArgument::State => Startup::State,
    });
    appliance.power_on().context("the device does not switch on")?;
    if let Some(startup) = startup {
        appliance.start_up(startup);
    }
    let listeners = listen(arguments, &mut told)?;
    for line in told {
        session.terminal.line(&line)?;
    }
    session.terminal.line("ready")?;
    let lifetime =
        if arguments.terminate { Lifetime::UntilClientLeaves } else { Lifetime::UntilStopped };
    listeners.serve(appliance, lifetime, signals.readable()).context("cannot serve")?;
    Ok(Verdict::Good)
}

/// The device in the folder, switched off, and lines for a person.
fn open(arguments: &Arguments, journal: &Arc<Journal>) -> Result<(Appliance, Vec<String>)> {
    let durability = if arguments.no_sync { Durability::Process } else { Durability::Power };
    let mut folder = StateFolder::open(&arguments.state, durability, Arc::clone(journal))?;
    let told = new_device::ensure(&mut folder, &arguments.state, &arguments.new_device)?;
    Ok((Appliance::new(Box::new(folder), Arc::clone(journal)), told))
}

/// Listens at all places, and says where.
fn listen(arguments: &Arguments, told: &mut Vec<String>) -> Result<Listeners> {
    let mut listeners = Listeners::default();
    if let Some(path) = &arguments.unix {
        listeners
            .swtpm_unix(path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        told.push(format!("swtpm control: {}", path.display()));
    }
    if let Some(path) = &arguments.unix_commands {
        listeners
            .swtpm_unix_commands(path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        told.push(format!("swtpm commands: {}", path.display()));
    }
    let on_unix = arguments.unix.is_some() || arguments.unix_commands.is_some();
    let port = arguments.port.or((!on_unix).then_some(PORT));
    if let Some(port) = port {
        let address = SocketAddr::new(arguments.address, port);
        let (names, ports) = match arguments.protocol {
            Protocol::Swtpm => (["swtpm commands", "swtpm control"], listeners.swtpm(address)),
            Protocol::Mssim => {
                (["simulator commands", "simulator platform"], listeners.simulator(address))
            }
        };
        let (one, two) =
            ports.with_context(|| format!("cannot listen at {address} and the port behind it"))?;
        told.push(format!("{}: {one}", names[0]));
        told.push(format!("{}: {two}", names[1]));
    }
    Ok(listeners)
}
