//! Model-specific registers that belong to the guest alone.
//!
//! The processor loads them from the VMSA and stores them there, or answers for
//! them itself: reading or writing one never is a #VC exception. That these are
//! all, and that none of them is one, is as Linux relies on it; the manual names
//! the first two [APM 24593 §15.34.10, §15.35.7].

use abi_snp::SevFeatures;
use abi_x86::Msr;

/// Registers that a guest reads and writes without leave, in every SNP guest.
///
/// An emulated processor has most of them, and a hypervisor need not intercept
/// those. The others are for it to stand in for: GHCB, `SEV_STATUS`, XSS,
/// `SPEC_CTRL` and `PRED_CMD`.
pub const OWN_MSRS: [Msr; 18] = [
    Msr::GHCB,
    Msr::SEV_STATUS,
    Msr::EFER,
    Msr::PAT,
    Msr::STAR,
    Msr::LSTAR,
    Msr::CSTAR,
    Msr::SFMASK,
    Msr::FS_BASE,
    Msr::GS_BASE,
    Msr::KERNEL_GS_BASE,
    Msr::SYSENTER_CS,
    Msr::SYSENTER_ESP,
    Msr::SYSENTER_EIP,
    XSS,
    TSC_AUX,
    SPEC_CTRL,
    PRED_CMD,
];

/// XSS [APM 24593 §11.5].
const XSS: Msr = Msr(0x0000_0da0);
/// `TSC_AUX` [APM 24594, RDTSCP].
const TSC_AUX: Msr = Msr(0xc000_0103);
/// Restrictions of speculation [APM 24593 §3.2.9].
const SPEC_CTRL: Msr = Msr(0x0000_0048);
/// Discards branch predictions [APM 24593 §3.2.9].
const PRED_CMD: Msr = Msr(0x0000_0049);
/// Frequency of the guest's time stamp counter in MHz: with Secure TSC the guest
/// reads it, and writing it is #GP(0) [APM 24593 §15.36.18].
pub const GUEST_TSC_FREQUENCY: Msr = Msr(0xc001_0134);

/// Whether `msr` belongs to a guest that runs with `features`.
pub(crate) fn is_own(msr: Msr, features: SevFeatures) -> bool {
    OWN_MSRS.contains(&msr)
        || msr == GUEST_TSC_FREQUENCY && features.contains(SevFeatures::SECURE_TSC)
}
