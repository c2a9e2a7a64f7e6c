//! Rust's core and alloc for machines without an operating system.
//!
//! They come with rustup's target where rustup may download. Elsewhere they are
//! built from Debian's `rust-src` of the compiler's own version: three calls of
//! rustc, without cargo and without the registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use super::apt::Archive;
use super::machine::{Apt, Machine, Rustup, TARGET};
use super::step::{Found, Remedy, Step, Way};
use super::version::upstream;
use crate::failure;
use crate::log::Log;

/// The step.
pub(crate) struct BareMetal;

/// Suites of Debian that carry current compilers, those with small indexes
/// first.
const SUITES: [&str; 5] = ["trixie-backports", "bookworm-backports", "sid", "trixie", "bookworm"];

/// What the libraries' files are called when we build them.
const LIBRARIES: [&str; 3] = ["libcore.rlib", "libcompiler_builtins.rlib", "liballoc.rlib"];

impl Step for BareMetal {
    fn name(&self) -> String {
        "bare-metal".to_owned()
    }

    fn purpose(&self) -> String {
        format!("Rust's core and alloc for {TARGET}")
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let shipped = &machine.rustc.target_libraries;
        if holds_core(shipped) {
            let detail = format!("with rustc {}", machine.rustc.release);
            return Ok(Some(Found { path: shipped.clone(), detail }));
        }
        let built = built_libraries(machine);
        let complete = LIBRARIES.iter().all(|name| built.join(name).is_file());
        let detail = format!("{}, built from Debian's rust-src", machine.rustc.release);
        Ok(complete.then_some(Found { path: built, detail }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        let mut ways = Vec::new();
        if machine.rustup == Rustup::Downloads {
            ways.push(Way::new(format!("run `rustup target add {TARGET}`"), |log| {
                let mut rustup = Command::new("rustup");
                log.run(rustup.args(["target", "add", TARGET]).current_dir(&machine.root))
            }));
        }
        if machine.reaches_debian() {
            let how = format!(
                "download rust-src {} from Debian (45 MB, checked against the archive's \
                 signature) and build core, compiler_builtins and alloc",
                machine.rustc.release
            );
            ways.push(Way::new(how, |log| build(machine, log)));
        }
        if ways.is_empty() { Err(remedy(machine)) } else { Ok(ways) }
    }
}

fn remedy(machine: &Machine) -> Remedy {
    let way_out = match (machine.rustup, machine.apt) {
        (Rustup::MustNotDownload, _) => {
            "RUSTUP_AUTO_INSTALL=0 keeps rustup from downloading the target; \
             have it added by whoever looks after the toolchain, with"
        }
        (_, Apt::Present) => {
            "install Debian's signing keys with `sudo apt-get install debian-archive-keyring` \
             and try again, or use a toolchain from https://rustup.rs and run"
        }
        (_, Apt::Absent) => "use a toolchain from https://rustup.rs and run",
    };
    Remedy(format!("{way_out} `rustup target add {TARGET}`"))
}

/// Whether a folder holds a compiled core, however its file is called.
fn holds_core(folder: &Path) -> bool {
    let is_core = |name: &str| name.starts_with("libcore") && name.ends_with(".rlib");
    std::fs::read_dir(folder).is_ok_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_str().is_some_and(is_core)))
    })
}

/// The folder for one compiler, told apart by its commit, because libraries
/// work with the very compiler that built them only.
fn sysroot(machine: &Machine) -> PathBuf {
    let commit: String = machine.rustc.commit.chars().take(12).collect();
    machine.cache.join("sysroot").join(format!("{}-{commit}", machine.rustc.release))
}

