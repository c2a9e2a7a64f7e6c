//! CPUID.

use processor::TrapFrame;

use crate::length::Length;

/// CPUID, to be answered with four registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct CpuidCall {
    leaf: u32,
    subleaf: u32,
    length: Length,
}

impl CpuidCall {
    pub(crate) const fn new(frame: &TrapFrame, length: Length) -> Self {
        Self { leaf: frame.rax as u32, subleaf: frame.rcx as u32, length }
    }

    /// EAX: what is asked for.
    #[must_use]
    pub const fn leaf(&self) -> u32 {
        self.leaf
    }

    /// ECX: which part of it; without meaning for many leaves.
    #[must_use]
    pub const fn subleaf(&self) -> u32 {
        self.subleaf
    }

    /// Finishes with EAX, EBX, ECX and EDX.
    pub fn answer(self, frame: &mut TrapFrame, [eax, ebx, ecx, edx]: [u32; 4]) {
        frame.rax = eax.into();
        frame.rbx = ebx.into();
        frame.rcx = ecx.into();
        frame.rdx = edx.into();
        self.length.finish(frame);
    }
}
