//! Reports for guests, who ask by calls.

use abi_snp::AttestationReport;
use guest_calls::{ReportFailure, Reports};

use crate::certificates::Certificates;
use crate::error::RequestError;
use crate::service;

/// The conversation as calls see it.
#[derive(Clone, Copy, Debug)]
pub struct GuestReports;

impl Reports for GuestReports {
    type Certificates = Certificates;

    fn report(&self, data: [u8; 64]) -> Result<AttestationReport, ReportFailure> {
        service::report(data).map_err(failure)
    }

    fn report_with_certificates(
        &self,
        data: [u8; 64],
    ) -> Result<(AttestationReport, Certificates), ReportFailure> {
        service::report_with_certificates(data).map_err(failure)
    }
}

/// None of the reasons goes away: the guest need not ask again.
fn failure(error: RequestError) -> ReportFailure {
    match error {
        RequestError::Unavailable
        | RequestError::KeyLost
        | RequestError::Refused(_)
        | RequestError::Report(_) => ReportFailure::Refused,
    }
}
