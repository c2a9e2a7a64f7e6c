//! RDMSR and WRMSR.

use abi_x86::Msr;
use processor::TrapFrame;

use crate::length::Length;

/// RDMSR, to be answered with the register's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct ReadMsr {
    msr: Msr,
    length: Length,
}

/// WRMSR, to be answered when the register has the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct WriteMsr {
    msr: Msr,
    value: u64,
    length: Length,
}

impl ReadMsr {
    pub(crate) const fn new(frame: &TrapFrame, length: Length) -> Self {
        Self { msr: Msr(frame.rcx as u32), length }
    }

    /// Which register.
    #[must_use]
    pub const fn msr(&self) -> Msr {
        self.msr
    }

    /// Finishes with `value` in EDX:EAX.
    pub fn answer(self, frame: &mut TrapFrame, value: u64) {
        frame.rax = value & 0xffff_ffff;
        frame.rdx = value >> 32;
        self.length.finish(frame);
    }
}

impl WriteMsr {
    pub(crate) const fn new(frame: &TrapFrame, length: Length) -> Self {
        let value = frame.rdx << 32 | frame.rax & 0xffff_ffff;
        Self { msr: Msr(frame.rcx as u32), value, length }
    }

    /// Which register.
    #[must_use]
    pub const fn msr(&self) -> Msr {
        self.msr
    }

    /// EDX:EAX: what it is to hold.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.value
    }

    /// Finishes.
    pub fn answer(self, frame: &mut TrapFrame) {
        self.length.finish(frame);
    }
}
