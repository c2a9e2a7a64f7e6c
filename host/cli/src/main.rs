//! `svsm`: the one command of this project.
//!
//! This file takes the command line apart and hands over to the command's own
//! file; `arguments` lists the commands. Below them:
//!
//! | files | what they know |
//! |---|---|
//! | `project`, `workspace`, `module` | the source tree, and cargo for it and for bare metal |
//! | `guest` | what test guests start from |
//! | `jobs`, `log` | lists of jobs with logs and a table at the end |
//! | `machine/…` | QEMU as a child process |
//! | `simulation/…` | guests in the platform simulator |
//! | `setup/…`, `cache` | what is needed, and where it is kept |
//! | `session`, `terminal`, `table`, `process`, `failure` | how to talk to people, programs and the shell |
#![forbid(unsafe_code)]

mod arguments;
mod bench;
mod build;
mod cache;
mod check;
mod clean;
mod doc;
mod endorsement;
mod failure;
mod fuzz;
mod guest;
mod image;
mod jobs;
mod log;
mod machine;
mod module;
mod module_image;
mod output_file;
mod process;
mod project;
mod run;
mod session;
mod setup;
mod simulation;
mod table;
mod terminal;
mod test;
mod tpm;
mod workspace;

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use arguments::{Command, CommandLine};
use failure::{Usage, Verdict};
use session::{Network, Session};
use terminal::{Terminal, Tone};

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let terminal = Terminal::detect();
    match dispatch(&line, terminal) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        Ok(Verdict::Status(status)) => ExitCode::from(status),
        Err(error) => fail(&error, terminal),
    }
}

fn dispatch(line: &CommandLine, terminal: Terminal) -> Result<Verdict> {
    let network = if line.offline {
        Network::Forbidden
    } else {
        Network::as_for_cargo(std::env::var("CARGO_NET_OFFLINE").ok().as_deref())
    };
    let session = Session { terminal, network };
    match &line.command {
        Command::Setup(arguments) => setup::run(arguments, session),
        Command::Build(arguments) => build::run(arguments, session),
        Command::Image(arguments) => image::run(arguments, terminal),
        Command::Run(arguments) => run::run(arguments, session),
        Command::Endorsement(arguments) => endorsement::run(arguments, session),
        Command::Check(arguments) => check::run(arguments, session),
        Command::Test(arguments) => test::run(arguments, session),
        Command::Bench(arguments) => bench::run(arguments, session),
        Command::Fuzz(arguments) => fuzz::run(arguments, session),
        Command::Doc(arguments) => doc::run(arguments, session),
        Command::Tpm(arguments) => tpm::run(arguments, session),
        Command::Clean(arguments) => clean::run(arguments, session),
    }
}

fn fail(error: &anyhow::Error, terminal: Terminal) -> ExitCode {
    // Who reads our output has seen enough: `svsm image inspect … | head`.
    let broken_pipe = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe);
    if broken_pipe {
        return ExitCode::FAILURE;
    }
    eprintln!("{} {}", terminal.paint_error(Tone::Bad, "error:"), failure::message(error));
    if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
