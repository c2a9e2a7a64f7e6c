//! Other processors start: INIT, SIPI, and what follows.
//!
//! All are initialised at the same time, then all are started at the same time
//! [APM 24593 §16.5; SDM 3A §9.4.4]. Each comes by way of the trampoline and the
//! page of the PVH entry, takes a place and runs what is prepared there.

use core::sync::atomic::{Ordering, fence};

use platform_parameters::{MemoryKind, MemoryRange, PAGE_SIZE};

use super::arrivals::ARRIVALS;
use super::outside_memory::OutsideMemory;
use super::start_information::memory_map;
use super::trampoline;
use crate::local_apic::{LocalApic, Registers};
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::time::{self, MILLISECOND_NS};

/// Time between INIT and SIPI.
const INITIALISATION_NS: u64 = 10 * MILLISECOND_NS;

/// Time after which those that have not come are started once more, and time
/// after that until nobody waits for them any more. Virtual machines on a busy
/// host take long.
const FIRST_WAIT_NS: u64 = 10 * MILLISECOND_NS;
const LAST_WAIT_NS: u64 = 5_000 * MILLISECOND_NS;

/// Ranges of a memory map, and the first address that is of no interest here.
const MOST_RANGES: usize = 128;
const MOST_MEMORY: u64 = 1 << 52;

/// Starts processors; how many have come, at most as many as were to. They take
/// the places of `starts` in order, whichever they are.
///
/// # Errors
///
/// There is no page for the trampoline, or the first processor was started in
/// another way.
pub(crate) fn start<R: Registers>(
    starts: &[ProcessorStart],
    controller: &LocalApic<R>,
) -> Result<usize, StartError>
where
    StartError: From<R::Error>,
{
    let (page, vector) = trampoline_page().ok_or(StartError::NoTrampoline)?;
    let entry = ARRIVALS.entry_address().ok_or(StartError::Unsupported)?;
    let code = trampoline::code(page, entry);
    OutsideMemory.write(page.into(), &code).map_err(|_| StartError::NoTrampoline)?;
    for (place, start) in starts.iter().enumerate() {
        ARRIVALS.prepare(place, start.stack_top, start.entry, start.entry_argument);
    }
    // Writes to the controller's registers are not ordered behind others.
    fence(Ordering::SeqCst);
    for start in starts {
        controller.initialise(start.processor.apic_id())?;
    }
    time::pass(INITIALISATION_NS);
    for wait in [FIRST_WAIT_NS, LAST_WAIT_NS] {
        // Who runs already ignores it.
        for start in starts {
            controller.start(start.processor.apic_id(), vector)?;
        }
        if have_come(starts.len(), wait) {
            break;
        }
    }
    Ok(starts.len().min(ARRIVALS.close() as usize))
}

/// Waits until so many have come; whether they have.
fn have_come(count: usize, wait_ns: u64) -> bool {
    time::wait_for(wait_ns, || ARRIVALS.count() as usize >= count)
}

/// A page of memory that SIPI can name and nobody uses, and its name: the highest that the
/// loader's map has. Firmware is gone by now, and of what the loader left the
/// kernel has read all that it wants. The first page, where firmware has its
/// data, is left alone.
fn trampoline_page() -> Option<(u32, u8)> {
    let mut ranges = [MemoryRange::EMPTY; MOST_RANGES];
    let map = memory_map(&mut ranges, MOST_MEMORY)?.ok()?;
    let memory = map.ranges().iter().filter(|range| range.kind == MemoryKind::Memory);
    let pages = memory.flat_map(|range| (range.start..range.end()).step_by(PAGE_SIZE as usize));
    let named =
        pages.map_while(|page| Some((u32::try_from(page).ok()?, trampoline::vector(page)?)));
    named.filter(|(page, _)| *page != 0).last()
}
