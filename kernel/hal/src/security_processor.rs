//! The security processor of AMD SEV-SNP: the way to it, and what it has given
//! this machine.
//!
//! Its messages are sealed by whoever sends them (`MessageCarrier` carries pages
//! whose content it does not know), with keys from the secrets page, which
//! `take_secrets` gives out once. On other platforms there is neither.

#[cfg(target_os = "none")]
use abi_boot::Platform;
#[cfg(target_os = "none")]
use abi_snp::{SecretsPage, TscInfo};

pub use crate::carry_error::{CarryError, NoCarrierError};
#[cfg(target_os = "none")]
use crate::image::boot_block;
#[cfg(target_os = "none")]
use crate::snp;
#[cfg(target_os = "none")]
pub use crate::snp::MessageCarrier;

/// Most pages of certificates that a host may have: 256 KiB. A chain for one
/// processor takes 2.
pub const MOST_CERTIFICATE_PAGES: u32 = 64;

/// The secrets page: to the first who asks, with all its keys. `None` on other
/// platforms and afterwards.
///
/// Nobody else reads it. Whoever has it wipes the keys of levels that it does
/// not hand on.
#[cfg(target_os = "none")]
#[must_use]
pub fn take_secrets() -> Option<&'static mut SecretsPage> {
    is_there().then(snp::take_secrets).flatten()
}

/// Whether other processors can be started only if the kernel says how their
/// time stamp counters run ([`set_time_stamp_parameters`]): with Secure TSC.
#[cfg(target_os = "none")]
#[must_use]
pub fn needs_time_stamp_parameters() -> bool {
    is_there() && snp::has_secure_tsc()
}

/// Notes how the time stamp counters of other processors run, as the security
/// processor tells by `MSG_TSC_INFO_REQ`. Only the first time counts: counters
/// of a running machine do not change.
#[cfg(target_os = "none")]
pub fn set_time_stamp_parameters(info: TscInfo) {
    snp::set_time_stamp_parameters(info);
}

/// Whether the machine has a security processor that speaks with guests.
#[cfg(target_os = "none")]
fn is_there() -> bool {
    boot_block().platform == Platform::SNP
}
