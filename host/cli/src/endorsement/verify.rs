//! `svsm endorsement verify`: an attestation report against certificates.

use std::path::{Path, PathBuf};

use abi_snp::AttestationReport;
use anyhow::{Context, Result, anyhow};
use svsm_endorsement::{Chain, ReportFault};
use svsm_image::input;
use zerocopy::FromBytes;

use crate::failure::Verdict;
use crate::project::Project;
use crate::session::Session;
use crate::terminal::Tone;

/// Size of a report in bytes.
const REPORT_SIZE: usize = size_of::<AttestationReport>();

/// Arguments of `svsm endorsement verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm endorsement verify report.bin
  cargo svsm endorsement verify report.bin --chain certs

A report is what a guest finds in `outblob` of /sys/kernel/config/tsm/report, or
what `snpguest report` writes: 1184 bytes.

Checked are the signatures from the root to the report, the chip identifier and
the reported TCB version. Not checked are whether the root may be trusted, times
of validity, revocation, and what the report says about the guest: compare its
measurement with that of `cargo svsm image measure`.

The exit code is 0 if the report holds, else 1.")]
pub(crate) struct Arguments {
    /// The report
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Folder with ark.pem, ask.pem and vcek.pem [default: the certificates of
    /// this machine's simulator]
    #[arg(long, value_name = "DIR")]
    chain: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
///
/// The report cannot be read or is none, or the certificates are no chain.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let Session { terminal, .. } = session;
    let report = read(&arguments.report)?;
    let chain = match &arguments.chain {
        Some(folder) => Chain::load(folder).with_context(|| folder.display().to_string())?,
        None => Project::open(session)?.toolbox.endorsement()?.chain().clone(),
    };
    terminal.line(&report.to_string())?;
    let (verdict, tone, text) = judge(chain.verify(&report));
    terminal.line(&format!("\n{}", terminal.paint(tone, &text)))?;
    Ok(verdict)
}

fn judge(result: Result<(), ReportFault>) -> (Verdict, Tone, String) {
    match result {
        Ok(()) => {
            let text = "The report holds: the processor in the certificates made it.";
            (Verdict::Good, Tone::Good, text.to_owned())
        }
        Err(fault) => (Verdict::Bad, Tone::Bad, format!("The report does NOT hold: {fault}.")),
    }
}

fn read(path: &Path) -> Result<AttestationReport> {
    // One more byte than a report has, to notice what is too long.
    let bytes = input::read(path, "attestation report", REPORT_SIZE as u64 + 1)?;
    AttestationReport::read_from_bytes(&bytes).map_err(|_| {
        anyhow!("{} is no attestation report: it has not {REPORT_SIZE} bytes", path.display())
    })
}

#[cfg(test)]
mod tests {
    use abi_snp::AttestationReport;
    use svsm_endorsement::ReportFault;
    use zerocopy::IntoBytes;

    use super::{judge, read};
    use crate::failure::Verdict;

    #[test]
    fn reports_have_one_size() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("report");
        let report = AttestationReport::version_2();
        std::fs::write(&path, report.as_bytes())?;
        assert_eq!(read(&path)?, report);
        for size in [0, 1183, 1185, 9999] {
            std::fs::write(&path, vec![2; size])?;
            let message = read(&path).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(message.contains(&path.display().to_string()), "{size}: {message}");
        }
        Ok(())
    }

    #[test]
    fn a_fault_is_a_bad_end() {
        assert_eq!(judge(Ok(())).0, Verdict::Good);
        let (verdict, _, text) = judge(Err(ReportFault::Signature));
        assert_eq!(verdict, Verdict::Bad);
        assert!(text.contains("NOT hold: the VCEK has not signed"), "{text}");
    }
}
