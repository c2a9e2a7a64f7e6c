//! Handles: a type in the upper byte, a number below [Part 2 §7].

/// What the upper byte of a handle says it is (TPM_HT) [Part 2 §7.2].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandleType {
    Pcr,
    NvIndex,
    HmacSession,
    PolicySession,
    Permanent,
    Transient,
    Persistent,
}

impl HandleType {
    /// The type of `handle`, if it has a known one.
    pub(crate) const fn of(handle: u32) -> Option<Self> {
        Some(match handle >> 24 {
            0x00 => Self::Pcr,
            0x01 => Self::NvIndex,
            0x02 => Self::HmacSession,
            0x03 => Self::PolicySession,
            0x40 => Self::Permanent,
            0x80 => Self::Transient,
            0x81 => Self::Persistent,
            _ => return None,
        })
    }
}

/// The first handle of sessions with HMAC.
pub(crate) const FIRST_HMAC_SESSION: u32 = 0x0200_0000;
/// The first handle of policy sessions.
pub(crate) const FIRST_POLICY_SESSION: u32 = 0x0300_0000;
/// The first handle of loaded objects.
pub(crate) const FIRST_TRANSIENT: u32 = 0x8000_0000;
/// TPM_RH_OWNER: the storage hierarchy.
pub(crate) const OWNER: u32 = 0x4000_0001;
/// TPM_RH_NULL: no hierarchy, no handle.
pub(crate) const NULL: u32 = 0x4000_0007;
/// TPM_RS_PW: the password "session".
pub(crate) const PASSWORD: u32 = 0x4000_0009;
/// TPM_RH_LOCKOUT.
pub(crate) const LOCKOUT: u32 = 0x4000_000A;
/// TPM_RH_ENDORSEMENT.
pub(crate) const ENDORSEMENT: u32 = 0x4000_000B;
/// TPM_RH_PLATFORM.
pub(crate) const PLATFORM: u32 = 0x4000_000C;
/// TPM_RH_AUTH_00 to TPM_RH_AUTH_FF: entities that vendors may have [Part 2 §9.8].
pub(crate) const VENDOR_ENTITIES: core::ops::RangeInclusive<u32> = 0x4000_0010..=0x4000_010F;
/// TPM_RH_ACT_0: the first of sixteen authenticated countdown timers.
pub(crate) const FIRST_TIMER: u32 = 0x4000_0110;
/// TPM_RH_ACT_F: the last one.
pub(crate) const LAST_TIMER: u32 = FIRST_TIMER + 0xF;
/// TPM_RH_PLATFORM_NV: the enable of the platform's NV indices.
pub(crate) const PLATFORM_NV: u32 = 0x4000_000D;
