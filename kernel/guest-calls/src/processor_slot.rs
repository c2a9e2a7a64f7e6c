//! What the registry knows of a processor.

use super::atomic::AtomicU64;

/// A processor of the module's.
#[derive(Debug)]
pub(super) struct ProcessorSlot {
    pub(super) apic_id: u32,
    /// Number of the entry of the virtual processor that calls here, plus 1.
    pub(super) current: AtomicU64,
    /// Number of the page that this processor reads or writes for its guest,
    /// plus 1.
    pub(super) touched: AtomicU64,
}

impl ProcessorSlot {
    pub(super) fn new(apic_id: u32) -> Self {
        Self { apic_id, current: AtomicU64::new(0), touched: AtomicU64::new(0) }
    }
}
