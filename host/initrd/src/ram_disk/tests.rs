//! Tests of what is in an initial RAM disk.

use super::{Error, Module, RamDisk, Task};
use crate::archive;
use crate::console::{EXIT_STATUS, mark};

const BUSYBOX: &[u8] = b"\x7fELF busybox";

fn module(file_name: &str) -> Module<'_> {
    Module { file_name, content: b"\x7fELF module" }
}

fn build(modules: &[Module<'_>], task: Task<'_>) -> Result<String, Error> {
    let bytes = RamDisk { busybox: BUSYBOX, modules, task }.build()?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[test]
fn a_script_and_modules_are_in_it() -> Result<(), Error> {
    let modules = [module("virtio.ko"), module("sev-guest.ko")];
    let archive = build(&modules, Task::Script("echo I am the script"))?;
    for part in [
        "modules/virtio.ko\0",
        "modules/sev-guest.ko\0",
        "virtio.ko\nsev-guest.ko\n",
        "bin/busybox\0",
        "script\0",
        "echo I am the script",
        "init\0",
        "#!/bin/busybox sh\n",
        EXIT_STATUS,
        &format!("\nmark={}\n", mark("echo I am the script")),
    ] {
        assert!(archive.contains(part), "{part}");
    }
    Ok(())
}

#[test]
fn a_shell_needs_no_script() -> Result<(), Error> {
    let archive = build(&[], Task::Shell)?;
    assert!(archive.contains("cttyhack sh\npoweroff -f\n"));
    assert!(!archive.contains(EXIT_STATUS));
    Ok(())
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let modules = [module("a.ko")];
    assert_eq!(build(&modules, Task::Shell), build(&modules, Task::Shell));
}

#[test]
fn what_is_no_program_is_refused() {
    let disk = RamDisk { busybox: b"#!/bin/sh", modules: &[], task: Task::Shell };
    assert_eq!(disk.build(), Err(Error::Busybox));
    let compressed = Module { file_name: "a.ko", content: b"\xfd7zXZ" };
    let expected = Err(Error::NotAModule("a.ko".to_owned()));
    assert_eq!(build(&[compressed], Task::Shell), expected);
}

#[test]
fn unfit_names_of_modules_are_refused() {
    for name in ["", "a", "order", "a b.ko", "../a.ko", "a\n.ko", "$(a).ko", "a.ko.xz"] {
        let expected = Err(Error::ModuleName(name.to_owned()));
        assert_eq!(build(&[module(name)], Task::Shell), expected);
    }
    let twice = archive::Error::Twice("modules/a.ko".to_owned());
    let expected = Err(Error::Archive(twice));
    assert_eq!(build(&[module("a.ko"), module("a.ko")], Task::Shell), expected);
}
