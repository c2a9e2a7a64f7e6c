//! Model-specific registers that every SEV-SNP guest has, to be read.

use abi_x86::Msr;

use crate::msr;

/// Registers that can be read without further ado.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuestRegister {
    /// What protection the guest runs with. It is never intercepted.
    SevStatus,
    /// What was exchanged with the host last.
    Ghcb,
}

/// RDMSR.
pub(super) fn read(register: GuestRegister) -> u64 {
    let msr = match register {
        GuestRegister::SevStatus => Msr::SEV_STATUS,
        GuestRegister::Ghcb => Msr::GHCB,
    };
    // SAFETY: INV-MSR-1: the registers exist on every processor that can run
    // this platform, and to read them changes nothing.
    unsafe { msr::read(msr) }
}
