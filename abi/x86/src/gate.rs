//! Gates: the entries of the interrupt descriptor table.
//!
//! 16 bytes each in long mode [APM 24593 §4.8.4], [SDM 3A §6.14.1]. Only
//! interrupt gates are described: they mask interrupts on entry, which a
//! handler that has not yet saved anything relies on.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::segment::SegmentSelector;

/// The stack that the processor switches to when it goes through a gate
/// [APM 24593 §8.9.4].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum InterruptStack {
    /// Stay on the current stack; from user mode, the stack for level 0.
    Current = 0,
    /// The first stack of
    /// [`interrupt_stacks`](crate::TaskStateSegment::interrupt_stacks).
    One = 1,
    /// The second.
    Two = 2,
    /// The third.
    Three = 3,
    /// The fourth.
    Four = 4,
    /// The fifth.
    Five = 5,
    /// The sixth.
    Six = 6,
    /// The seventh.
    Seven = 7,
}

/// One entry of the interrupt descriptor table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct GateDescriptor([u64; 2]);

const _: () = assert!(size_of::<GateDescriptor>() == 16);

impl GateDescriptor {
    /// A vector without a handler: using it is a #NP exception.
    pub const MISSING: Self = Self([0; 2]);

    /// An interrupt gate that software can use at privilege level 0 only,
    /// leading to `handler` (a virtual address) in the code segment `code`.
    #[must_use]
    pub const fn interrupt(handler: u64, code: SegmentSelector, stack: InterruptStack) -> Self {
        const PRESENT: u64 = 1 << 47;
        const TYPE_INTERRUPT_GATE: u64 = 0xe << 40;
        let offset = (handler & 0xffff) | (handler >> 16 & 0xffff) << 48;
        let selector = (code.0 as u64) << 16;
        let stack = (stack as u64) << 32;
        Self([offset | selector | stack | TYPE_INTERRUPT_GATE | PRESENT, handler >> 32])
    }

    /// The gate as the processor reads it.
    #[must_use]
    pub const fn bits(self) -> [u64; 2] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gate_holds_the_whole_address() {
        let gate = GateDescriptor::interrupt(
            0x1122_3344_5566_7788,
            SegmentSelector(0x10),
            InterruptStack::Seven,
        );
        assert_eq!(gate.bits(), [0x5566_8e07_0010_7788, 0x1122_3344]);
    }

    #[test]
    fn current_stack_is_zero() {
        let gate = GateDescriptor::interrupt(
            0,
            SegmentSelector::supervisor(1).unwrap(),
            InterruptStack::Current,
        );
        assert_eq!(gate.bits(), [0x0000_8e00_0008_0000, 0]);
    }

    #[test]
    fn missing_gate_is_not_present() {
        assert_eq!(GateDescriptor::MISSING.as_bytes(), [0; 16]);
    }
}
