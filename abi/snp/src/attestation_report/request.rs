//! Asking for a report: `MSG_REPORT_REQ` and `MSG_REPORT_RSP`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::attestation_report::report::AttestationReport;
use crate::guest_message::{FirmwareStatus, GuestRequest, MessageType};

/// Open enumeration of the keys that a guest may want its report signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct KeySelection(pub u32);

impl KeySelection {
    /// The VLEK if one is loaded, the VCEK otherwise.
    pub const ANY: Self = Self(0);
    /// The VCEK.
    pub const VCEK: Self = Self(1);
    /// The VLEK.
    pub const VLEK: Self = Self(2);
}

/// Asks for a report: 0x60 bytes [SNP ABI 56860 §7.3, table "MSG_REPORT_REQ"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ReportRequest {
    /// What the report shall hold as [`AttestationReport::report_data`].
    pub report_data: [u8; 64],
    /// Privilege level that the report shall be for: not above that of the key
    /// which protects the message.
    pub vmpl: u32,
    /// Key that shall sign the report.
    pub key_selection: KeySelection,
    _reserved_048: [u8; 0x18],
}

impl ReportRequest {
    /// A request for a report about privilege level `vmpl` with `report_data`.
    #[must_use]
    pub const fn new(report_data: [u8; 64], vmpl: u32, key_selection: KeySelection) -> Self {
        Self { report_data, vmpl, key_selection, _reserved_048: [0; 0x18] }
    }

    /// Whether all reserved bits are zero, which the security processor
    /// insists on.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.key_selection.0 <= 3 && self._reserved_048 == [0; 0x18]
    }
}

impl GuestRequest for ReportRequest {
    const MESSAGE_TYPE: MessageType = MessageType::REPORT_REQUEST;
    const MESSAGE_VERSION: u8 = 1;
    type Response = ReportResponse;
}

/// Answers a [`ReportRequest`]: 0x4c0 bytes [SNP ABI 56860 §7.3, table
/// "MSG_REPORT_RSP"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ReportResponse {
    /// Whether there is a report.
    pub status: FirmwareStatus,
    /// Size of the report in bytes.
    pub report_size: u32,
    _reserved_008: [u8; 0x18],
    report: AttestationReport,
}

/// Why a [`ReportResponse`] holds no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The security processor refuses. [`FirmwareStatus::INVALID_PARAMETER`]:
    /// the privilege level is above that of the key;
    /// [`FirmwareStatus::INVALID_KEY`]: the selected key cannot sign.
    #[error("the security processor refuses to make a report: {0}")]
    Refused(FirmwareStatus),
    /// The report has a size that this version does not know.
    #[error("the report has {0:#x} bytes, not {size:#x}", size = size_of::<AttestationReport>())]
    Size(u32),
}

impl ReportResponse {
    /// The response with a report.
    #[must_use]
    pub const fn with_report(report: AttestationReport) -> Self {
        let report_size = size_of::<AttestationReport>() as u32;
        Self { status: FirmwareStatus::SUCCESS, report_size, _reserved_008: [0; 0x18], report }
    }

    /// The response that says why there is no report. The place of the report
    /// is zero; its size is stated nevertheless, as firmware does.
    #[must_use]
    pub fn refusal(status: FirmwareStatus) -> Self {
        let report = zerocopy::FromZeros::new_zeroed();
        Self { status, ..Self::with_report(report) }
    }

    /// The report.
    ///
    /// # Errors
    /// There is none, or one of a size that this version does not know.
    pub fn report(&self) -> Result<&AttestationReport, ReportError> {
        if self.status != FirmwareStatus::SUCCESS {
            return Err(ReportError::Refused(self.status));
        }
        if usize::try_from(self.report_size) != Ok(size_of::<AttestationReport>()) {
            return Err(ReportError::Size(self.report_size));
        }
        Ok(&self.report)
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<ReportRequest>() == 0x60);
    assert!(offset_of!(ReportRequest, vmpl) == 0x40);
    assert!(offset_of!(ReportRequest, key_selection) == 0x44);

    assert!(size_of::<ReportResponse>() == 0x4c0);
    assert!(offset_of!(ReportResponse, report_size) == 0x04);
    assert!(offset_of!(ReportResponse, report) == 0x20);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_written_field_by_field() {
        let request = ReportRequest::new([0xab; 64], 2, KeySelection::VCEK);
        let bytes = request.as_bytes();
        assert_eq!(bytes[..0x40], [0xab; 0x40]);
        assert_eq!(bytes[0x40..0x48], [2, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(bytes[0x48..], [0; 0x18]);
        assert!(request.is_well_formed());
    }

    #[test]
    fn reserved_bits_are_found() {
        for (place, well_formed) in [(0x44, true), (0x45, false), (0x48, false), (0x5f, false)] {
            let mut bytes = [0; 0x60];
            bytes[place] = 1;
            let request = ReportRequest::read_from_bytes(&bytes).unwrap();
            assert_eq!(request.is_well_formed(), well_formed, "{place:#x}");
        }
        assert!(!ReportRequest::new([0; 64], 0, KeySelection(4)).is_well_formed());
    }

    #[test]
    fn report_comes_with_success_and_its_size_only() {
        let report = AttestationReport::version_2();
        let response = ReportResponse::with_report(report);
        assert_eq!(response.as_bytes()[..8], [0, 0, 0, 0, 0xa0, 4, 0, 0]);
        assert_eq!(response.report(), Ok(&report));

        let refusal = ReportResponse::refusal(FirmwareStatus::INVALID_KEY);
        assert_eq!(refusal.report(), Err(ReportError::Refused(FirmwareStatus::INVALID_KEY)));
        for report_size in [0, 0x49f, 0x4a1, u32::MAX] {
            let response = ReportResponse { report_size, ..response };
            assert_eq!(response.report(), Err(ReportError::Size(report_size)));
        }
    }
}
