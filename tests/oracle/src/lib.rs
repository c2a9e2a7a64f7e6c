//! A judge of attestation reports that we did not write.
//!
//! The crate `sev` is what `snpguest` and other verifiers stand on. It decides
//! here whether a report and its certificates hold; nothing of our own takes
//! part. It is a workspace of its own, because `sev` needs other versions of
//! crates than the rest of the project.
#![forbid(unsafe_code)]

use std::io;
use std::path::Path;

use sev::certs::snp::{Chain, Verifiable};
use sev::firmware::guest::AttestationReport;
use sev::parser::ByteParser;

/// Whether the report, 1184 bytes, is signed by the processor that `vcek.pem`
/// in `folder` is for, and that certificate by `ask.pem`, that one by
/// `ark.pem`, and that one by itself.
///
/// # Errors
///
/// It is not; or a file cannot be read, or the report is none.
pub fn judge(folder: &Path, report: &[u8]) -> io::Result<()> {
    let read = |name| std::fs::read(folder.join(name));
    let chain = Chain::from_pem(&read("ark.pem")?, &read("ask.pem")?, &read("vcek.pem")?)?;
    (&chain, &AttestationReport::from_bytes(report)?).verify()
}
