//! What one processor has for itself.
//!
//! GS points at the [`Processor`] of the processor that runs, from the first
//! instructions in Rust on (`segments.rs`). The first processor's is a static,
//! so that nothing has to be allocated before locks, messages and exceptions
//! work.
//!
//! All references are shared. A field is either fixed before its processor
//! starts, or atomic; those that only the processor itself changes say so, and
//! are changed with interrupts masked ([`crate::sync::mask`]), so that
//! neither a handler nor a task that takes over comes in between.

use core::arch::asm;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::ghcb_slot::GhcbSlot;
use crate::sync::processor_state::ProcessorState;

/// A processor by its number: 0 for the one that the machine starts on, and on
/// without gaps. Not the number that the platform has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessorIndex(u32);

impl ProcessorIndex {
    /// The processor that the machine starts on.
    pub const FIRST: Self = Self(0);

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// One processor.
#[repr(C)]
pub struct Processor {
    /// The address of this very structure, which code reads by way of GS.
    this: AtomicPtr<Self>,
    index: ProcessorIndex,
    /// The number that the platform has for it.
    apic_id: AtomicU32,
    /// Its locks, and why interrupts are masked.
    pub(crate) locks: ProcessorState,
    /// Its page for requests to the host, on SEV-SNP.
    pub(crate) ghcb: GhcbSlot,
}

/// The processor that the machine starts on.
pub(crate) static FIRST: Processor = Processor::new(ProcessorIndex::FIRST);

impl Processor {
    const fn new(index: ProcessorIndex) -> Self {
        Self {
            this: AtomicPtr::new(core::ptr::null_mut()),
            index,
            apic_id: AtomicU32::new(0),
            locks: ProcessorState::new(),
            ghcb: GhcbSlot::empty(),
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
