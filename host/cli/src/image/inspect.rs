//! `svsm image inspect`: what is in an IGVM file.

use std::path::PathBuf;

use anyhow::Result;
use svsm_image::inspect::Report;

use super::read::read;
use crate::failure::Verdict;
use crate::terminal::Terminal;

/// Arguments of `svsm image inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm image inspect target/svsm/release/svsm.igvm
  cargo svsm image inspect other.igvm --json

Any project's IGVM file will do.")]
pub(crate) struct Arguments {
    /// The IGVM file
    file: PathBuf,
    /// Write JSON for machines
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// The file cannot be read or is malformed.
pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> Result<Verdict> {
    let report = Report::new(&read(&arguments.file)?);
    let text =
        if arguments.json { serde_json::to_string_pretty(&report)? } else { report.to_string() };
    terminal.line(text.trim_end())?;
    Ok(Verdict::Good)
}
