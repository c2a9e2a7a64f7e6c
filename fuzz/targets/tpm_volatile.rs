//! The TPM's volatile record: bytes that are none are refused, any others give a
//! device that goes on and answers, and whose own record is taken.
//!
//! The input is the record behind its version and the digest of the others, which
//! are put in front of it: no fuzzer finds a digest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpm::{Device, VOLATILE_RECORD};
use tpm_crypto::hash::HashAlgorithm;

use self::surroundings::{Surroundings, execute};

#[allow(dead_code, reason = "each target uses a part")]
#[path = "tpm/surroundings.rs"]
mod surroundings;

/// Version, and the size of the digest.
const HEADER: [u8; 6] = [0, 0, 0, 2, 0, 32];

fuzz_target!(|input: &[u8]| {
    let mut surroundings = Surroundings::manufactured();
    let core = &surroundings.store.records[&0];
    let parts = [&[0; 4], &(core.len() as u64).to_be_bytes()[..], core];
    let digest = HashAlgorithm::Sha256.digest(&parts);
    let record = [&HEADER, digest.as_bytes(), input].concat();
    surroundings.store.records.insert(VOLATILE_RECORD, record.into());
    let Ok(mut device) = Device::power_on(&mut surroundings.platform()) else { return };
    surroundings.clock.0 += 1000;
    for command in [
        // Clock; PCRs; contexts of three objects, three sessions; a sequence's end; a
        // hash's; an event's; a policy's digest; a promise; a timer; shutdown with state.
        &[0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x81][..],
        &[0x80, 1, 0, 0, 0, 20, 0, 0, 1, 0x7E, 0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0xFF, 0xFF],
        &[0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x62, 0x80, 0, 0, 0],
        &[0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x62, 0x80, 0, 0, 1],
        &[0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x62, 0x80, 0, 0, 2],
        &[0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x89, 3, 0, 0, 1],
        &[0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x62, 3, 0, 0, 1],
        &[0x80, 1, 0, 0, 0, 14, 0, 0, 1, 0x62, 2, 0, 0, 0],
        &[
            0x80, 2, 0, 0, 0, 35, 0, 0, 1, 0x3E, 0x80, 0, 0, 2, 0, 0, 0, 11, 0x40, 0, 0, 9, 0, 0,
            0, 0, 2, b'p', b'w', 0, 0, 0x40, 0, 0, 7,
        ],
        &[0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x8E, 0, 3],
        &[0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7A, 0, 0, 0, 10, 0x40, 0, 1, 0x10, 0, 0, 0, 16],
        &[0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x45, 0, 1],
    ] {
        execute(&mut device, &mut surroundings, 0, command);
    }
    device.keep_volatile_state(&mut surroundings.platform()).expect("the store takes it");
    Device::power_on(&mut surroundings.platform()).expect("a device goes on from where it was");
});
