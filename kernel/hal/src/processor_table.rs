//! All processors by their numbers.

use core::sync::atomic::{AtomicPtr, Ordering};

use crate::processor::{FIRST, MAX_PROCESSORS, Processor, ProcessorIndex};

/// Processors other than the first.
static OTHERS: [AtomicPtr<Processor>; MAX_PROCESSORS] =
    [const { AtomicPtr::new(core::ptr::null_mut()) }; MAX_PROCESSORS];

/// The processor of this number, `None` if there is none.
pub(crate) fn of(number: u32) -> Option<&'static Processor> {
    if number == ProcessorIndex::FIRST.number() {
        return Some(&FIRST);
    }
    let processor = OTHERS.get(number as usize)?.load(Ordering::Acquire);
    // SAFETY: INV-PROCESSOR-1: null, or what `add` got, which lives for ever.
    unsafe { processor.as_ref() }
}

/// Adds a processor, which may have started or not.
pub(crate) fn add(processor: &'static Processor) {
    let place = &OTHERS[processor.index().as_usize()];
    let before = place.swap((&raw const *processor).cast_mut(), Ordering::AcqRel);
    assert!(before.is_null(), "each number is given to one processor");
}

/// All processors, in order.
pub(crate) fn all() -> impl Iterator<Item = &'static Processor> {
    (0..shootdown::MAX_PROCESSORS).map_while(of)
}
