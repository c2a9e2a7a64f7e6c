//! Asking whether CPUID values can be trusted: `MSG_CPUID_REQ`.
//!
//! What the security processor does with the CPUID page at launch, it also does
//! later for values that a guest has from elsewhere [SNP ABI 56860 §7.1].

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::cpuid::{CpuidEntry, CpuidPage};
use crate::guest_message::{FirmwareStatus, GuestRequest, MessageType};

/// Holds up values for a check: 0xc10 bytes [SNP ABI 56860 §7.1, table
/// "MSG_CPUID_REQ"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CpuidRequest {
    count: u32,
    _reserved_004: [u32; 3],
    entries: [CpuidEntry; CpuidPage::CAPACITY],
}

impl CpuidRequest {
    /// A request about these entries, `None` if there are more than
    /// [`CpuidPage::CAPACITY`].
    #[must_use]
    pub fn new(entries: &[CpuidEntry]) -> Option<Self> {
        let (count, entries) = filled(entries)?;
        Some(Self { count, _reserved_004: [0; 3], entries })
    }

    /// The entries in question, `None` if the request claims more than
    /// [`CpuidPage::CAPACITY`].
    #[must_use]
    pub fn entries(&self) -> Option<&[CpuidEntry]> {
        self.entries.get(..usize::try_from(self.count).ok()?)
    }

    /// Whether the reserved bytes before the entries are zero, which the
    /// security processor insists on.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self._reserved_004 == [0; 3]
    }
}

impl GuestRequest for CpuidRequest {
    const MESSAGE_TYPE: MessageType = MessageType::CPUID_REQUEST;
    const MESSAGE_VERSION: u8 = 1;
    type Response = CpuidResponse;
}

/// Answers a [`CpuidRequest`]: 0xc10 bytes [SNP ABI 56860 §7.1, table
/// "MSG_CPUID_RSP"].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CpuidResponse {
    /// Whether all values are right. [`FirmwareStatus::INVALID_PARAMETER`]:
    /// some were not, or the request was malformed.
    pub status: FirmwareStatus,
    /// How many entries were checked. Those of leaves that firmware does not
    /// vouch for, such as a hypervisor's, were not.
    pub checked: u32,
    _reserved_008: [u32; 2],
    entries: [CpuidEntry; CpuidPage::CAPACITY],
}

impl CpuidResponse {
    /// The response with the entries as firmware has corrected them; `None` if
    /// there are more than [`CpuidPage::CAPACITY`].
    #[must_use]
    pub fn new(status: FirmwareStatus, checked: u32, entries: &[CpuidEntry]) -> Option<Self> {
        let (_, entries) = filled(entries)?;
        Some(Self { status, checked, _reserved_008: [0; 2], entries })
    }

    /// The entries in the order of the request, corrected; behind as many as
    /// it had there are zeros.
    #[must_use]
    pub fn entries(&self) -> &[CpuidEntry; CpuidPage::CAPACITY] {
        &self.entries
    }
}

/// `entries` with their number, zeros behind them.
fn filled(entries: &[CpuidEntry]) -> Option<(u32, [CpuidEntry; CpuidPage::CAPACITY])> {
    let mut all = [CpuidEntry::request(0, 0); CpuidPage::CAPACITY];
    all.get_mut(..entries.len())?.copy_from_slice(entries);
    Some((u32::try_from(entries.len()).ok()?, all))
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<CpuidRequest>() == 0xc10);
    assert!(offset_of!(CpuidRequest, entries) == 0x10);
    assert!(size_of::<CpuidResponse>() == 0xc10);
    assert!(offset_of!(CpuidResponse, checked) == 0x04);
    assert!(offset_of!(CpuidResponse, entries) == 0x10);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_written_field_by_field() {
        let request = CpuidRequest::new(&[CpuidEntry::request(0x1122_3344, 5); 2]).unwrap();
        let bytes = request.as_bytes();
        assert_eq!(bytes[..0x10], [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[0x10..0x18], [0x44, 0x33, 0x22, 0x11, 5, 0, 0, 0]);
        assert_eq!(bytes[0x40..0x44], [0x44, 0x33, 0x22, 0x11]);
        assert_eq!(bytes[0x70..], [0; 0xc10 - 0x70]);
        assert_eq!(request.entries().map(<[_]>::len), Some(2));
        assert!(CpuidRequest::new(&[CpuidEntry::request(0, 0); 65]).is_none());
    }

    #[test]
    fn counts_and_reserved_bytes_from_outside_are_checked() {
        let mut bytes = [0; 0xc10];
        bytes[0] = 65;
        assert!(CpuidRequest::read_from_bytes(&bytes).unwrap().entries().is_none());
        for place in 4..0x10 {
            let mut bytes = [0; 0xc10];
            bytes[place] = 1;
            assert!(!CpuidRequest::read_from_bytes(&bytes).unwrap().is_well_formed());
        }
    }

    #[test]
    fn response_is_written_field_by_field() {
        let status = FirmwareStatus::INVALID_PARAMETER;
        let response = CpuidResponse::new(status, 1, &[CpuidEntry::request(7, 0)]).unwrap();
        assert_eq!(
            response.as_bytes()[..0x11],
            [0x16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]
        );
        assert_eq!(response.entries()[0].eax_in, 7);
    }
}
