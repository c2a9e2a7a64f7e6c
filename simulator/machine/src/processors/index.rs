//! Which processor, and which level of it.

use core::fmt;

use abi_snp::Vmpl;

/// Which virtual processor: a number from 0 on, which is also its x2APIC ID.
///
/// An index belongs to the [`Processors`](crate::processors::Processors) that
/// gave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessorIndex(u8);

impl ProcessorIndex {
    /// The processor that starts by itself.
    pub const BOOT: Self = Self(0);

    pub(super) const fn new(number: u8) -> Self {
        Self(number)
    }

    pub(super) const fn position(self) -> usize {
        self.0 as usize
    }

    /// The x2APIC ID.
    #[must_use]
    pub const fn apic_id(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for ProcessorIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "processor {}", self.0)
    }
}

impl fmt::Debug for ProcessorIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessorIndex({})", self.0)
    }
}

/// A level of a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// The processor.
    pub processor: ProcessorIndex,
    /// The level.
    pub vmpl: Vmpl,
}
