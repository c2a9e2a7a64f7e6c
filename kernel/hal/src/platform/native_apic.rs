//! Interrupt controllers of a plain PC: the local APIC, and the old one, which
//! stays silent.

use abi_x86::Msr;

use crate::local_apic::{LocalApic, Registers};
use crate::msr;
use crate::start_error::StartError;

/// The own processor's local APIC. Its processor must have x2APIC mode.
pub(super) const LOCAL_APIC: LocalApic<X2ApicRegisters> = LocalApic(X2ApicRegisters);

/// Registers in x2APIC mode.
pub(super) struct X2ApicRegisters;

/// Accesses by instructions do not fail, they fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Never {}

impl From<Never> for StartError {
    fn from(never: Never) -> Self {
        match never {}
    }
}

impl Registers for X2ApicRegisters {
    type Error = Never;

    fn read(&self, register: Msr) -> Result<u64, Never> {
        // SAFETY: INV-MSR-1: `LocalApic` names registers of the controller, which
        // access no memory.
        Ok(unsafe { msr::read(register) })
    }

    fn write(&self, register: Msr, value: u64) -> Result<(), Never> {
        // SAFETY: INV-MSR-1: as above; interrupts that follow find their gates
        // (INV-TRAP-1).
        unsafe { msr::write(register, value) };
        Ok(())
    }
}

/// Ports of the two 8259s' masks.
pub(super) const MASKS: [u16; 2] = [0x21, 0xa1];
/// No interrupt passes.
pub(super) const ALL_MASKED: u8 = 0xff;
