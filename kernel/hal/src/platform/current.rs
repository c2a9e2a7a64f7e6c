//! The platform that the kernel runs on.

use core::sync::atomic::{AtomicU32, Ordering};

use super::interface::Platform;
use super::native::Native;
use super::snp::Snp;
use super::unknown::Unknown;

/// Number of the platform in the boot block; 0, which no platform has, until
/// [`choose`] is called.
static CURRENT: AtomicU32 = AtomicU32::new(0);

/// Makes `platform` the one that [`current`] returns, and prepares it.
pub(crate) fn choose(platform: abi_boot::Platform) {
    CURRENT.store(platform.0, Ordering::Relaxed);
    current().prepare();
}

/// The platform that was chosen.
pub(crate) fn current() -> &'static dyn Platform {
    match abi_boot::Platform(CURRENT.load(Ordering::Relaxed)) {
        abi_boot::Platform::NATIVE => &Native,
        abi_boot::Platform::SNP => &Snp,
        _ => &Unknown,
    }
}
