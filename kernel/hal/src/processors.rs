//! Processors other than the first start.
//!
//! The first one allocates all that they need, then has the platform start them
//! at the same time, then waits until each has said that it runs.

use core::arch::naked_asm;
use core::mem::ManuallyDrop;

use alloc::boxed::Box;
use alloc::vec::Vec;
use processor::{Segments, StackTop};

use crate::away::away;
use crate::heap::{TryPush, try_box};
use crate::memory::{KernelStack, StackOwner, give_windows, on_other_processors};
use crate::platform::current as platform;
use crate::processor::{Processor, ProcessorIndex, current};
use crate::processor_requests::Request;
use crate::processor_start::ProcessorStart;
use crate::start_error::StartError;
use crate::stop::stop;
use crate::stop_reason::StopReason;
use crate::sync::{Once, mask};
use crate::take_once::TakeOnce;
use crate::translations::forget_translations;
use crate::{exception_stack, processor_table, protection, segments, shootdown, trap};

/// What processors run once they are set up.
static MAIN: Once<fn() -> !> = Once::new();

/// Pages of the stack that a processor starts on, and rests on. What was used
/// most, and a report of a fault on top of it, take less than five eighths.
const STACK_PAGES: u32 = if cfg!(debug_assertions) { 4 } else { 2 };

/// How often the first processor looks whether another one has started, before
/// it gives up: some seconds' worth.
const MOST_LOOKS: u64 = 1 << 32;

/// What only one processor uses, in memory that is never freed. By itself in its
/// cache lines.
#[repr(align(64))]
struct Own {
    processor: Processor,
    segments: TakeOnce<Segments>,
    exception_stack: StackTop,
}

/// Gives the first processor what others get before they start: an exception stack
/// with guards, and what the platform has for it.
///
/// # Errors
///
/// There is no memory for it, or the host does not do its part.
pub(crate) fn set_up_first() -> Result<(), StartError> {
    let exception_stack = exception_stack::make(current().index().number())?;
    let segments = Box::leak(try_box(Segments::zero())?);
    segments::load(segments, exception_stack, current());
    platform().prepare_processor(current())?;
    platform().enter_processor().map_err(StartError::Host)
}

/// Identifiers of all processors that the host says there are, each once, by the
/// platform's own means. `None` where it has none: what the loader has told may
/// have some.
///
/// # Errors
///
/// The list cannot be used, or there is no memory for it.
pub fn identifiers() -> Result<Option<Vec<u32>>, StartError> {
    platform().processor_identifiers()
}

/// Starts the processors with these identifiers, among which the own one is not;
/// each gets a number and runs `main`. Returns how many processors run then: their
/// numbers are those below. Where the platform can do without the others, those
/// that do not come are left out.
///
/// # Errors
///
/// See [`StartError`]. Processors that were started run on.
///
/// # Panics
///
/// If it was called before.
pub fn start_others(identifiers: &[u32], main: fn() -> !) -> Result<u32, StartError> {
    let first = current();
    shootdown::include(first.index().number());
    first.set_online();
    assert!(MAIN.set(main).is_ok(), "other processors are started once");
    on_other_processors(shootdown::shoot_down);

    let mut starts = Vec::new();
    for (number, apic_id) in (1..).zip(identifiers) {
        let too_many = StartError::TooMany(identifiers.len().saturating_add(1));
        let index = ProcessorIndex::new(number).ok_or(too_many)?;
        starts.try_push(prepare(index, *apic_id)?)?;
    }
    if starts.is_empty() {
        return Ok(1);
    }
    // Nothing is mapped or taken away from here until all run.
    let coming = platform().start_processors(&starts)?;
    let mut running = 1;
    for start in starts.iter().take(coming) {
        wait_for(start.processor)?;
        running += 1;
    }
    Ok(running)
}

/// All processors that have started, in the order of their numbers.
pub fn running() -> impl Iterator<Item = &'static Processor> {
    processor_table::all().filter(|processor| processor.is_online())
}

/// Waits until another processor [wakes](wake) this one, or an interrupt comes;
/// returns at once if that happened since the last time. It may also return for
/// no reason.
pub fn wait() {
    let masked = mask();
    // SAFETY: INV-AWAY-1: platforms look at the processor's own data and pages,
    // and halt.
    unsafe { away(&masked, || platform().wait()) };
    current().requests.take_wake();
    // The end of masking serves what else was asked.
}

/// Ends another processor's [`wait`]. Does nothing if there is no such
/// processor.
pub fn wake(index: ProcessorIndex) {
    if let Some(other) = processor_table::of(index.number()) {
        other.requests.add(Request::Wake);
        platform().kick(other);
    }
}

/// Allocates what a processor needs.
fn prepare(index: ProcessorIndex, apic_id: u32) -> Result<ProcessorStart, StartError> {
    let stack = KernelStack::allocate(STACK_PAGES, StackOwner::Processor(index.number()))?;
    let own: &'static Own = Box::leak(try_box(Own {
        processor: Processor::new(index),
        segments: TakeOnce::new(Segments::zero()),
        exception_stack: exception_stack::make(index.number())?,
    })?);
    // The stack is the processor's for ever.
    let stack_top = ManuallyDrop::new(stack).top();
    let processor = &own.processor;
    processor.set_apic_id(apic_id);
    let entry_argument = (&raw const *own).expose_provenance() as u64;
    give_windows(processor)?;
    platform().prepare_processor(processor)?;
    processor_table::add(processor);
    let entry = (enter as *const ()).addr() as u64;
    Ok(ProcessorStart { processor, entry, entry_argument, stack_top })
}

/// Waits until a processor says that it runs.
fn wait_for(processor: &Processor) -> Result<(), StartError> {
    for _ in 0..MOST_LOOKS {
        if processor.is_online() {
            return Ok(());
        }
        // Those that run already may ask this one.
        drop(mask());
        core::hint::spin_loop();
    }
    Err(StartError::Host(StopReason::HostProcessorStart))
}

/// The first instructions of a processor. RDI is its `Own`, the stack is empty
/// and aligned, interrupts are off, page tables are those of the first.
///
/// # Safety
///
/// Only a platform comes here, once for each `ProcessorStart`.
#[unsafe(naked)]
unsafe extern "C" fn enter() -> ! {
    naked_asm!("call {run}", "ud2", run = sym run)
}

/// Sets a processor up and runs what it is for.
///
/// # Safety
///
/// `own` is what [`prepare`] made, for this processor.
unsafe extern "C" fn run(own: *const Own) -> ! {
    // SAFETY: INV-PROCESSOR-1: it lives for ever, and is only shared.
    let own: &'static Own = unsafe { &*own };
    let processor = &own.processor;
    let Some(segments) = own.segments.take() else {
        panic!("a processor starts once");
    };
    segments::load(segments, own.exception_stack, processor);
    trap::load();
    // So far it has used what is mapped for ever. From here on others ask it to
    // forget, and what it may have found on its own before is forgotten.
    shootdown::include(processor.index().number());
    forget_translations();
    if let Err(reason) = platform().enter_processor() {
        stop(reason)
    }
    protection::load();
    processor.set_online();
    match MAIN.get() {
        Some(main) => main(),
        None => panic!("processors start after there is something to run on them"),
    }
}
