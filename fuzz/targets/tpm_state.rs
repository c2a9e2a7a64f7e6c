//! The TPM's core record: bytes that are none are refused, any others give a
//! device that starts and answers, or refuses to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpm::{
    Change, Clock, Device, Entropy, EntropyError, PhysicalPresence, Platform, Store, StoreError,
};
use tpm_crypto::portable::Portable;

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        0
    }
}

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

/// One record, whatever is stored later.
struct Fixed<'a>(&'a [u8]);

impl Store for Fixed<'_> {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        Ok(vec![(0, self.0.to_vec())])
    }

    fn commit(&mut self, _: &[Change]) -> Result<(), StoreError> {
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    let (mut entropy, mut store) = (Counting(0), Fixed(input));
    let mut platform = Platform {
        entropy: &mut entropy,
        clock: &Still,
        store: &mut store,
        provider: &Portable,
        presence: PhysicalPresence::Absent,
    };
    let Ok(mut device) = Device::power_on(&mut platform) else { return };
    for command in [
        // Startup with state, then without; capabilities; PCRs; shutdown with state.
        &[0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 1][..],
        &[0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0],
        &[0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 6, 0, 0, 2, 0, 0, 0, 0, 64],
        &[0x80, 0x01, 0, 0, 0, 20, 0, 0, 0x01, 0x7E, 0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0xFF, 0xFF],
        &[0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 1],
    ] {
        let response = device.execute(&mut platform, 0, command);
        assert!((10..=4096).contains(&response.len()));
    }
});
