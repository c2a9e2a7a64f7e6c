//! The interrupt table: one gate per vector, all leading to stubs.
//!
//! The stubs are code of whoever owns the processor. They lie at equal
//! distances, in the order of the vectors, so that the table is determined by
//! where the first one is.

use abi_x86::{DescriptorTablePointer, ExceptionVector, GateDescriptor};

use crate::segments::{CODE_SELECTOR, interrupt_stack_of};
use crate::table_pointer::table_pointer;

/// Where the entry points of the 256 vectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stubs {
    /// Virtual address of the stub of vector 0.
    pub first: u64,
    /// Bytes from one stub to the next.
    pub stride: u64,
}

/// An interrupt descriptor table with a gate for every vector.
pub struct InterruptTable([GateDescriptor; 256]);

impl InterruptTable {
    /// A table without any gate, all zero.
    #[must_use]
    pub const fn empty() -> Self {
        Self([GateDescriptor::MISSING; 256])
    }

    /// Fills the table in with gates to `stubs`, and gives the operand of LIDT.
    ///
    /// Interrupts are masked on entry. The gates use the code segment and the
    /// exception stacks of [`Segments`](crate::Segments), which must be loaded
    /// first. The reference ends here: what the processor reads, nobody may
    /// change any more.
    pub fn prepare(&'static mut self, stubs: Stubs) -> DescriptorTablePointer {
        self.fill(stubs);
        table_pointer(&raw const self.0)
    }

    fn fill(&mut self, stubs: Stubs) {
        for (vector, gate) in (0..=u8::MAX).zip(&mut self.0) {
            let stub = stubs.first + u64::from(vector) * stubs.stride;
            let stack = interrupt_stack_of(ExceptionVector(vector));
            *gate = GateDescriptor::interrupt(stub, CODE_SELECTOR, stack);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::boxed::Box;

    use abi_x86::InterruptStack;

    use super::*;

    #[test]
    fn every_vector_leads_to_its_stub() {
        let mut table = Box::new(InterruptTable::empty());
        table.fill(Stubs { first: 0x1000, stride: 16 });
        let gate = |handler, stack| GateDescriptor::interrupt(handler, CODE_SELECTOR, stack);
        assert_eq!(table.0[0], gate(0x1000, InterruptStack::Current));
        assert_eq!(table.0[8], gate(0x1080, InterruptStack::One));
        assert_eq!(table.0[255], gate(0x1ff0, InterruptStack::Current));
    }
}
