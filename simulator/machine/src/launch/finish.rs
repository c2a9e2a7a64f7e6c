//! `SNP_LAUNCH_FINISH`: the last command of a launch [SNP ABI 56860 §8.18].

use abi_snp::TscInfo;

use crate::guest_tsc;
use crate::launch::guest::LaunchedGuest;
use crate::launch::identity::{Identity, IdentityRefusal, Owner};
use crate::launch::start::Launch;

/// What the host says about the guest after its last page.
#[derive(Clone, Copy, Debug)]
pub struct FinishParameters<'a> {
    /// Whose guest it is; `None` without an ID block.
    pub identity: Option<Identity<'a>>,
    /// Anything that reports shall hold.
    pub host_data: [u8; 32],
}

impl Launch<'_> {
    /// Ends the launch: the guest can run.
    ///
    /// # Errors
    ///
    /// The ID block is not for this guest, or its signatures do not hold.
    pub fn finish(
        self,
        parameters: FinishParameters<'_>,
    ) -> Result<LaunchedGuest, IdentityRefusal> {
        let FinishParameters { identity, host_data } = parameters;
        let (measurement, policy) = (self.digest(), self.parameters.policy);
        let owner =
            identity.map(|identity| Owner::check(identity, measurement, policy)).transpose()?;
        let scale = guest_tsc::scale(self.parameters.tsc_khz, self.platform.tsc_khz);
        Ok(LaunchedGuest {
            report_id: self.secrets.report_id(),
            secrets: self.secrets,
            owner,
            measurement,
            policy,
            host_data,
            launch_tcb: self.platform.current_tcb,
            launch_mitigations: self.platform.mitigations,
            tsc: TscInfo { scale, offset: 0, factor: self.platform.tsc_factor },
        })
    }
}
