//! Virtual interrupts: the control area's field at 0x060.

use core::fmt;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Virtual interrupt controls [APM 24593 §15.21].
///
/// | bits | meaning |
/// |---|---|
/// | 7:0 | virtual task priority, also written by the guest |
/// | 8 | a virtual interrupt is pending |
/// | 19:16 | its priority |
/// | 20 | deliver it whatever the task priority is |
/// | 24 | the guest's RFLAGS.IF masks virtual interrupts only |
/// | 39:32 | its vector |
#[derive(Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct VirtualInterrupts(u64);

bitflags::bitflags! {
    impl VirtualInterrupts: u64 {
        /// A virtual interrupt is pending.
        const PENDING = 1 << 8;
        /// Deliver it whatever the guest's task priority is.
        const IGNORE_TASK_PRIORITY = 1 << 20;
        /// The guest's RFLAGS.IF masks virtual interrupts only; physical ones
        /// are masked by the flag that the host had at VMRUN.
        const MASKING = 1 << 24;
    }
}

impl VirtualInterrupts {
    /// These controls with a virtual interrupt of `vector` pending, which is
    /// delivered as soon as the guest's RFLAGS.IF allows.
    #[must_use]
    pub const fn with_pending(self, vector: u8) -> Self {
        let vector_bits = 0xff << 32;
        Self(self.0 & !vector_bits | (vector as u64) << 32)
            .union(Self::PENDING)
            .union(Self::IGNORE_TASK_PRIORITY)
    }
}

impl fmt::Debug for VirtualInterrupts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VirtualInterrupts({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_interrupt() {
        let controls = VirtualInterrupts::MASKING.with_pending(0x41);
        assert_eq!(controls.bits(), 0x41_0110_0100);
        assert_eq!(controls.with_pending(0x30).bits(), 0x30_0110_0100);
    }
}
