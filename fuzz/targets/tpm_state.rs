//! The TPM's core record: bytes that are none are refused, any others give a
//! device that starts and answers, or refuses to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpm::Device;

use self::surroundings::{STARTUP, Surroundings, execute};

#[allow(dead_code, reason = "each target uses a part")]
#[path = "tpm/surroundings.rs"]
mod surroundings;

/// The core record's number.
const CORE: u32 = 0;

fuzz_target!(|input: &[u8]| {
    let mut surroundings = Surroundings::with([(CORE, input.to_vec())]);
    let Ok(mut device) = Device::power_on(&mut surroundings.platform()) else { return };
    for command in [
        // Startup with state, then without; capabilities; PCRs; shutdown with state.
        &[0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 1][..],
        &STARTUP,
        &[0x80, 0x01, 0, 0, 0, 22, 0, 0, 0x01, 0x7A, 0, 0, 0, 6, 0, 0, 2, 0, 0, 0, 0, 64],
        &[0x80, 0x01, 0, 0, 0, 20, 0, 0, 0x01, 0x7E, 0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0xFF, 0xFF],
        &[0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x45, 0, 1],
    ] {
        execute(&mut device, &mut surroundings, 0, command);
    }
});
