//! What a hypervisor answers by the GHCB MSR.

use core::ops::RangeInclusive;

use abi_x86::SIZE_4K;

use crate::ghcb::features::HypervisorFeatures;
use crate::ghcb::frame::GuestFrame;
use crate::ghcb::msr::decode_error::MsrDecodeError;
use crate::ghcb::msr::operation::MsrOperation;
use crate::ghcb::msr::request::CpuidRegister;

/// A response [GHCB 56421 2.04 §2.3.1].
///
/// | response | bits 63:12 |
/// |---|---|
/// | `SevInformation` | 63:48 newest version, 47:32 oldest version, 31:24 position of the C-bit |
/// | `Cpuid` | 63:32 value, 31:30 register |
/// | `ApResetHold` | 63:12 zero unless a start-up interrupt came |
/// | `PreferredGhcb`, `RegisterGhcb` | 63:12 frame number, all ones for none |
/// | `PageState`, `RunVmpl` | 63:32 error, 0 for none |
/// | `HypervisorFeatures` | 63:12 bitmap |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MsrResponse {
    /// Protocol versions and position of the C-bit.
    SevInformation(SevInformation),
    /// One register of CPUID.
    Cpuid {
        /// Which register of the result.
        register: CpuidRegister,
        /// What it holds.
        value: u32,
    },
    /// The wait is over.
    ApResetHold(ResetHoldEnd),
    /// Where the hypervisor would like to have the page, `None` for anywhere.
    PreferredGhcb(Option<GuestFrame>),
    /// The page that was registered, `None` if it was refused.
    RegisterGhcb(Option<GuestFrame>),
    /// A page's state was changed, or not.
    PageState {
        /// 0, or why not, in numbers of the hypervisor's own.
        error: u32,
    },
    /// Another privilege level ran, or not.
    RunVmpl {
        /// 0, or why not, in numbers of the hypervisor's own.
        error: u32,
    },
    /// The features that the hypervisor offers. Only bits 51:0 have a place in
    /// this protocol; the event `ExitCode::HYPERVISOR_FEATURES` has all.
    HypervisorFeatures(HypervisorFeatures),
}

/// Versions of the protocol and position of the C-bit.
///
/// An allegation: a guest may go by a version that it wants to speak itself,
/// but has to compare the C-bit with its CPUID page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SevInformation {
    /// Oldest version that the hypervisor speaks.
    pub min_version: u16,
    /// Newest version that the hypervisor speaks.
    pub max_version: u16,
    /// Number of the bit that marks a private page in a page-table entry.
    pub c_bit: u8,
}

impl SevInformation {
    /// The newest version that both speak, if `ours` are the guest's; `None` if
    /// there is none.
    #[must_use]
    pub fn newest_common_version(self, ours: RangeInclusive<u16>) -> Option<u16> {
        let newest = self.max_version.min(*ours.end());
        (newest >= self.min_version && newest >= *ours.start()).then_some(newest)
    }
}

/// Why a processor no longer waits for its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetHoldEnd {
    /// A start-up interrupt (SIPI) came.
    StartUp,
    /// Something else woke it: it has to wait again.
    Other,
}

impl MsrResponse {
    /// Frame number of an answer without a frame: all ones in 52 bits.
    const NO_FRAME: u64 = u64::MAX / SIZE_4K;

    /// The operation in bits 11:0.
    #[must_use]
    pub const fn operation(self) -> MsrOperation {
        match self {
            Self::SevInformation(_) => MsrOperation::SEV_INFORMATION_RESPONSE,
            Self::Cpuid { .. } => MsrOperation::CPUID_RESPONSE,
            Self::ApResetHold(_) => MsrOperation::AP_RESET_HOLD_RESPONSE,
            Self::PreferredGhcb(_) => MsrOperation::PREFERRED_GHCB_RESPONSE,
            Self::RegisterGhcb(_) => MsrOperation::REGISTER_GHCB_RESPONSE,
            Self::PageState { .. } => MsrOperation::PAGE_STATE_RESPONSE,
            Self::RunVmpl { .. } => MsrOperation::RUN_VMPL_RESPONSE,
            Self::HypervisorFeatures(_) => MsrOperation::HYPERVISOR_FEATURES_RESPONSE,
        }
    }

