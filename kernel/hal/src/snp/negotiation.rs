//! What the host speaks and offers.

use abi_snp::ghcb::{
    AskHypervisorFeatures, AskSevInformation, HypervisorFeatures, PROTOCOL_VERSION,
};

use super::msr_protocol::ask;
use crate::stop_reason::StopReason;
use crate::sync::Once;

static OFFERED: Once<HypervisorFeatures> = Once::new();

/// Settles on a version of the protocol, and asks what the host offers.
///
/// What the host says of the C-bit is compared with `c_bit_mask`, which the
/// image was built with: it shows early, and in words, that image and machine do
/// not fit. What counts is the CPUID page.
///
/// # Errors
///
/// The host does not answer as the protocol has it, speaks no version that the
/// kernel does, names another C-bit or does not support SEV-SNP guests.
pub(super) fn negotiate(c_bit_mask: u64) -> Result<HypervisorFeatures, StopReason> {
    let information = ask(&AskSevInformation).map_err(|_| StopReason::HostMsrAnswer)?;
    if information.newest_common_version(PROTOCOL_VERSION..=PROTOCOL_VERSION).is_none() {
        return Err(StopReason::HostProtocolVersion);
    }
    if 1_u64.checked_shl(information.c_bit.into()) != Some(c_bit_mask) {
        return Err(StopReason::CBit);
    }
    let features = ask(&AskHypervisorFeatures).map_err(|_| StopReason::HostMsrAnswer)?;
    if features.contains(HypervisorFeatures::SNP) {
        assert!(OFFERED.set(features).is_ok(), "the protocol is settled once");
        Ok(features)
    } else {
        Err(StopReason::HostFeatures)
    }
}

/// What the host offers; nothing before [`negotiate`].
pub(super) fn offered() -> HypervisorFeatures {
    OFFERED.get().copied().unwrap_or(HypervisorFeatures::empty())
}
