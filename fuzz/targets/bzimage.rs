//! Linux kernels: no input makes the reader panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use svsm_image::bzimage::BzImage;

fuzz_target!(|input: &[u8]| {
    if let Err(error) = BzImage::parse(input) {
        assert!(!error.to_string().is_empty());
    }
});
