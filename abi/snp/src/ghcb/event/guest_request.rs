//! How a message to the security processor fared.

use crate::guest_message::FirmwareStatus;

/// `SW_EXITINFO2` of an answer to `ExitCode::SNP_GUEST_REQUEST` or
/// `ExitCode::SNP_EXTENDED_GUEST_REQUEST` [GHCB 56421 2.04 §4.1, "SNP Guest
/// Request"]: the hypervisor's error in bits 63:32, the security processor's status in
/// 31:0.
///
/// Whatever it says, only the response message itself, once decrypted, shows
/// that the security processor has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestRequestStatus {
    /// The hypervisor's error, 0 for none.
    pub hypervisor_error: u32,
    /// The security processor's status.
    pub firmware_status: FirmwareStatus,
}

impl GuestRequestStatus {
    /// Hypervisor's error: too few pages for certificates, RBX tells how many
    /// are needed.
    pub const INVALID_LENGTH: u32 = 1;
    /// Hypervisor's error: the message was not passed on; the same one has to be
    /// sent again, with the same sequence number.
    pub const BUSY: u32 = 2;

    /// The message was passed on, and the command succeeded.
    pub const SUCCESS: Self =
        Self { hypervisor_error: 0, firmware_status: FirmwareStatus::SUCCESS };

    /// `SW_EXITINFO2`.
    #[must_use]
    pub const fn encode(self) -> u64 {
        (self.hypervisor_error as u64) << 32 | self.firmware_status.0 as u64
    }

    /// The status in `exit_info_2`.
    #[must_use]
    pub const fn decode(exit_info_2: u64) -> Self {
        Self {
            hypervisor_error: (exit_info_2 >> 32) as u32,
            firmware_status: FirmwareStatus(exit_info_2 as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_where_the_specification_puts_them() {
        let busy = GuestRequestStatus {
            hypervisor_error: GuestRequestStatus::BUSY,
            firmware_status: FirmwareStatus(3),
        };
        assert_eq!(busy.encode(), 0x2_0000_0003);
        assert_eq!(GuestRequestStatus::decode(0), GuestRequestStatus::SUCCESS);
    }

    proptest! {
        #[test]
        fn every_value_survives(exit_info_2 in any::<u64>()) {
            prop_assert_eq!(GuestRequestStatus::decode(exit_info_2).encode(), exit_info_2);
        }
    }
}
