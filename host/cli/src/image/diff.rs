//! `svsm image diff`: what differs between two IGVM files.

use std::path::PathBuf;

use anyhow::Result;
use svsm_image::diff::Diff;

use super::read::read;
use crate::failure::Verdict;
use crate::terminal::Terminal;

/// Arguments of `svsm image diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm image diff old.igvm new.igvm
  cargo svsm image diff old.igvm new.igvm --json

The exit code is 0 if the files are the same, byte for byte, else 1.")]
pub(crate) struct Arguments {
    /// The one file
    old: PathBuf,
    /// The other file
    new: PathBuf,
    /// Write JSON for machines
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// A file cannot be read or is malformed.
pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> Result<Verdict> {
    let diff = Diff::new(&read(&arguments.old)?, &read(&arguments.new)?);
    let text = if arguments.json { serde_json::to_string_pretty(&diff)? } else { diff.to_string() };
    terminal.line(text.trim_end())?;
    Ok(if diff.byte_identical { Verdict::Good } else { Verdict::Bad })
}