    /// The value for the register.
    #[must_use]
    pub fn encode(self) -> u64 {
        let data = match self {
            Self::SevInformation(SevInformation { min_version, max_version, c_bit }) => {
                u64::from(max_version) << 48 | u64::from(min_version) << 32 | u64::from(c_bit) << 24
            }
            Self::Cpuid { register, value } => u64::from(value) << 32 | register.bits(),
            Self::ApResetHold(ResetHoldEnd::StartUp) => 1 << 12,
            Self::ApResetHold(ResetHoldEnd::Other) => 0,
            Self::PreferredGhcb(frame) | Self::RegisterGhcb(frame) => {
                frame.map_or(Self::NO_FRAME * SIZE_4K, GuestFrame::address)
            }
            Self::PageState { error } | Self::RunVmpl { error } => u64::from(error) << 32,
            Self::HypervisorFeatures(features) => features.bits() << 12,
        };
        self.operation().bits() | data
    }

    /// The response that `value` is.
    ///
    /// # Errors
    ///
    /// The field that is wrong; a request is no response.
    pub fn decode(value: u64) -> Result<Self, MsrDecodeError> {
        let high = (value >> 32) as u32;
        let data = value >> 12;
        let reserved_except = |used| MsrDecodeError::check_reserved(value, used);
        match MsrOperation::of(value) {
            MsrOperation::SEV_INFORMATION_RESPONSE => {
                reserved_except(0xff_ffff_ffff << 24)?;
                Ok(Self::SevInformation(SevInformation {
                    min_version: high as u16,
                    max_version: (high >> 16) as u16,
                    c_bit: (value >> 24) as u8,
                }))
            }
            MsrOperation::CPUID_RESPONSE => {
                reserved_except(0xffff_ffff << 32 | CpuidRegister::MASK)?;
                Ok(Self::Cpuid { register: CpuidRegister::of(value), value: high })
            }
            MsrOperation::AP_RESET_HOLD_RESPONSE if data == 0 => {
                Ok(Self::ApResetHold(ResetHoldEnd::Other))
            }
            MsrOperation::AP_RESET_HOLD_RESPONSE => Ok(Self::ApResetHold(ResetHoldEnd::StartUp)),
            MsrOperation::PREFERRED_GHCB_RESPONSE => Ok(Self::PreferredGhcb(Self::page(value)?)),
            MsrOperation::REGISTER_GHCB_RESPONSE => Ok(Self::RegisterGhcb(Self::page(value)?)),
            MsrOperation::PAGE_STATE_RESPONSE => {
                reserved_except(0xffff_ffff << 32).map(|()| Self::PageState { error: high })
            }
            MsrOperation::RUN_VMPL_RESPONSE => {
                reserved_except(0xffff_ffff << 32).map(|()| Self::RunVmpl { error: high })
            }
            MsrOperation::HYPERVISOR_FEATURES_RESPONSE => {
                Ok(Self::HypervisorFeatures(HypervisorFeatures::from_bits_retain(data)))
            }
            other => Err(MsrDecodeError::NotAResponse(other)),
        }
    }

    /// The frame whose number takes up all of bits 63:12.
    fn page(value: u64) -> Result<Option<GuestFrame>, MsrDecodeError> {
        let number = value / SIZE_4K;
        let operation = MsrOperation::of(value);
        match GuestFrame::new(number) {
            Some(frame) => Ok(Some(frame)),
            None if number == Self::NO_FRAME => Ok(None),
            None => Err(MsrDecodeError::FrameNumber { operation, number }),
        }
    }
}
