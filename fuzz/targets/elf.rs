//! ELF files of the kernel and of services: no input makes the readers panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use svsm_image::elf;

fuzz_target!(|input: &[u8]| {
    if let Err(error) = elf::parse_kernel(input) {
        assert!(!error.to_string().is_empty());
    }
    if let Err(error) = elf::check_service(input) {
        assert!(!error.to_string().is_empty());
    }
});
