//! What a TPM borrows, for fuzz targets: repeatable, so that what is found can be
//! repeated.

use tpm::{Clock, Device, Entropy, EntropyError, MemoryStore, PhysicalPresence, Platform};
use tpm_crypto::portable::Portable;

/// TPM2_Startup(CLEAR).
pub const STARTUP: [u8; 12] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0];

/// All of it.
#[derive(Default)]
pub struct Surroundings {
    entropy: Counting,
    pub clock: Manual,
    pub store: MemoryStore,
}

impl Surroundings {
    /// With this content of the store.
    pub fn with(records: impl IntoIterator<Item = (u32, Vec<u8>)>) -> Self {
        let records = records.into_iter().map(|(key, content)| (key, content.into())).collect();
        Self { store: MemoryStore { records }, ..Self::default() }
    }

    /// With a new device in the store.
    pub fn manufactured() -> Self {
        let mut new = Self::default();
        Device::manufacture(&mut new.platform()).expect("an empty store takes a device");
        new
    }

    pub fn platform(&mut self) -> Platform<'_> {
        Platform {
            entropy: &mut self.entropy,
            clock: &self.clock,
            store: &mut self.store,
            provider: &Portable,
            presence: PhysicalPresence::Asserted,
        }
    }
}

/// Executes a command; its response is one.
pub fn execute(
    device: &mut Device,
    surroundings: &mut Surroundings,
    locality: u8,
    command: &[u8],
) -> Vec<u8> {
    let response = device.execute(&mut surroundings.platform(), locality, command);
    assert!((10..=4096).contains(&response.len()));
    let size = response[2..6].try_into().map(u32::from_be_bytes).ok();
    assert_eq!(size, Some(response.len() as u32));
    response
}

/// A clock set by hand, in milliseconds.
#[derive(Default)]
pub struct Manual(pub u64);

impl Clock for Manual {
    fn now_ms(&self) -> u64 {
        self.0
    }
}

#[derive(Default)]
struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}
