//! Instructions that the hypervisor executes for the guest.

use abi_x86::Msr;

use crate::cpuid::{CpuidQuery, CpuidResult};
use crate::processors::ProcessorIndex;

/// What kind of processor the guest sees.
pub trait Cpuid {
    /// Executes CPUID. Unknown leaves give zeros.
    fn cpuid(&mut self, processor: ProcessorIndex, query: CpuidQuery) -> CpuidResult;
}

/// The instruction ends in #GP(0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the instruction ends in #GP(0)")]
pub struct GeneralProtection;

/// Model-specific registers that the hypervisor reads and writes for the guest.
/// RDTSCP asks for [`Msr::TSC_AUX`].
pub trait SpecialRegisters {
    /// Executes RDMSR.
    ///
    /// # Errors
    ///
    /// There is no such register.
    fn read_msr(&mut self, processor: ProcessorIndex, msr: Msr) -> Result<u64, GeneralProtection>;

    /// Executes WRMSR.
    ///
    /// # Errors
    ///
    /// There is no such register, or it does not take the value.
    fn write_msr(
        &mut self,
        processor: ProcessorIndex,
        msr: Msr,
        value: u64,
    ) -> Result<(), GeneralProtection>;
}

/// The time stamp counter.
pub trait TimeStampCounter {
    /// What RDTSC returns.
    fn time_stamp(&mut self, processor: ProcessorIndex) -> u64;
}

/// Performance counters.
pub trait PerformanceCounters {
    /// Executes RDPMC for the counter with this number.
    ///
    /// # Errors
    ///
    /// There is no such counter.
    fn performance_counter(
        &mut self,
        processor: ProcessorIndex,
        number: u32,
    ) -> Result<u64, GeneralProtection>;
}

/// A call of the hypervisor by VMMCALL. What the registers mean besides `rax`
/// and `cpl` is the hypervisor's to define; they are `None` if not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hypercall {
    /// Privilege level of the caller.
    pub cpl: u8,
    /// RAX.
    pub rax: u64,
    /// RBX.
    pub rbx: Option<u64>,
    /// RCX.
    pub rcx: Option<u64>,
    /// RDX.
    pub rdx: Option<u64>,
    /// RSI.
    pub rsi: Option<u64>,
}

/// Hypercalls.
pub trait Hypercalls {
    /// Executes a hypercall and returns RAX.
    fn hypercall(&mut self, processor: ProcessorIndex, call: Hypercall) -> u64;
}
