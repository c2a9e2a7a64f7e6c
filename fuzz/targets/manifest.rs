//! Manifests: no text makes the reader panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use svsm_image::manifest::Manifest;

fuzz_target!(|text: &str| {
    match Manifest::parse(text, Path::new("folder")) {
        Ok(manifest) => drop(manifest.packages().count()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
