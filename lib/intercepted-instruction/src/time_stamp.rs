//! RDTSC and RDTSCP.

use processor::TrapFrame;

use crate::length::Length;

/// RDTSC or RDTSCP, to be answered with the counter, and for RDTSCP with the
/// MSR `TSC_AUX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct ReadTimeStamp {
    wants_aux: bool,
    length: Length,
}

impl ReadTimeStamp {
    /// RDTSC.
    pub(crate) const fn counter(length: Length) -> Self {
        Self { wants_aux: false, length }
    }

    /// RDTSCP.
    pub(crate) const fn counter_and_aux(length: Length) -> Self {
        Self { wants_aux: true, length }
    }

    /// Whether this is RDTSCP.
    #[must_use]
    pub const fn wants_aux(&self) -> bool {
        self.wants_aux
    }

    /// Finishes with the counter in EDX:EAX, and `aux` in ECX if it is wanted.
    pub fn answer(self, frame: &mut TrapFrame, counter: u64, aux: u32) {
        frame.rax = counter & 0xffff_ffff;
        frame.rdx = counter >> 32;
        if self.wants_aux {
            frame.rcx = aux.into();
        }
        self.length.finish(frame);
    }
}