fn libraries_of(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn built_libraries(machine: &Machine) -> PathBuf {
    libraries_of(&sysroot(machine))
}

fn build(machine: &Machine, log: &mut Log) -> Result<()> {
    let staging = machine.cache.staging()?;
    let unpacked = staging.path().join("package");
    fetch_source(machine, &unpacked, log)?;
    let source = unpacked.join(format!("usr/src/rustc-{}", machine.rustc.release));
    if !source.join("library/core/src/lib.rs").is_file() {
        bail!("Debian's rust-src has no library/core below {}", source.display());
    }
    let made = staging.path().join("sysroot");
    compile(machine, &source, &made, log)?;
    machine.cache.put(&made, &sysroot(machine))
}

/// Unpacks rust-src of the compiler's version from the first suite that has it.
fn fetch_source(machine: &Machine, folder: &Path, log: &mut Log) -> Result<()> {
    let release = &machine.rustc.release;
    let mut unreachable = None;
    for suite in SUITES {
        let archive = match Archive::open(&machine.cache, &[suite], log) {
            Ok(archive) => archive,
            Err(error) => {
                // Old suites leave the archive one day; another may do.
                log.say(&failure::message(&error))?;
                unreachable = Some(error);
                continue;
            }
        };
        let versions = archive.versions("rust-src")?;
        if let Some(version) = versions.iter().find(|version| upstream(version) == release) {
            return archive.unpack("rust-src", version, folder, log);
        }
    }
    Err(unreachable.unwrap_or_else(|| {
        anyhow!("none of Debian's suites {} has rust-src {release}", SUITES.join(", "))
    }))
}

/// Builds the three libraries into an empty sysroot.
///
/// The source's own path is replaced by the one that official builds carry, so
/// that the result does not depend on where the cache is.
fn compile(machine: &Machine, source: &Path, sysroot: &Path, log: &mut Log) -> Result<()> {
    let out = libraries_of(sysroot);
    std::fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let library = source.join("library");
    let external = |name: &str| format!("{name}={}", out.join(format!("lib{name}.rlib")).display());
    let rustc = |name: &str, root: &str| {
        let mut command = Command::new("rustc");
        // The standard library uses unstable features; only this lets a stable
        // compiler build it.
        command.env("RUSTC_BOOTSTRAP", "1").current_dir(&machine.root);
        command.args(["--crate-name", name, "--crate-type", "rlib", "--edition", "2024"]);
        command.args(["--target", TARGET, "-C", "opt-level=3", "-C", "panic=abort"]);
        command.args(["-C", "embed-bitcode=yes", "-Z", "unstable-options"]);
        command.args(["-Z", "force-unstable-if-unmarked", "--cap-lints", "allow"]);
        command.arg("--sysroot").arg(sysroot).arg("--out-dir").arg(&out);
        command.arg("-L").arg(format!("dependency={}", out.display()));
        command.arg("--remap-path-prefix");
        command.arg(format!("{}=/rustc/{}", source.display(), machine.rustc.commit));
        command.arg(library.join(root));
        command
    };
    log.run(&mut rustc("core", "core/src/lib.rs"))?;
    let mut builtins = rustc("compiler_builtins", "compiler-builtins/compiler-builtins/src/lib.rs");
    builtins.args(["-C", "codegen-units=10000", "--extern", &external("core")]);
    for feature in ["compiler-builtins", "mem", "unmangled-names"] {
        builtins.args(["--cfg", &format!("feature=\"{feature}\"")]);
    }
    log.run(&mut builtins)?;
    let mut alloc = rustc("alloc", "alloc/src/lib.rs");
    for name in ["core", "compiler_builtins"] {
        alloc.args(["--extern", &external(name)]);
    }
    log.run(&mut alloc)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyhow::Result;

    use super::{BareMetal, LIBRARIES, built_libraries};
    use crate::setup::machine::{Apt, Keyring, Machine, Rustup, fake};
    use crate::setup::step::Step;

    fn ways(machine: &Machine) -> Vec<String> {
        match BareMetal.ways(machine) {
            Ok(ways) => ways.into_iter().map(|way| way.how).collect(),
            Err(remedy) => vec![format!("by hand: {}", remedy.0)],
        }
    }

    #[test]
    fn rustup_first_then_debian() {
        let ways = ways(&fake::debian(Path::new("/cache")));
        assert_eq!(ways.len(), 2);
        assert_eq!(ways[0], "run `rustup target add x86_64-unknown-none`");
        assert!(ways[1].contains("rust-src 1.95.0"), "{}", ways[1]);
    }

    #[test]
    fn rustup_is_not_asked_where_it_must_not_download() {
        let machine =
            Machine { rustup: Rustup::MustNotDownload, ..fake::debian(Path::new("/cache")) };
        let ways = ways(&machine);
        assert_eq!(ways.len(), 1);
        assert!(ways[0].contains("rust-src"), "{}", ways[0]);
    }

    #[test]
    fn without_any_way_a_person_is_told_what_to_do() {
        let cache = Path::new("/cache");
        let forbidden = Machine { rustup: Rustup::MustNotDownload, ..fake::fedora(cache) };
        assert!(ways(&forbidden)[0].contains("RUSTUP_AUTO_INSTALL=0"));
        let absent = Machine { rustup: Rustup::Absent, ..fake::fedora(cache) };
        assert!(ways(&absent)[0].contains("https://rustup.rs"));
        let keyless = Machine {
            rustup: Rustup::Absent,
            apt: Apt::Present,
            debian_keyring: Keyring::Absent,
            ..fake::debian(cache)
        };
        assert!(ways(&keyless)[0].contains("debian-archive-keyring"));
    }

    #[test]
    fn finds_the_toolchain_s_own_first() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = fake::debian(folder.path());
        assert_eq!(BareMetal.find(&machine)?, None);

        let built = built_libraries(&machine);
        assert!(built.ends_with("sysroot/1.95.0-59807616e1fa/lib/rustlib/x86_64-unknown-none/lib"));
        std::fs::create_dir_all(&built)?;
        std::fs::write(built.join(LIBRARIES[0]), "")?;
        assert_eq!(BareMetal.find(&machine)?, None, "two of three are missing");
        for name in LIBRARIES {
            std::fs::write(built.join(name), "")?;
        }
        assert_eq!(BareMetal.find(&machine)?.map(|found| found.path), Some(built));

        let shipped = machine.rustc.target_libraries.clone();
        std::fs::create_dir_all(&shipped)?;
        std::fs::write(shipped.join("libcore-0123456789abcdef.rlib"), "")?;
        assert_eq!(BareMetal.find(&machine)?.map(|found| found.path), Some(shipped));
        Ok(())
    }
}
