//! What registers ask for.

use crate::address::{GuestPage, ListAddress};
use crate::call_id::{CallId, Protocol};
use crate::core_protocol::query::ProtocolQuery;
use crate::core_protocol::vtom::VtomRequest;
use crate::registers::CallRegisters;
use crate::result_code::ResultCode;

/// Open enumeration of the calls of this protocol [SVSM 58019 §6, table 5].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoreCallNumber(pub u32);

impl CoreCallNumber {
    /// `SVSM_CORE_REMAP_CA`.
    pub const REMAP_CALLING_AREA: Self = Self(0);
    /// `SVSM_CORE_PVALIDATE`.
    pub const VALIDATE: Self = Self(1);
    /// `SVSM_CORE_CREATE_VCPU`.
    pub const CREATE_VCPU: Self = Self(2);
    /// `SVSM_CORE_DELETE_VCPU`.
    pub const DELETE_VCPU: Self = Self(3);
    /// `SVSM_CORE_DEPOSIT_MEM`.
    pub const DEPOSIT_MEMORY: Self = Self(4);
    /// `SVSM_CORE_WITHDRAW_MEM`.
    pub const WITHDRAW_MEMORY: Self = Self(5);
    /// `SVSM_CORE_QUERY_PROTOCOL`.
    pub const QUERY_PROTOCOL: Self = Self(6);
    /// `SVSM_CORE_CONFIGURE_VTOM`.
    pub const CONFIGURE_VTOM: Self = Self(7);

    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::REMAP_CALLING_AREA => "SVSM_CORE_REMAP_CA",
            Self::VALIDATE => "SVSM_CORE_PVALIDATE",
            Self::CREATE_VCPU => "SVSM_CORE_CREATE_VCPU",
            Self::DELETE_VCPU => "SVSM_CORE_DELETE_VCPU",
            Self::DEPOSIT_MEMORY => "SVSM_CORE_DEPOSIT_MEM",
            Self::WITHDRAW_MEMORY => "SVSM_CORE_WITHDRAW_MEM",
            Self::QUERY_PROTOCOL => "SVSM_CORE_QUERY_PROTOCOL",
            Self::CONFIGURE_VTOM => "SVSM_CORE_CONFIGURE_VTOM",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(CoreCallNumber);

/// A call of this protocol with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreCall {
    /// From now on, the calling processor's calling area is another.
    RemapCallingArea {
        /// RCX: the new one.
        calling_area: GuestPage,
    },
    /// Pages become validated or not: a [`ListHeader`](super::ListHeader), then
    /// words that are [`ValidationEntry`](super::ValidationEntry)s.
    Validate {
        /// RCX: the list.
        list: ListAddress,
    },
    /// A page becomes the save area of a virtual processor.
    CreateVcpu {
        /// RCX: the page, filled in.
        save_area: GuestPage,
        /// RDX: its calling area.
        calling_area: GuestPage,
        /// R8, bits 31:0: the processor that it shall run on.
        apic_id: u32,
    },
    /// A save area becomes a page again.
    DeleteVcpu {
        /// RCX: the page.
        save_area: GuestPage,
    },
    /// Pages become the module's: a [`ListHeader`](super::ListHeader), then
    /// words that are [`DepositEntry`](super::DepositEntry)s.
    DepositMemory {
        /// RCX: the list.
        list: ListAddress,
    },
    /// Pages that the module does not need become the guest's: it writes a
    /// [`WithdrawHeader`](super::WithdrawHeader), then their addresses.
    WithdrawMemory {
        /// RCX: where the list is to be written.
        list: ListAddress,
    },
    /// Is there such a protocol?
    QueryProtocol(ProtocolQuery),
    /// How addresses say that a page is private.
    ConfigureVtom(VtomRequest),
}

impl CoreCall {
    /// What these registers ask for, of which RAX counts as one of this
    /// protocol.
    ///
    /// # Errors
    ///
    /// The answer to the call: [`ResultCode::UNSUPPORTED_CALL`], or
    /// [`ResultCode::INVALID_PARAMETER`] if an address is not aligned or a
    /// reserved bit is set.
    pub fn decode(registers: &CallRegisters) -> Result<Self, ResultCode> {
        let page = |address| GuestPage::at(address).ok_or(ResultCode::INVALID_PARAMETER);
        let list = |address| ListAddress::at(address).ok_or(ResultCode::INVALID_PARAMETER);
        Ok(match CoreCallNumber(CallId::decode(registers.rax).call) {
            CoreCallNumber::REMAP_CALLING_AREA => {
                Self::RemapCallingArea { calling_area: page(registers.rcx)? }
            }
            CoreCallNumber::VALIDATE => Self::Validate { list: list(registers.rcx)? },
            CoreCallNumber::CREATE_VCPU => Self::CreateVcpu {
                save_area: page(registers.rcx)?,
                calling_area: page(registers.rdx)?,
                apic_id: registers.r8 as u32,
            },
            CoreCallNumber::DELETE_VCPU => Self::DeleteVcpu { save_area: page(registers.rcx)? },
            CoreCallNumber::DEPOSIT_MEMORY => Self::DepositMemory { list: list(registers.rcx)? },
            CoreCallNumber::WITHDRAW_MEMORY => Self::WithdrawMemory { list: list(registers.rcx)? },
            CoreCallNumber::QUERY_PROTOCOL => {
                Self::QueryProtocol(ProtocolQuery::decode(registers.rcx))
            }
            CoreCallNumber::CONFIGURE_VTOM => Self::ConfigureVtom(VtomRequest::decode(registers)?),
            _ => return Err(ResultCode::UNSUPPORTED_CALL),
        })
    }

    /// The number of the call.
    #[must_use]
    pub const fn number(self) -> CoreCallNumber {
        match self {
            Self::RemapCallingArea { .. } => CoreCallNumber::REMAP_CALLING_AREA,
            Self::Validate { .. } => CoreCallNumber::VALIDATE,
            Self::CreateVcpu { .. } => CoreCallNumber::CREATE_VCPU,
            Self::DeleteVcpu { .. } => CoreCallNumber::DELETE_VCPU,
            Self::DepositMemory { .. } => CoreCallNumber::DEPOSIT_MEMORY,
            Self::WithdrawMemory { .. } => CoreCallNumber::WITHDRAW_MEMORY,
            Self::QueryProtocol(_) => CoreCallNumber::QUERY_PROTOCOL,
            Self::ConfigureVtom(_) => CoreCallNumber::CONFIGURE_VTOM,
        }
    }

    /// The registers that ask for it; those that it does not name are 0.
    #[must_use]
    pub const fn encode(self) -> CallRegisters {
        let id = CallId { protocol: Protocol::CORE, call: self.number().0 };
        let mut registers = CallRegisters { rax: id.encode(), rcx: 0, rdx: 0, r8: 0, r9: 0 };
        match self {
            Self::RemapCallingArea { calling_area } => registers.rcx = calling_area.address(),
            Self::CreateVcpu { save_area, calling_area, apic_id } => {
                registers.rcx = save_area.address();
                registers.rdx = calling_area.address();
                registers.r8 = apic_id as u64;
            }
            Self::DeleteVcpu { save_area } => registers.rcx = save_area.address(),
            Self::Validate { list }
            | Self::DepositMemory { list }
            | Self::WithdrawMemory { list } => registers.rcx = list.address(),
            Self::QueryProtocol(query) => registers.rcx = query.encode(),
            Self::ConfigureVtom(request) => request.encode(&mut registers),
        }
        registers
    }
}
