//! Can the platform keep the guest's policy?
//!
//! [SNP ABI 56860 §4.3 and `SNP_LAUNCH_START`]. Demands that concern what this platform
//! does not have are kept by themselves: CXL memory, a second socket, migration
//! agents, and the commands that debug a guest or swap its pages. So is the
//! demand for a cipher, as nothing is encrypted.

use abi_snp::{FirmwareStatus, PlatformInfo, Policy, PolicyFlags};

use crate::platform::Platform;

/// What a policy demands that the platform cannot keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// Bit 17 is zero, or one is set that has no meaning.
    #[error("the policy {0:?} is malformed: {0}")]
    Malformed(Policy),
    /// The firmware's ABI is older.
    #[error(
        "the policy demands firmware ABI {major}.{minor} or later: ask for less in the policy, \
        or give the platform newer firmware"
    )]
    AbiVersion {
        /// Major version that is demanded.
        major: u8,
        /// Minor version that is demanded.
        minor: u8,
    },
    /// Two threads run on a core.
    #[error("the policy forbids SMT, which the platform has")]
    Smt,
    /// Power can be measured.
    #[error("the policy forbids power measurement (RAPL), which the platform has")]
    Rapl,
    /// The host can read ciphertext.
    #[error("the policy demands that ciphertext is hidden, which the platform does not do")]
    CiphertextHiding,
}

impl PolicyViolation {
    /// What firmware tells the host.
    #[must_use]
    pub const fn status(self) -> FirmwareStatus {
        FirmwareStatus::POLICY_FAILURE
    }
}

/// Checks `policy` against `platform`.
pub(super) fn check(policy: Policy, platform: &Platform) -> Result<(), PolicyViolation> {
    if !policy.is_well_formed() {
        return Err(PolicyViolation::Malformed(policy));
    }
    let (major, minor) = (policy.abi_major(), policy.abi_minor());
    if (platform.firmware.major, platform.firmware.minor) < (major, minor) {
        return Err(PolicyViolation::AbiVersion { major, minor });
    }
    let (flags, info) = (policy.flags(), platform.info);
    if !flags.contains(PolicyFlags::SMT_ALLOWED) && info.contains(PlatformInfo::SMT_ENABLED) {
        return Err(PolicyViolation::Smt);
    }
    if flags.contains(PolicyFlags::RAPL_OFF_REQUIRED) && !info.contains(PlatformInfo::RAPL_DISABLED)
    {
        return Err(PolicyViolation::Rapl);
    }
    if flags.contains(PolicyFlags::CIPHERTEXT_HIDING_REQUIRED)
        && !info.contains(PlatformInfo::CIPHERTEXT_HIDING_ENABLED)
    {
        return Err(PolicyViolation::CiphertextHiding);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use abi_snp::FirmwareVersion;

    use super::*;
    use crate::launch::samples::platform;

    #[test]
    fn version_is_a_least_one() {
        let platform = Platform { firmware: FirmwareVersion::new(1, 55, 3), ..platform() };
        let demand =
            |major, minor| check(Policy::new(major, minor, PolicyFlags::SMT_ALLOWED), &platform);
        for (major, minor) in [(0, 0), (0, 200), (1, 0), (1, 55)] {
            assert_eq!(demand(major, minor), Ok(()));
        }
        for (major, minor) in [(1, 56), (2, 0)] {
            let violation = PolicyViolation::AbiVersion { major, minor };
            assert_eq!(demand(major, minor), Err(violation));
            assert_eq!(violation.status(), FirmwareStatus::POLICY_FAILURE);
        }
    }

    #[test]
    fn each_demand_is_compared_with_the_platform() {
        let with = |flags, info| check(Policy::new(0, 0, flags), &Platform { info, ..platform() });
        let cases = [
            (
                PolicyFlags::empty(),
                PlatformInfo::SMT_ENABLED,
                PlatformInfo::empty(),
                PolicyViolation::Smt,
            ),
            (
                PolicyFlags::RAPL_OFF_REQUIRED,
                PlatformInfo::empty(),
                PlatformInfo::RAPL_DISABLED,
                PolicyViolation::Rapl,
            ),
            (
                PolicyFlags::CIPHERTEXT_HIDING_REQUIRED,
                PlatformInfo::empty(),
                PlatformInfo::CIPHERTEXT_HIDING_ENABLED,
                PolicyViolation::CiphertextHiding,
            ),
        ];
        for (flags, unfit, fit, violation) in cases {
            assert_eq!(with(flags, unfit), Err(violation));
            assert_eq!(with(flags, fit), Ok(()));
        }
        // Allowing is not demanding.
        let allowed = PolicyFlags::SMT_ALLOWED
            | PolicyFlags::MIGRATION_AGENT_ALLOWED
            | PolicyFlags::DEBUG_ALLOWED
            | PolicyFlags::CXL_ALLOWED;
        assert_eq!(with(allowed, PlatformInfo::empty()), Ok(()));
    }

    #[test]
    fn malformed_policies_are_refused() {
        for bits in [0, 1 << 16, 1 << 17 | 1 << 26, 1 << 17 | 1 << 63] {
            let policy = Policy::from_bits(bits);
            assert_eq!(check(policy, &platform()), Err(PolicyViolation::Malformed(policy)));
        }
    }
}
