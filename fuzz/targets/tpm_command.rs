//! TPM commands: no sequence of commands makes the device panic, every response
//! is well-formed, and what was stored can be loaded again.
//!
//! The input is commands one behind the other, each behind its length in two
//! bytes and the locality it comes from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpm::Device;

use self::surroundings::{STARTUP, Surroundings, execute};

#[allow(dead_code, reason = "each target uses a part")]
#[path = "tpm/surroundings.rs"]
mod surroundings;

fuzz_target!(|input: &[u8]| {
    let mut surroundings = Surroundings::manufactured();
    let mut device = Device::power_on(&mut surroundings.platform()).expect("it was just made");
    assert_eq!(execute(&mut device, &mut surroundings, 0, &STARTUP).len(), 10);
    let mut rest = input;
    while let Some(([high, low, locality], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
        let (command, after) = after.split_at(length);
        rest = after;
        execute(&mut device, &mut surroundings, locality % 5, command);
    }
    Device::power_on(&mut surroundings.platform()).expect("a device can read what it wrote");
});
