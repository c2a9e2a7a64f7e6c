//! The guest's time stamp counter: `MSG_TSC_INFO_REQ`.
//!
//! With Secure TSC the host no longer decides how the counter of a guest runs.
//! Processors that the guest starts itself need the same parameters as the
//! first one in their save areas, and this is where they come from
//! [SNP ABI 56860 §7.9].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::guest_message::{FirmwareStatus, GuestRequest, MessageType};

/// Asks for the parameters: 0x80 bytes, all of them reserved
/// [SNP ABI 56860 §7.9, table "MSG_TSC_INFO_REQ"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TscInfoRequest {
    _reserved_000: [u8; 0x80],
}

impl TscInfoRequest {
    /// The request.
    #[must_use]
    pub const fn new() -> Self {
        Self { _reserved_000: [0; 0x80] }
    }

    /// Whether all reserved bits are zero, which the security processor
    /// insists on.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self._reserved_000 == [0; 0x80]
    }
}

impl Default for TscInfoRequest {
    fn default() -> Self {
        Self::new()
    }
}

impl GuestRequest for TscInfoRequest {
    const MESSAGE_TYPE: MessageType = MessageType::TSC_INFO_REQUEST;
    const MESSAGE_VERSION: u8 = 1;
    type Response = TscInfoResponse;
}

/// Parameters of a guest's time stamp counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TscInfo {
    /// For [`Vmsa::guest_tsc_scale`](crate::Vmsa::guest_tsc_scale).
    pub scale: u64,
    /// For [`Vmsa::guest_tsc_offset`](crate::Vmsa::guest_tsc_offset).
    pub offset: u64,
    /// By how many hundred-thousandths the mean frequency of the counter is
    /// below the nominal one.
    pub factor: u32,
}

/// Answers a [`TscInfoRequest`]: 0x80 bytes [SNP ABI 56860 §7.9, table
/// "MSG_TSC_INFO_RSP"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TscInfoResponse {
    /// Whether the parameters are there.
    pub status: FirmwareStatus,
    _reserved_004: u32,
    scale: u64,
    offset: u64,
    factor: u32,
    _reserved_01c: [u8; 0x64],
}

impl TscInfoResponse {
    /// The response with these parameters.
    #[must_use]
    pub const fn with_info(info: TscInfo) -> Self {
        let TscInfo { scale, offset, factor } = info;
        let status = FirmwareStatus::SUCCESS;
        Self { status, _reserved_004: 0, scale, offset, factor, _reserved_01c: [0; 0x64] }
    }

    /// The response that says why there are none.
    #[must_use]
    pub const fn refusal(status: FirmwareStatus) -> Self {
        Self { status, ..Self::with_info(TscInfo { scale: 0, offset: 0, factor: 0 }) }
    }

    /// The parameters.
    ///
    /// # Errors
    /// The security processor refuses, with the status that says why.
    pub const fn info(&self) -> Result<TscInfo, FirmwareStatus> {
        match self.status {
            FirmwareStatus::SUCCESS => {
                Ok(TscInfo { scale: self.scale, offset: self.offset, factor: self.factor })
            }
            refusal => Err(refusal),
        }
    }
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<TscInfoRequest>() == 0x80);
    assert!(size_of::<TscInfoResponse>() == 0x80);
    assert!(offset_of!(TscInfoResponse, scale) == 0x08);
    assert!(offset_of!(TscInfoResponse, offset) == 0x10);
    assert!(offset_of!(TscInfoResponse, factor) == 0x18);
};

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: TscInfo = TscInfo { scale: 0x1_0000_0002, offset: 3, factor: 200 };

    #[test]
    fn response_is_written_field_by_field() {
        let response = TscInfoResponse::with_info(INFO);
        let bytes = response.as_bytes();
        assert_eq!(bytes[..0x10], [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(bytes[0x10..0x1c], [3, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0]);
        assert_eq!(bytes[0x1c..], [0; 0x64]);
        assert_eq!(response.info(), Ok(INFO));
    }

    #[test]
    fn parameters_come_with_success_only() {
        let mut bytes = [0; 0x80];
        bytes.copy_from_slice(TscInfoResponse::with_info(INFO).as_bytes());
        bytes[3] = 0x80;
        let response = TscInfoResponse::read_from_bytes(&bytes).unwrap();
        assert_eq!(response.info(), Err(FirmwareStatus(0x8000_0000)));
        let refusal = TscInfoResponse::refusal(FirmwareStatus::INVALID_PARAMETER);
        assert_eq!(refusal.info(), Err(FirmwareStatus::INVALID_PARAMETER));
    }

    #[test]
    fn reserved_bits_are_found() {
        assert!(TscInfoRequest::new().is_well_formed());
        for place in [0, 0x7f] {
            let mut bytes = [0; 0x80];
            bytes[place] = 1;
            assert!(!TscInfoRequest::read_from_bytes(&bytes).unwrap().is_well_formed());
        }
    }
}
