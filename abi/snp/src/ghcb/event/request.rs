//! A hypervisor's check of a request.

use crate::ghcb::event::ap_creation::{ApCreation, ApCreationAction};
use crate::ghcb::event::exit_code::ExitCode;
use crate::ghcb::event::outcome::MalformedInput;
use crate::ghcb::event::port_io::{PortIo, PortIoDirection, PortIoOperation};
use crate::ghcb::save_area::SaveArea;
use crate::ghcb::valid_fields::ValidFields;

/// An event that a guest asks for, with everything that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NaeRequest {
    /// What is asked for.
    pub code: ExitCode,
    /// `SW_EXITINFO1`.
    pub exit_info_1: u64,
    /// `SW_EXITINFO2`.
    pub exit_info_2: u64,
}

impl NaeRequest {
    /// Checks `request`, loaded from the page: the event is one that this
    /// version knows, and the fields are there that it needs as
    /// [`ExitCode`] lists them, which is what KVM checks too. The decoder of
    /// `SW_EXITINFO1` is asked where it decides which fields these are.
    ///
    /// # Errors
    ///
    /// What to answer to the guest.
    pub fn check(request: &SaveArea) -> Result<Self, MalformedInput> {
        let (Some(code), Some(exit_info_1), Some(exit_info_2)) =
            (request.exit_code, request.exit_info_1, request.exit_info_2)
        else {
            return Err(MalformedInput::MISSING_INPUT);
        };
        let this = Self { code: ExitCode(code), exit_info_1, exit_info_2 };
        if request.valid_fields().contains(this.inputs(request.rax)?) {
            Ok(this)
        } else {
            Err(MalformedInput::MISSING_INPUT)
        }
    }

    /// The registers that the event needs, if RAX is `rax`.
    fn inputs(&self, rax: Option<u64>) -> Result<ValidFields, MalformedInput> {
        Ok(match self.code {
            ExitCode::DR7_WRITE | ExitCode::GET_APIC_IDS => ValidFields::RAX,
            ExitCode::RDPMC => ValidFields::RCX,
            ExitCode::CPUID if rax.map(|leaf| leaf as u32) == Some(0xd) => {
                ValidFields::RAX | ValidFields::RCX | ValidFields::XCR0
            }
            ExitCode::CPUID | ExitCode::MWAIT => ValidFields::RAX | ValidFields::RCX,
            ExitCode::MONITOR => ValidFields::RAX | ValidFields::RCX | ValidFields::RDX,
            ExitCode::PORT_IO => self.port_io_inputs()?,
            ExitCode::MSR => match self.exit_info_1 {
                0 => ValidFields::RCX,
                1 => ValidFields::RAX | ValidFields::RCX | ValidFields::RDX,
                _ => return Err(MalformedInput::INVALID_INPUT),
            },
            ExitCode::VMMCALL => ValidFields::RAX | ValidFields::CPL,
            ExitCode::MMIO_READ | ExitCode::MMIO_WRITE | ExitCode::SNP_PAGE_STATE_CHANGE => {
                ValidFields::SCRATCH
            }
            ExitCode::SNP_EXTENDED_GUEST_REQUEST => ValidFields::RAX | ValidFields::RBX,
            ExitCode::SECURE_AVIC => match self.exit_info_1 {
                0 => ValidFields::RAX | ValidFields::RBX,
                1 => ValidFields::RAX,
                _ => return Err(MalformedInput::INVALID_INPUT),
            },
            ExitCode::SNP_AP_CREATION => self.ap_creation_inputs()?,
            ExitCode::DR7_READ
            | ExitCode::RDTSC
            | ExitCode::INVD
            | ExitCode::RDTSCP
            | ExitCode::WBINVD
            | ExitCode::NMI_COMPLETE
            | ExitCode::AP_RESET_HOLD
            | ExitCode::AP_JUMP_TABLE
            | ExitCode::SNP_GUEST_REQUEST
            | ExitCode::HV_DOORBELL_PAGE
            | ExitCode::HV_IPI
            | ExitCode::HV_TIMER
            | ExitCode::SNP_RUN_VMPL
            | ExitCode::HYPERVISOR_FEATURES
            | ExitCode::TERMINATION_REQUEST
            | ExitCode::UNSUPPORTED_EVENT => ValidFields::empty(),
            _ => return Err(MalformedInput::INVALID_EVENT),
        })
    }

    fn port_io_inputs(&self) -> Result<ValidFields, MalformedInput> {
        let io = PortIo::decode(self.exit_info_1).map_err(|_| MalformedInput::INVALID_INPUT)?;
        Ok(match (io.operation, io.direction) {
            (PortIoOperation::String, _) => ValidFields::SCRATCH,
            (PortIoOperation::Single, PortIoDirection::Out) => ValidFields::RAX,
            (PortIoOperation::Single, PortIoDirection::In) => ValidFields::empty(),
        })
    }

    fn ap_creation_inputs(&self) -> Result<ValidFields, MalformedInput> {
        let creation =
            ApCreation::decode(self.exit_info_1).map_err(|_| MalformedInput::INVALID_INPUT)?;
        Ok(match creation.action {
            ApCreationAction::CreateOnInit | ApCreationAction::Create => ValidFields::RAX,
            ApCreationAction::Destroy => ValidFields::empty(),
        })
    }
}

#[cfg(test)]
mod tests;
