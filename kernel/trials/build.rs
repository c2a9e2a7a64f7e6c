//! Linker arguments of the kernel with tests: those of the kernel itself.
//!
//! They stand here, not in `.cargo/config.toml`, so that they hold for the
//! kernel alone and however cargo is called.

#![allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "it runs on the host")]

use std::path::Path;

use abi_boot::VIRTUAL_BASE;

fn main() -> Result<(), std::env::VarError> {
    let folder = std::env::var("CARGO_MANIFEST_DIR")?;
    let script = Path::new(&folder).join("../svsm/kernel.ld");
    println!("cargo::rerun-if-changed=../svsm/kernel.ld");
    for argument in [
        format!("--script={}", script.display()),
        format!("--defsym=VIRTUAL_BASE={VIRTUAL_BASE:#x}"),
        // The target's default is a position-independent executable.
        "--no-pie".into(),
        "--no-dynamic-linker".into(),
        "--build-id=none".into(),
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}
