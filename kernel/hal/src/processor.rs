//! What one processor has for itself.
//!
//! GS points at the [`Processor`] of the processor that runs, from the first
//! instructions in Rust on (`segments.rs`). The first processor's is a static,
//! so that nothing has to be allocated before locks, messages and exceptions
//! work; the others' are allocated before they start (`processors.rs`) and live
//! for ever.
//!
//! All references are shared. A field is either fixed before its processor
//! starts, or atomic; those that only the processor itself changes say so, and
//! are changed with interrupts masked ([`crate::sync::mask`]), so that neither a
//! handler nor a task that takes over comes in between.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use crate::processor_requests::Requests;
use crate::shared_slot::{DoorbellPage, SharedPage, SharedSlot};
use crate::sync::processor_state::ProcessorState;
use crate::thread::processor_threads::ProcessorThreads;
use crate::window_places::WindowPlaces;

/// Most processors that the kernel can have.
pub const MAX_PROCESSORS: usize = shootdown::MAX_PROCESSORS as usize;

/// A processor by its number: 0 for the one that the machine starts on, and on
/// without gaps, below [`MAX_PROCESSORS`]. Not the number that the platform has
/// for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessorIndex(u32);

impl ProcessorIndex {
    /// The processor that the machine starts on.
    pub const FIRST: Self = Self(0);

    /// The processor of this number, `None` if there cannot be one.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number < shootdown::MAX_PROCESSORS { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The number, as that of an element of something with an element for each
    /// processor.
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// No time for the timer to come.
pub(crate) const NO_ALARM: u64 = u64::MAX;

/// One processor.
#[repr(C)]
pub struct Processor {
    /// The address of this very structure, which code reads by way of GS.
    this: AtomicPtr<Self>,
    index: ProcessorIndex,
    /// The number that the platform has for it.
    apic_id: AtomicU32,
    is_online: AtomicBool,
    /// Its locks, and why interrupts are masked.
    pub(crate) locks: ProcessorState,
    /// What others ask of it.
    pub(crate) requests: Requests,
    /// The threads that it runs.
    pub(crate) threads: ProcessorThreads,
    /// Its page for requests to the host, on SEV-SNP.
    pub(crate) ghcb: SharedSlot<SharedPage>,
    /// Its windows.
    pub(crate) windows: WindowPlaces,
    /// Its page for events from the host, under restricted injection.
    pub(crate) doorbell: SharedSlot<DoorbellPage>,
    /// A handler is about to return to code whose interrupts are not masked, and
    /// has looked for events for the last time. Changed by the processor itself
    /// alone.
    pub(crate) is_leaving: AtomicBool,
    /// When its timer is to come, in nanoseconds since the start; [`NO_ALARM`]
    /// for not at all. Changed by the processor itself alone.
    pub(crate) alarm_ns: AtomicU64,
}

/// The processor that the machine starts on.
pub(crate) static FIRST: Processor = Processor::new(ProcessorIndex::FIRST);

impl Processor {
    /// A processor that does not run yet.
    pub(crate) const fn new(index: ProcessorIndex) -> Self {
        Self {
            this: AtomicPtr::new(core::ptr::null_mut()),
            index,
            apic_id: AtomicU32::new(0),
            is_online: AtomicBool::new(false),
            locks: ProcessorState::new(),
            requests: Requests::new(),
            threads: ProcessorThreads::none(),
            ghcb: SharedSlot::empty(),
            windows: WindowPlaces::none(),
            doorbell: SharedSlot::empty(),
            is_leaving: AtomicBool::new(false),
            alarm_ns: AtomicU64::new(NO_ALARM),
        }
    }

    /// Which one it is.
    #[must_use]
    pub const fn index(&self) -> ProcessorIndex {
        self.index
    }

    /// The number that the platform has for it: its x2APIC identifier.
    #[must_use]
    pub fn apic_id(&self) -> u32 {
        self.apic_id.load(Ordering::Relaxed)
    }

    /// Whether it has started.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.is_online.load(Ordering::Acquire)
    }

    /// Notes the number that the platform has for it, before it starts.
    pub(crate) fn set_apic_id(&self, apic_id: u32) {
        self.apic_id.store(apic_id, Ordering::Relaxed);
    }

    /// Notes that it has started.
    pub(crate) fn set_online(&self) {
        self.is_online.store(true, Ordering::Release);
    }

    /// Whether there are events from the host that wait to be handled.
    pub(crate) fn has_events(&self) -> bool {
        self.doorbell.get().is_some_and(|(page, _)| page.events.load(Ordering::Relaxed) != 0)
    }

    /// Prepares it to be what GS points at, and gives the value for GS.
    pub(crate) fn prepare(&'static self) -> u64 {
        let this = (&raw const *self).cast_mut();
        self.this.store(this, Ordering::Relaxed);
        this.expose_provenance() as u64
    }
}

/// The processor that executes this.
///
/// A task can be moved to another one at any time, unless interrupts are
/// masked.
#[must_use]
pub fn current() -> &'static Processor {
    let this: *const Processor;
    // SAFETY: INV-PROCESSOR-1: GS points at a `Processor` that lives for ever,
    // and whose first field is its address.
    unsafe {
        asm!(
            "mov {}, gs:[{offset}]",
            out(reg) this,
            offset = const core::mem::offset_of!(Processor, this),
            options(nostack, preserves_flags, readonly),
        );
        &*this
    }
}
