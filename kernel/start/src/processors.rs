//! All processors run tasks.

use core::sync::atomic::{AtomicBool, Ordering};

use abi_boot::{BootBlock, Platform};
use alloc::vec::Vec;
use hal::heap::{TryPush, try_repeat};
use hal::interrupts::{on_call, on_timer, unmask_for_the_first_time};
use hal::processor::{ProcessorIndex, current};
use hal::processors::{identifiers, running, start_others, wait, wake};
use hal::{StartError, StopReason, stop};
use kernel_log::{log_for_host, log_for_tenant};
use platform_parameters::{Processor, Processors};

use crate::loader_areas::loader_areas;
use crate::logging;
use crate::machine::Machine;

/// Most tasks at a time.
const MOST_TASKS: u32 = 256;

/// Most processors that a loader may tell of, those that may come later included.
const MOST_LISTED: usize = 1024;

/// Tasks can be run. Set once, by the first processor.
static TASKS_ARE_READY: AtomicBool = AtomicBool::new(false);

/// Starts the processors that the host lists, as many as the image allows, and
/// makes room for tasks on them. Returns how many run. Each of the others runs
/// tasks from here on.
pub(crate) fn start(block: &BootBlock<'_>) -> u32 {
    let processors = match start_listed(block) {
        Ok(count) => count,
        Err(StartError::Host(reason)) => stop(reason),
        Err(StartError::List(refusal)) if block.platform != Platform::NATIVE => {
            log_for_host!(Error, "{refusal}");
            stop(StopReason::HostParameters)
        }
        Err(error) => {
            log_for_tenant!(Warning, "other processors do not run: {error}");
            1
        }
    };
    logging::spread(processors);
    if let Err(error) = tasks::start(&Machine, processors as usize, MOST_TASKS) {
        panic!("{error}");
    }
    on_call(tasks::leave_interrupt);
    on_timer(|| {
        tasks::tick();
        tasks::leave_interrupt();
    });
    TASKS_ARE_READY.store(true, Ordering::Release);
    (1..processors).filter_map(ProcessorIndex::new).for_each(wake);
    prepare();
    processors
}

/// Starts the processors that the host lists, as many as the image allows, the
/// own one included; how many run then.
fn start_listed(block: &BootBlock<'_>) -> Result<u32, StartError> {
    let own = current().apic_id();
    let listed = match identifiers()? {
        Some(listed) => Some(listed),
        None => told_by_loader(block)?,
    };
    let Some(listed) = listed else {
        log_for_host!(Warning, "nobody lists other processors: they do not run");
        return start_others(&[], enter);
    };
    if !listed.contains(&own) {
        return Err(StartError::Host(StopReason::HostProcessorList));
    }
    let mut others = Vec::new();
    // Whatever place the own one has in the list, it counts.
    for apic_id in listed.into_iter().filter(|apic_id| *apic_id != own) {
        if others.len() + 1 < block.max_vcpus as usize {
            others.try_push(apic_id)?;
        }
    }
    let count = start_others(&others, enter)?;
    for apic_id in others {
        if running().all(|processor| processor.apic_id() != apic_id) {
            log_for_host!(Warning, "the processor with APIC id {apic_id:#x} has not come");
        }
    }
    Ok(count)
}

/// Identifiers of processors by what the loader has told, if it has.
fn told_by_loader(block: &BootBlock<'_>) -> Result<Option<Vec<u32>>, StartError> {
    let mut storage = try_repeat(Processor::NONE, MOST_LISTED)?;
    let told = loader_areas(block).processors(&mut storage).map_err(StartError::List)?;
    let mut identifiers = Vec::new();
    for apic_id in told.iter().flat_map(Processors::enabled) {
        identifiers.try_push(apic_id)?;
    }
    Ok(told.map(|_| identifiers))
}

/// Prepares this processor for tasks. A task has interrupts as its maker has, so
/// this comes before the first.
fn prepare() {
    hal::extended_state::start();
    unmask_for_the_first_time();
}

/// Where the other processors enter.
fn enter() -> ! {
    while !TASKS_ARE_READY.load(Ordering::Acquire) {
        wait();
    }
    prepare();
    tasks::run_processor()
}
