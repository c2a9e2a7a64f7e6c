//! Tests of kernel modules, with small ELF files in their place.

use std::path::Path;

use anyhow::Result;

use super::{Modules, dependencies, read};

/// An ELF file with the two sections `.modinfo` and `.shstrtab`.
fn module(information: &[u8]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0.modinfo\0.shstrtab\0";
    let names_at = 64 + information.len();
    let sections_at = names_at + NAMES.len();
    let mut file = vec![0; 64];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    // Type: relocatable; machine: x86-64; version.
    file[16..24].copy_from_slice(&[1, 0, 62, 0, 1, 0, 0, 0]);
    file[40..48].copy_from_slice(&(sections_at as u64).to_le_bytes());
    // Sizes of this header, no program header, 3 section headers of 64 bytes,
    // the last of which is the names'.
    file[52..64].copy_from_slice(&[64, 0, 0, 0, 0, 0, 64, 0, 3, 0, 2, 0]);
    file.extend(information);
    file.extend(NAMES);
    file.extend([0; 64]);
    for (name, kind, at, size) in
        [(1u32, 1u32, 64, information.len()), (10, 3, names_at, NAMES.len())]
    {
        let mut header = [0; 64];
        header[..4].copy_from_slice(&name.to_le_bytes());
        header[4..8].copy_from_slice(&kind.to_le_bytes());
        header[24..32].copy_from_slice(&(at as u64).to_le_bytes());
        header[32..40].copy_from_slice(&(size as u64).to_le_bytes());
        file.extend(header);
    }
    file
}

/// A folder with modules of these file names and dependencies.
fn tree(modules: &[(&str, &str)]) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir_all(folder.path().join("kernel/drivers"))?;
    for (file, depends) in modules {
        let content = module(format!("license=GPL\0depends={depends}\0").as_bytes());
        std::fs::write(folder.path().join("kernel/drivers").join(file), content)?;
    }
    Ok(folder)
}

fn take(folder: &Path, names: &[&str]) -> Result<String> {
    Modules::below(folder)?.take(names, &folder.join("taken"))
}

fn failure(folder: &Path, names: &[&str]) -> String {
    take(folder, names).map_err(|error| format!("{error:#}")).unwrap_err()
}

#[test]
fn what_is_needed_loads_first_and_once() -> Result<()> {
    let folder = tree(&[
        ("sev-guest.ko", "tsm-report"),
        ("tsm_report.ko", "configfs"),
        ("configfs.ko", ""),
        ("other.ko", "configfs"),
        ("unwanted.ko", ""),
    ])?;
    let order = take(folder.path(), &["sev_guest", "configfs", "other"])?;
    assert_eq!(order, "configfs.ko\ntsm_report.ko\nsev_guest.ko\nother.ko\n");
    let taken = folder.path().join("taken");
    assert!(order.lines().all(|name| taken.join(name).is_file()));
    assert!(!taken.join("unwanted.ko").exists());
    Ok(())
}

#[test]
fn what_is_missing_is_named() -> Result<()> {
    let folder = tree(&[("a.ko", "b")])?;
    assert!(failure(folder.path(), &["c"]).contains("no module c"));
    assert!(failure(folder.path(), &["a"]).contains("no module b"));
    assert!(!folder.path().join("taken").exists());
    Ok(())
}

#[test]
fn circles_are_refused() -> Result<()> {
    let folder = tree(&[("a.ko", "b"), ("b.ko", "c"), ("c.ko", "b")])?;
    let message = failure(folder.path(), &["a"]);
    assert!(message.contains("circle: a, b, c, b"), "{message}");
    Ok(())
}

#[test]
fn other_files_are_no_modules() {
    assert!(dependencies(b"").is_err());
    assert!(dependencies(b"no ELF file at all").is_err());
    assert!(dependencies(&module(b"license=GPL\0")).is_err());
    assert!(dependencies(&module(b"depends=\xff\0")).is_err());
    assert!(dependencies(&module(b"depends=a,b\0")[..100]).is_err());
    let names = dependencies(&module(b"depends=a-b,c\0")).unwrap_or_default();
    assert_eq!(names, ["a_b", "c"]);
}

/// `hello, module` and a line feed, by `xz --check=crc32 --lzma2=dict=1MiB`.
const COMPRESSED: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x01, 0x69, 0x22, 0xde, 0x36, 0x02, 0x00, 0x21, 0x01,
    0x10, 0x00, 0x00, 0x00, 0xa8, 0x70, 0x8e, 0x86, 0x01, 0x00, 0x0d, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
    0x2c, 0x20, 0x6d, 0x6f, 0x64, 0x75, 0x6c, 0x65, 0x0a, 0x00, 0x00, 0x00, 0xce, 0xbd, 0x28, 0x2d,
    0x00, 0x01, 0x22, 0x0e, 0x0c, 0xde, 0x8c, 0x60, 0x90, 0x42, 0x99, 0x0d, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x01, 0x59, 0x5a,
];

#[test]
fn compressed_modules_are_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("hello.ko.xz");
    std::fs::write(&file, COMPRESSED)?;
    assert_eq!(read(&file)?, b"hello, module\n");
    let mut broken = COMPRESSED.to_vec();
    broken[30] ^= 1;
    std::fs::write(&file, &broken)?;
    assert!(read(&file).is_err());
    std::fs::write(&file, &COMPRESSED[..40])?;
    assert!(read(&file).is_err());
    Ok(())
}
