//! The scenarios in `simulator/scenarios` are ones.

extern crate std;

use std::path::Path;
use std::string::String;
use std::vec::Vec;
use std::{fs, println};

use crate::gpa::Gpa;
use crate::hostile::scenario::{Machine, Scenario};

#[test]
fn samples_for_linux_are_understood_and_explained() {
    check("../scenarios", 2, &["# Attack: ", "# A correct guest ", "# Observed: "]);
}

#[test]
fn samples_for_the_kernel_are_understood_and_explained() {
    check("../scenarios/kernel", 4, &["# Attack: ", "# Always expected of module"]);
}

/// Checks that all scenarios of a folder are ones for a machine with so many
/// processors, and have these parts.
fn check(folder: &str, processors: u32, parts: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
    files.sort();
    assert!(!files.is_empty());
    // Addresses are those of a guest with 512 MiB, and KVM's save area.
    let has_memory = |gpa: Gpa| gpa.0 < 512 << 20 || gpa == Gpa(0xffff_ffff_f000);
    let machine = Machine { processors, has_memory: &has_memory };
    for file in files {
        println!("{}", file.display());
        assert_eq!(file.extension().unwrap(), "scenario");
        let text: String = fs::read_to_string(&file).unwrap();
        assert!(Scenario::parse(&text, &machine).unwrap().counts().next().is_some());
        for part in parts {
            assert!(text.contains(part), "there is no `{part}`");
        }
    }
}
