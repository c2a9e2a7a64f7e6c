//! Which processors there are: the ACPI table of interrupt controllers.

use alloc::vec::Vec;
use platform_parameters::{Processor, Refusal, find_madt, madt_processors};

use super::outside_memory::OutsideMemory;
use super::start_information::root_pointer;
use crate::heap::{TryPush, try_repeat};
use crate::processor::MAX_PROCESSORS;
use crate::start_error::StartError;

/// Room for a table: that of 4000 processors, which may also be such that never
/// come.
const MOST_BYTES: usize = 64 << 10;

/// Processors that a table may list, those that may come later included.
const MOST_LISTED: usize = 16 * MAX_PROCESSORS;

/// Identifiers of the processors that can be started, by the loader's tables.
/// `None` without start information.
///
/// # Errors
///
/// The tables cannot be used, or there is no memory for them.
pub(crate) fn processor_list() -> Result<Option<Vec<u32>>, StartError> {
    let Some(root_pointer) = root_pointer() else { return Ok(None) };
    let mut storage = try_repeat(0_u8, MOST_BYTES)?;
    let mut listed = try_repeat(Processor::NONE, MOST_LISTED)?;
    let processors = root_pointer
        .and_then(|at| find_madt(&OutsideMemory, at, &mut storage))
        .and_then(|table| madt_processors(table, &mut listed))
        .map_err(|refusal: Refusal| StartError::List(refusal))?;
    let mut identifiers = Vec::new();
    for identifier in processors.enabled() {
        identifiers.try_push(identifier)?;
    }
    Ok(Some(identifiers))
}
