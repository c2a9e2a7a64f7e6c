//! How a call went: RAX afterwards.

/// Open enumeration of results [SVSM 58019 §5, table 4]: 32 bits, those above
/// do not count. Values from 0x1000 to 0x3fff_ffff and from 0x8000_1000 on are
/// each protocol's own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultCode(pub u32);

impl ResultCode {
    /// All is done.
    pub const SUCCESS: Self = Self(0);
    /// A part is done: the guest calls again to go on.
    pub const INCOMPLETE: Self = Self(0x8000_0000);
    /// There is no such protocol.
    pub const UNSUPPORTED_PROTOCOL: Self = Self(0x8000_0001);
    /// The protocol has no such call.
    pub const UNSUPPORTED_CALL: Self = Self(0x8000_0002);
    /// An address is not one that the call may be given.
    pub const INVALID_ADDRESS: Self = Self(0x8000_0003);
    /// The byte that announces a call has a reserved value.
    pub const INVALID_FORMAT: Self = Self(0x8000_0004);
    /// An argument makes no sense, or an address is not aligned.
    pub const INVALID_PARAMETER: Self = Self(0x8000_0005);
    /// The call makes sense and cannot be served.
    pub const INVALID_REQUEST: Self = Self(0x8000_0006);
    /// Not now: the guest may call again.
    pub const BUSY: Self = Self(0x8000_0007);

    /// Core protocol: the save area is in use, or its page is. It is what
    /// [`Self::of_instruction`] makes of `FAIL_INUSE` [SVSM 58019 §6.4].
    pub const IN_USE: Self = Self(0x8000_1003);
    /// Core protocol: pages of 4 KiB where 2 MiB were asked for, or the other
    /// way round [SVSM 58019 §6.2].
    pub const SIZE_MISMATCH: Self = Self(0x8000_1006);
    /// Core protocol: PVALIDATE found the page as it was to become, and the
    /// entry did not say to ignore that [SVSM 58019 §6.2].
    pub const UNCHANGED: Self = Self(0x8000_1010);
    /// Core protocol: PVALIDATE or RMPADJUST returned a value above 15
    /// [SVSM 58019 §6.2].
    pub const UNKNOWN_RETURN_CODE: Self = Self(0x8000_1011);

    const MEMORY_REQUIRED: u32 = 0x4000_0000;

    /// The result for what PVALIDATE or RMPADJUST left in EAX, in the core
    /// protocol.
    #[must_use]
    pub const fn of_instruction(eax: u32) -> Self {
        match eax {
            0 => Self::SUCCESS,
            1..=0xf => Self(0x8000_1000 | eax),
            _ => Self::UNKNOWN_RETURN_CODE,
        }
    }

    /// The module needs that many pages of 4 KiB more, which the guest gives
    /// with a [`DepositMemory`](crate::core_protocol::CoreCall::DepositMemory);
    /// more than 2^30 - 1 cannot be said.
    #[must_use]
    pub const fn memory_required(pages: u32) -> Self {
        let most = Self::MEMORY_REQUIRED - 1;
        Self(Self::MEMORY_REQUIRED | if pages < most { pages } else { most })
    }

    /// How many pages the module needs more, `None` if the result is another.
    #[must_use]
    pub const fn pages_required(self) -> Option<u32> {
        match self.0 {
            0x4000_0000..=0x7fff_ffff => Some(self.0 - Self::MEMORY_REQUIRED),
            _ => None,
        }
    }

    /// Whether the call did what it was to do.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 < Self::MEMORY_REQUIRED
    }

    /// The result that RAX says.
    #[must_use]
    pub const fn from_rax(rax: u64) -> Self {
        Self(rax as u32)
    }

    /// The value of RAX.
    #[must_use]
    pub const fn rax(self) -> u64 {
        self.0 as u64
    }

    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SUCCESS => "success",
            Self::INCOMPLETE => "incomplete",
            Self::UNSUPPORTED_PROTOCOL => "unsupported protocol",
            Self::UNSUPPORTED_CALL => "unsupported call",
            Self::INVALID_ADDRESS => "invalid address",
            Self::INVALID_FORMAT => "invalid format",
            Self::INVALID_PARAMETER => "invalid parameter",
            Self::INVALID_REQUEST => "invalid request",
            Self::BUSY => "busy",
            Self::IN_USE => "in use",
            Self::SIZE_MISMATCH => "size mismatch",
            Self::UNCHANGED => "unchanged",
            Self::UNKNOWN_RETURN_CODE => "unknown return code",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(ResultCode);

#[cfg(test)]
mod tests {
    extern crate std;

    use abi_snp::ReturnCode;
    use std::string::ToString;

    use super::*;

    #[test]
    fn instructions() {
        let of = |code: ReturnCode| ResultCode::of_instruction(code.number());
        assert_eq!(of(ReturnCode::Success), ResultCode::SUCCESS);
        assert_eq!(of(ReturnCode::FailInUse), ResultCode::IN_USE);
        assert_eq!(of(ReturnCode::FailSizeMismatch), ResultCode::SIZE_MISMATCH);
        assert_eq!(ResultCode::of_instruction(15), ResultCode(0x8000_100f));
        assert_eq!(ResultCode::of_instruction(16), ResultCode::UNKNOWN_RETURN_CODE);
        assert_eq!(ResultCode::of_instruction(u32::MAX), ResultCode::UNKNOWN_RETURN_CODE);
    }

    #[test]
    fn memory_required() {
        assert_eq!(ResultCode::memory_required(3), ResultCode(0x4000_0003));
        assert_eq!(ResultCode::memory_required(u32::MAX), ResultCode(0x7fff_ffff));
        assert_eq!(ResultCode(0x7fff_ffff).pages_required(), Some(0x3fff_ffff));
        assert_eq!(ResultCode::BUSY.pages_required(), None);
        assert_eq!(ResultCode::SUCCESS.pages_required(), None);
    }

    #[test]
    fn registers_and_names() {
        assert_eq!(ResultCode::BUSY.rax(), 0x8000_0007);
        assert_eq!(ResultCode::from_rax(0xffff_ffff_8000_0007), ResultCode::BUSY);
        assert!(ResultCode(0x1000).is_success() && !ResultCode(0x4000_0000).is_success());
        assert_eq!(ResultCode::INVALID_ADDRESS.to_string(), "invalid address");
        assert_eq!(ResultCode(0x8000_1002).to_string(), "unknown (0x80001002)");
    }
}
