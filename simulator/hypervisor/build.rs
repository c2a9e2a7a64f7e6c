//! Linker arguments of the simulator's binary.
//!
//! They stand here, not in `.cargo/config.toml`, so that they hold for this
//! crate alone and however cargo is called.

use std::path::Path;

fn main() -> Result<(), std::env::VarError> {
    let folder = std::env::var("CARGO_MANIFEST_DIR")?;
    let script = Path::new(&folder).join("hypervisor.ld");
    println!("cargo::rerun-if-changed=hypervisor.ld");
    for argument in [
        format!("--script={}", script.display()),
        // The target's default is a position-independent executable.
        "--no-pie".into(),
        "--no-dynamic-linker".into(),
        "--build-id=none".into(),
    ] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    Ok(())
}
