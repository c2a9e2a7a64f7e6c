//! What the security processor makes up for a guest: its keys and its name in
//! reports.

use core::fmt;

use abi_snp::{SecretsPage, Vmpck};
use zerocopy::{FromZeros, IntoBytes};
use zeroize::{Zeroize, Zeroizing};

use crate::key_derivation::{Secret, derive};
use crate::platform::Platform;

/// Where a guest's random numbers come from. The same seed, the same secrets.
pub(crate) struct GuestSecrets {
    seed: Secret,
}

impl GuestSecrets {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed) }
    }

    /// The keys of the guest's messages, by privilege level.
    pub(crate) fn message_keys(&self) -> [Vmpck; 4] {
        [0, 1, 2, 3].map(|level: u8| {
            let key = derive(&*self.seed, "message key", &[level]);
            zerocopy::transmute!(*key)
        })
    }

    /// `VMRK`: the guest's own root key.
    pub(crate) fn root_key(&self) -> Secret {
        derive(&*self.seed, "guest root key", &[])
    }

    /// `REPORT_ID`: what the guest is called in reports. Not a secret.
    pub(super) fn report_id(&self) -> [u8; 32] {
        *derive(&*self.seed, "report identifier", &[])
    }
}

impl fmt::Debug for GuestSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestSecrets(redacted)")
    }
}

/// Version of the secrets page that firmware before 1.58 writes.
const VERSION: u32 = 3;

/// The secrets page of a launch [SNP ABI 56860 §8.17, `PAGE_TYPE_SECRETS`]. Registers of save
/// areas are not masked, so the bitmap that says where is zero.
pub(super) fn page(
    secrets: &GuestSecrets,
    guest_os_workarounds: [u8; 16],
    platform: &Platform,
) -> Zeroizing<[u8; 4096]> {
    let mut page = SecretsPage::new_zeroed();
    page.version = VERSION;
    page.family_model_stepping = platform.cpuid.signature();
    page.guest_os_workarounds = guest_os_workarounds;
    page.vmpck = secrets.message_keys();
    page.tsc_factor = platform.tsc_factor;
    let mut bytes = Zeroizing::new([0; 4096]);
    page.write_to(&mut bytes[..]).unwrap_or_else(|_| unreachable!("both have 4096 bytes"));
    page.vmpck.as_mut_bytes().zeroize();
    bytes
}
