//! `SNP_LAUNCH_START`: the first command of a launch [SNP ABI 56860].

use core::num::NonZero;

use abi_snp::{Digest, Policy};
use snp_launch::LaunchDigest;

use crate::launch::policy::{self, PolicyViolation};
use crate::launch::secrets::GuestSecrets;
use crate::platform::Platform;

/// What the host says about the guest before its first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartParameters {
    /// What the guest's owner allows and demands.
    pub policy: Policy,
    /// `GOSVW`: workarounds that the hypervisor announces to the guest.
    pub guest_os_workarounds: [u8; 16],
    /// `DESIRED_TSC_FREQ`: frequency of the guest's time stamp counter with
    /// Secure TSC; `None` for the processor's.
    pub tsc_khz: Option<NonZero<u32>>,
}

/// A launch that is under way.
#[derive(Debug)]
pub struct Launch<'p> {
    pub(super) platform: &'p Platform,
    pub(super) parameters: StartParameters,
    pub(super) secrets: GuestSecrets,
    pub(super) digest: LaunchDigest,
}

impl<'p> Launch<'p> {
    /// Starts the launch of a guest on `platform`. Keys and identifier of the
    /// guest are derived from `seed`, which belongs to no other guest.
    ///
    /// # Errors
    ///
    /// The platform cannot keep the policy.
    pub fn start(
        platform: &'p Platform,
        parameters: StartParameters,
        seed: [u8; 32],
    ) -> Result<Self, PolicyViolation> {
        policy::check(parameters.policy, platform)?;
        let secrets = GuestSecrets::new(seed);
        Ok(Self { platform, parameters, secrets, digest: LaunchDigest::new() })
    }

    /// The launch digest over all pages so far.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest.value()
    }
}
