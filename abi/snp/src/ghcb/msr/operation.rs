//! What a value of the GHCB MSR is: its bits 11:0, `GHCBInfo`.

use core::fmt;

/// Open enumeration of operations [GHCB 56421 2.04 §2.3.1].
///
/// Hypervisors and guests of other makers use numbers beyond these for their
/// own purposes, 0xf00 and above by convention.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsrOperation(pub u16);

impl MsrOperation {
    /// The address of the page that holds a request.
    pub const GHCB: Self = Self(0x000);
    /// Answer to [`Self::SEV_INFORMATION_REQUEST`], and what the register
    /// holds when a processor starts.
    pub const SEV_INFORMATION_RESPONSE: Self = Self(0x001);
    /// Which protocol versions, which C-bit?
    pub const SEV_INFORMATION_REQUEST: Self = Self(0x002);
    /// One register of one CPUID function.
    pub const CPUID_REQUEST: Self = Self(0x004);
    /// Answer to [`Self::CPUID_REQUEST`].
    pub const CPUID_RESPONSE: Self = Self(0x005);
    /// Wait for a start-up interrupt.
    pub const AP_RESET_HOLD_REQUEST: Self = Self(0x006);
    /// Answer to [`Self::AP_RESET_HOLD_REQUEST`].
    pub const AP_RESET_HOLD_RESPONSE: Self = Self(0x007);
    /// Where would the hypervisor like to have the page?
    pub const PREFERRED_GHCB_REQUEST: Self = Self(0x010);
    /// Answer to [`Self::PREFERRED_GHCB_REQUEST`].
    pub const PREFERRED_GHCB_RESPONSE: Self = Self(0x011);
    /// Accept only this page from this processor.
    pub const REGISTER_GHCB_REQUEST: Self = Self(0x012);
    /// Answer to [`Self::REGISTER_GHCB_REQUEST`].
    pub const REGISTER_GHCB_RESPONSE: Self = Self(0x013);
    /// Make a page private or shared.
    pub const PAGE_STATE_REQUEST: Self = Self(0x014);
    /// Answer to [`Self::PAGE_STATE_REQUEST`].
    pub const PAGE_STATE_RESPONSE: Self = Self(0x015);
    /// Run another privilege level on this processor.
    pub const RUN_VMPL_REQUEST: Self = Self(0x016);
    /// Answer to [`Self::RUN_VMPL_REQUEST`], once the level runs again that
    /// asked.
    pub const RUN_VMPL_RESPONSE: Self = Self(0x017);
    /// Which features?
    pub const HYPERVISOR_FEATURES_REQUEST: Self = Self(0x080);
    /// Answer to [`Self::HYPERVISOR_FEATURES_REQUEST`].
    pub const HYPERVISOR_FEATURES_RESPONSE: Self = Self(0x081);
    /// End the guest.
    pub const TERMINATION_REQUEST: Self = Self(0x100);

    /// Bits that an operation has.
    const MASK: u64 = 0xfff;

    /// The operation of a value.
    #[must_use]
    pub const fn of(value: u64) -> Self {
        Self((value & Self::MASK) as u16)
    }

    /// A value of this operation with all else zero.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0 as u64 & Self::MASK
    }

    /// The operation's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::GHCB => "GHCB address",
            Self::SEV_INFORMATION_RESPONSE => "SEV information response",
            Self::SEV_INFORMATION_REQUEST => "SEV information request",
            Self::CPUID_REQUEST => "CPUID request",
            Self::CPUID_RESPONSE => "CPUID response",
            Self::AP_RESET_HOLD_REQUEST => "AP reset hold request",
            Self::AP_RESET_HOLD_RESPONSE => "AP reset hold response",
            Self::PREFERRED_GHCB_REQUEST => "preferred GHCB request",
            Self::PREFERRED_GHCB_RESPONSE => "preferred GHCB response",
            Self::REGISTER_GHCB_REQUEST => "GHCB registration request",
            Self::REGISTER_GHCB_RESPONSE => "GHCB registration response",
            Self::PAGE_STATE_REQUEST => "page state change request",
            Self::PAGE_STATE_RESPONSE => "page state change response",
            Self::RUN_VMPL_REQUEST => "run VMPL request",
            Self::RUN_VMPL_RESPONSE => "run VMPL response",
            Self::HYPERVISOR_FEATURES_REQUEST => "hypervisor features request",
            Self::HYPERVISOR_FEATURES_RESPONSE => "hypervisor features response",
            Self::TERMINATION_REQUEST => "termination request",
            _ => return None,
        })
    }
}

impl fmt::Display for MsrOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "unknown operation ({:#05x})", self.0),
        }
    }
}

impl fmt::Debug for MsrOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
