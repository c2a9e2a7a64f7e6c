//! What the server needs from the platform: one small trait for each concern.
//!
//! Values come from the guest unchecked, unless the trait says otherwise.

mod devices;
mod instructions;
mod interrupts;
mod memory;
mod security;

pub use devices::{DeviceMemory, NoDevice, Ports};
pub use instructions::{
    Cpuid, GeneralProtection, Hypercall, Hypercalls, PerformanceCounters, SpecialRegisters,
    TimeStampCounter,
};
pub use interrupts::{InterruptControl, InvalidCommand};
pub use memory::{PageStateRefused, PageStates};
pub use security::GuestRequests;

use crate::guest_memory::GuestMemory;

/// Everything together: whatever has all of the traits is a host.
pub trait Host:
    GuestMemory
    + PageStates
    + Ports
    + DeviceMemory
    + Cpuid
    + SpecialRegisters
    + TimeStampCounter
    + PerformanceCounters
    + Hypercalls
    + InterruptControl
    + GuestRequests
{
}

impl<T> Host for T where
    T: GuestMemory
        + PageStates
        + Ports
        + DeviceMemory
        + Cpuid
        + SpecialRegisters
        + TimeStampCounter
        + PerformanceCounters
        + Hypercalls
        + InterruptControl
        + GuestRequests
{
}
