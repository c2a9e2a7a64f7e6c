//! TPM commands: no sequence of commands makes the device panic, every response
//! is well-formed, and what was stored can be loaded again.
//!
//! The input is commands one behind the other, each behind its length in two
//! bytes and the locality it comes from.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use tpm::{
    Change, Clock, Device, Entropy, EntropyError, PhysicalPresence, Platform, Store, StoreError,
};
use tpm_crypto::portable::Portable;

const STARTUP: [u8; 12] = [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0];

struct Still;

impl Clock for Still {
    fn now_ms(&self) -> u64 {
        0
    }
}

/// Repeatable, so that what is found can be repeated.
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

#[derive(Default)]
struct Memory(BTreeMap<u32, Vec<u8>>);

impl Store for Memory {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        Ok(self.0.iter().map(|(key, content)| (*key, content.clone())).collect())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match &change.content {
                Some(content) => self.0.insert(change.key, content.clone()),
                None => self.0.remove(&change.key),
            };
        }
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    let (mut entropy, mut store) = (Counting(0), Memory::default());
    let mut platform = Platform {
        entropy: &mut entropy,
        clock: &Still,
        store: &mut store,
        provider: &Portable,
        presence: PhysicalPresence::Asserted,
    };
    Device::manufacture(&mut platform).expect("an empty store takes a device");
    let mut device = Device::power_on(&mut platform).expect("it was just made");
    assert_eq!(device.execute(&mut platform, 0, &STARTUP).len(), 10);
    let mut rest = input;
    while let Some(([high, low, locality], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (command, after) = after.split_at(length);
        rest = after;
        let response = device.execute(&mut platform, locality % 5, command);
        assert!((10..=4096).contains(&response.len()));
        let size = response[2..6].try_into().map(u32::from_be_bytes).ok();
        assert_eq!(size, Some(response.len() as u32));
    }
    Device::power_on(&mut platform).expect("a device can read what it wrote");
});
