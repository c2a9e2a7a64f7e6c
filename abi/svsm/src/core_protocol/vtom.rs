//! Private pages by address: the virtual top of memory.
//!
//! With it, addresses below a limit are private and those above are shared,
//! and no page-table bit says so [APM 24593 §15.36.8].

use crate::registers::CallRegisters;
use crate::result_code::ResultCode;

/// What a guest wants [SVSM 58019 §6.8, table 9].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VtomRequest {
    /// To know whether it can have a virtual top of memory.
    Query,
    /// To change it.
    Configure(VtomChange),
}

/// How the calling processor is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VtomChange {
    /// RCX, bits 1 and 63:12: the limit, a multiple of 4096, `None` without.
    pub limit: Option<u64>,
    /// RCX bit 2 and RDX: the new CR3.
    pub cr3: Option<u64>,
    /// RCX bit 3 and R8: the new RIP.
    pub rip: Option<u64>,
    /// RCX bit 4 and R9: the new RSP.
    pub rsp: Option<u64>,
}

const QUERY: u64 = 1;
const ENABLE: u64 = 1 << 1;
const SET_CR3: u64 = 1 << 2;
const SET_RIP: u64 = 1 << 3;
const SET_RSP: u64 = 1 << 4;
const RESERVED: u64 = 0xfe0;
const LIMIT: u64 = !0xfff;

impl VtomRequest {
    /// What these registers ask for.
    ///
    /// # Errors
    ///
    /// [`ResultCode::INVALID_PARAMETER`]: bits are set that must be zero, or
    /// there is a limit for a guest that wants none.
    pub fn decode(registers: &CallRegisters) -> Result<Self, ResultCode> {
        let rcx = registers.rcx;
        let has = |bit| rcx & bit != 0;
        if rcx == QUERY {
            return Ok(Self::Query);
        }
        if has(QUERY) || has(RESERVED) || !has(ENABLE) && has(LIMIT) {
            return Err(ResultCode::INVALID_PARAMETER);
        }
        Ok(Self::Configure(VtomChange {
            limit: has(ENABLE).then_some(rcx & LIMIT),
            cr3: has(SET_CR3).then_some(registers.rdx),
            rip: has(SET_RIP).then_some(registers.r8),
            rsp: has(SET_RSP).then_some(registers.r9),
        }))
    }

    /// Puts it into RCX, RDX, R8 and R9.
    pub(super) const fn encode(self, registers: &mut CallRegisters) {
        let Self::Configure(change) = self else {
            registers.rcx = QUERY;
            return;
        };
        if let Some(limit) = change.limit {
            registers.rcx |= ENABLE | limit & LIMIT;
        }
        if let Some(cr3) = change.cr3 {
            registers.rcx |= SET_CR3;
            registers.rdx = cr3;
        }
        if let Some(rip) = change.rip {
            registers.rcx |= SET_RIP;
            registers.r8 = rip;
        }
        if let Some(rsp) = change.rsp {
            registers.rcx |= SET_RSP;
            registers.r9 = rsp;
        }
    }
}

/// The answer to [`VtomRequest::Query`] in RCX: bit 1 says that there is
/// support; bits 19:12 then say how limits are aligned, and RDX and R8 which
/// limits there are. A module without support leaves those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VtomSupport {
    /// There is none.
    None,
    /// There is.
    Limits {
        /// Limits are multiples of 2 to the power of this.
        alignment: u8,
        /// RDX: the lowest. That it is this register is from memory.
        lowest: u64,
        /// R8: the highest.
        highest: u64,
    },
}

impl VtomSupport {
    /// Puts the answer into registers.
    pub const fn encode(self, registers: &mut CallRegisters) {
        match self {
            Self::None => registers.rcx = 0,
            Self::Limits { alignment, lowest, highest } => {
                registers.rcx = ENABLE | (alignment as u64) << 12;
                registers.rdx = lowest;
                registers.r8 = highest;
            }
        }
    }
}
