//! What a guest asks for by the GHCB MSR.

use abi_x86::SIZE_4K;

use crate::ghcb::frame::GuestFrame;
use crate::ghcb::msr::decode_error::MsrDecodeError;
use crate::ghcb::msr::operation::MsrOperation;
use crate::ghcb::termination::{ReasonSet, TerminationReason};
use crate::vmpl::Vmpl;

/// A request [GHCB 56421 2.04 §2.3.1].
///
/// | request | bits 63:12 |
/// |---|---|
/// | `Ghcb`, `RegisterGhcb` | 63:12 frame number |
/// | `Cpuid` | 63:32 function, 31:30 register |
/// | `PageState` | 55:52 operation, 51:12 frame number |
/// | `RunVmpl` | 39:32 level |
/// | `Terminate` | 23:16 code, 15:12 reason code set |
/// | the others | zero |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MsrRequest {
    /// The request is in this page.
    Ghcb(GuestFrame),
    /// Protocol versions and position of the C-bit.
    SevInformation,
    /// One register of CPUID, subfunction 0.
    Cpuid {
        /// The function: what CPUID takes in EAX.
        function: u32,
        /// Which register of the result.
        register: CpuidRegister,
    },
    /// Wait for a start-up interrupt, without a page.
    ApResetHold,
    /// Where the hypervisor would like to have the page.
    PreferredGhcb,
    /// Accept this page, and no other, as this processor's.
    RegisterGhcb(GuestFrame),
    /// Make a page private or shared.
    PageState {
        /// The page.
        frame: GuestFrame,
        /// What it shall become.
        assignment: PageAssignment,
    },
    /// Run this privilege level on this processor.
    RunVmpl(Vmpl),
    /// The features that the hypervisor offers.
    HypervisorFeatures,
    /// End the guest.
    Terminate(TerminationReason),
}

/// A register that CPUID returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CpuidRegister {
    /// EAX.
    Eax = 0,
    /// EBX.
    Ebx = 1,
    /// ECX.
    Ecx = 2,
    /// EDX.
    Edx = 3,
}

impl CpuidRegister {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Eax, Self::Ebx, Self::Ecx, Self::Edx];

    /// Bits 31:30 of a request or response.
    pub(super) const MASK: u64 = 3 << 30;

    /// The register at its place in a request or response.
    pub(super) const fn bits(self) -> u64 {
        (self as u64) << 30
    }

    /// The register of a request or response.
    pub(super) const fn of(value: u64) -> Self {
        match (value & Self::MASK) >> 30 {
            0 => Self::Eax,
            1 => Self::Ebx,
            2 => Self::Ecx,
            _ => Self::Edx,
        }
    }
}

/// Whose a page of 4 KiB shall be. The MSR protocol has no other operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PageAssignment {
    /// The guest's alone.
    Private = 1,
    /// The hypervisor's: both can read and write it.
    Shared = 2,
}

impl PageAssignment {
    /// The operation in bits 55:52 of a request.
    fn decode(value: u64) -> Result<Self, MsrDecodeError> {
        match (value >> 52) as u8 & 0xf {
            1 => Ok(Self::Private),
            2 => Ok(Self::Shared),
            other => Err(MsrDecodeError::PageAssignment(other)),
        }
    }
}

impl MsrRequest {
    const FRAME_MASK: u64 = ((1 << GuestFrame::BITS) - 1) * SIZE_4K;

    /// The operation in bits 11:0.
    #[must_use]
    pub const fn operation(self) -> MsrOperation {
        match self {
            Self::Ghcb(_) => MsrOperation::GHCB,
            Self::SevInformation => MsrOperation::SEV_INFORMATION_REQUEST,
            Self::Cpuid { .. } => MsrOperation::CPUID_REQUEST,
            Self::ApResetHold => MsrOperation::AP_RESET_HOLD_REQUEST,
            Self::PreferredGhcb => MsrOperation::PREFERRED_GHCB_REQUEST,
            Self::RegisterGhcb(_) => MsrOperation::REGISTER_GHCB_REQUEST,
            Self::PageState { .. } => MsrOperation::PAGE_STATE_REQUEST,
            Self::RunVmpl(_) => MsrOperation::RUN_VMPL_REQUEST,
            Self::HypervisorFeatures => MsrOperation::HYPERVISOR_FEATURES_REQUEST,
            Self::Terminate(_) => MsrOperation::TERMINATION_REQUEST,
        }
    }

