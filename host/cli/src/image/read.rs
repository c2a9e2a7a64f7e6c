//! Reading an IGVM file, with its name in every error.

use std::path::Path;

use anyhow::{Context, Result};
use svsm_image::file::{Igvm, MAX_FILE_SIZE};
use svsm_image::input;

/// Reads and checks the IGVM file at `path`.
///
/// # Errors
///
/// It cannot be read or is malformed.
pub(super) fn read(path: &Path) -> Result<Igvm> {
    let bytes = input::read(path, "IGVM file", MAX_FILE_SIZE)?;
    Igvm::parse(&bytes).with_context(|| format!("{}", path.display()))
}
