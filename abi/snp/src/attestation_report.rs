//! Attestation reports: what the security processor testifies about a guest.
//!
//! A guest sends a [`ReportRequest`] with 64 bytes of its choice and gets a
//! [`ReportResponse`] with an [`AttestationReport`], signed with a key that
//! only processors of AMD have [SNP ABI 56860 §7.3]. Whoever gets the report
//! learns from it what the guest was launched from ([`AttestationReport::measurement`],
//! the value that `snp-launch` computes), with which policy, and on firmware
//! of which [`TcbVersion`]. Verifying the signature and its certificates is
//! the work of others.

mod key_info;
mod platform_info;
mod processor;
mod report;
mod request;
mod tcb_version;
mod words;

pub use key_info::{KeyInfo, KeyInfoFlags, SigningKey};
pub use platform_info::PlatformInfo;
pub use processor::ProcessorModel;
pub use report::{AttestationReport, FirmwareVersion, Mitigations, SIGNED_SIZE};
pub use request::{KeySelection, ReportError, ReportRequest, ReportResponse};
pub use tcb_version::{TcbComponents, TcbLayout, TcbVersion};