    /// The value for the register.
    #[must_use]
    pub const fn encode(self) -> u64 {
        let data = match self {
            Self::Ghcb(frame) | Self::RegisterGhcb(frame) => frame.address(),
            Self::Cpuid { function, register } => (function as u64) << 32 | register.bits(),
            Self::PageState { frame, assignment } => (assignment as u64) << 52 | frame.address(),
            Self::RunVmpl(vmpl) => (vmpl.number() as u64) << 32,
            Self::Terminate(TerminationReason { set, code }) => {
                (code as u64) << 16 | (set.number() as u64) << 12
            }
            Self::SevInformation
            | Self::ApResetHold
            | Self::PreferredGhcb
            | Self::HypervisorFeatures => 0,
        };
        self.operation().bits() | data
    }

    /// The request that `value` is.
    ///
    /// # Errors
    ///
    /// The field that is wrong; a response is no request.
    pub fn decode(value: u64) -> Result<Self, MsrDecodeError> {
        let operation = MsrOperation::of(value);
        let reserved_except = |used| MsrDecodeError::check_reserved(value, used);
        match operation {
            MsrOperation::GHCB => Ok(Self::Ghcb(Self::page(value)?)),
            MsrOperation::REGISTER_GHCB_REQUEST => Ok(Self::RegisterGhcb(Self::page(value)?)),
            MsrOperation::CPUID_REQUEST => {
                reserved_except(0xffff_ffff << 32 | CpuidRegister::MASK)?;
                let function = (value >> 32) as u32;
                Ok(Self::Cpuid { function, register: CpuidRegister::of(value) })
            }
            MsrOperation::PAGE_STATE_REQUEST => {
                reserved_except(0xf << 52 | Self::FRAME_MASK)?;
                let frame = GuestFrame::from_bits_51_12(value);
                Ok(Self::PageState { frame, assignment: PageAssignment::decode(value)? })
            }
            MsrOperation::RUN_VMPL_REQUEST => {
                reserved_except(0xff << 32)?;
                let number = (value >> 32) as u8;
                let vmpl = Vmpl::from_number(number).ok_or(MsrDecodeError::Vmpl(number))?;
                Ok(Self::RunVmpl(vmpl))
            }
            MsrOperation::TERMINATION_REQUEST => {
                reserved_except(0xfff << 12)?;
                let set = ReasonSet::from_bits_3_0(value >> 12);
                Ok(Self::Terminate(TerminationReason::new(set, (value >> 16) as u8)))
            }
            MsrOperation::SEV_INFORMATION_REQUEST => {
                reserved_except(0).map(|()| Self::SevInformation)
            }
            MsrOperation::AP_RESET_HOLD_REQUEST => reserved_except(0).map(|()| Self::ApResetHold),
            MsrOperation::PREFERRED_GHCB_REQUEST => {
                reserved_except(0).map(|()| Self::PreferredGhcb)
            }
            MsrOperation::HYPERVISOR_FEATURES_REQUEST => {
                reserved_except(0).map(|()| Self::HypervisorFeatures)
            }
            other => Err(MsrDecodeError::NotARequest(other)),
        }
    }

    /// The frame whose number takes up all of bits 63:12.
    fn page(value: u64) -> Result<GuestFrame, MsrDecodeError> {
        let number = value / SIZE_4K;
        let operation = MsrOperation::of(value);
        GuestFrame::new(number).ok_or(MsrDecodeError::FrameNumber { operation, number })
    }
}
