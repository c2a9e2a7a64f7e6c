//! What protection this guest runs with.

use abi_snp::SevFeatures;

use super::guest_registers::{GuestRegister, read};
use crate::stop_reason::StopReason;

/// Features that change nothing for the kernel, and those that it knows how to
/// live with.
const SUITABLE: SevFeatures = SevFeatures::SNP_ACTIVE
    .union(SevFeatures::RESTRICTED_INJECTION)
    .union(SevFeatures::DEBUG_SWAP)
    .union(SevFeatures::PREVENT_HOST_IBS)
    .union(SevFeatures::BTB_ISOLATION)
    .union(SevFeatures::SECURE_TSC)
    .union(SevFeatures::VMGEXIT_PARAMETER)
    .union(SevFeatures::PMC_VIRTUALIZATION)
    .union(SevFeatures::IBS_VIRTUALIZATION)
    .union(SevFeatures::SMT_PROTECTION)
    .union(SevFeatures::IBPB_ON_ENTRY);

/// Bits 63:2 of the register hold the features; bits 0 and 1 are SEV and SEV-ES.
const FEATURES_SHIFT: u32 = 2;

/// The features that this processor runs with, out of the register that tells
/// [APM 24593 §15.34.10]. No host can change what it says.
pub(crate) fn features() -> SevFeatures {
    SevFeatures::from_bits_retain(read(GuestRegister::SevStatus) >> FEATURES_SHIFT)
}

/// Checks that the kernel can run with these features.
///
/// # Errors
///
/// SEV-SNP is not active, or there are features that would have to be handled
/// and are not.
pub(super) fn check(features: SevFeatures) -> Result<(), StopReason> {
    let suitable = features.contains(SevFeatures::SNP_ACTIVE) && SUITABLE.contains(features);
    if suitable { Ok(()) } else { Err(StopReason::SevFeatures) }
}
