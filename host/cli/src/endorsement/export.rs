//! `svsm endorsement export`: the certificates as files, for verifiers.

use std::path::PathBuf;

use anyhow::Result;

use crate::failure::Verdict;
use crate::output_file;
use crate::project::Project;
use crate::session::Session;
use crate::table::{self, Cell};
use crate::terminal::Tone;

/// Arguments of `svsm endorsement export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm endorsement export certs

Files, of which those that are there are replaced:
  ark.pem, ask.pem, vcek.pem  root, intermediate and the simulated processor's
  cert_chain.pem              ask.pem and ark.pem, as AMD's key service has them
  vcek.der                    vcek.pem in DER, as AMD's key service has it

These certificates certify nothing: the key that signs reports lies in
~/.cache/svsm/chip-keys, and whoever reads it can sign any report. Verifiers for
tests may be told to trust ark.pem; no others may.")]
pub(crate) struct Arguments {
    /// The folder; it is made if it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the command.
///
/// # Errors
///
/// The keys are unusable or cannot be made, or a file cannot be written.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let Session { terminal, .. } = session;
    let endorsement = Project::open(session)?.toolbox.endorsement()?;
    let chain = endorsement.chain();
    let mut rows = Vec::new();
    let row =
        |name: &str, value: String| vec![Cell::words(name).tone(Tone::Strong), Cell::words(value)];
    for file in chain.public_files() {
        let path = arguments.folder.join(file.name);
        output_file::write(&path, &file.content)?;
        rows.push(row("written", path.display().to_string()));
    }
    let chip = chain.chip();
    let chip_id: String = chip.chip_id().iter().map(|byte| format!("{byte:02x}")).collect();
    rows.push(row("product", chip.product().to_string()));
    rows.push(row("chip ID", chip_id));
    rows.push(row("TCB", format!("{} ({})", chip.reported_tcb(), chip.tcb())));
    terminal.line(&table::render(&rows, terminal))?;
    let warning = "These certificates are for tests and certify nothing.";
    terminal.line(&terminal.paint(Tone::Notable, warning))?;
    Ok(Verdict::Good)
}
