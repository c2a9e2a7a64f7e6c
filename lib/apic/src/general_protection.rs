//! Why the processor refuses an access to an MSR.

use abi_x86::Msr;

/// RDMSR or WRMSR raises #GP(0), for this reason [SDM 3A §11.12.1.3].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneralProtection {
    /// The register can be reached in x2APIC mode only.
    #[error("MSR {:#x} can only be reached in x2APIC mode", .0.0)]
    NotInX2apicMode(Msr),
    /// There is no such register.
    #[error("the local APIC has no MSR {:#x}", .0.0)]
    NoSuchRegister(Msr),
    /// The register can only be written.
    #[error("MSR {:#x} of the local APIC can only be written", .0.0)]
    WriteOnly(Msr),
    /// The register can only be read.
    #[error("MSR {:#x} of the local APIC can only be read", .0.0)]
    ReadOnly(Msr),
    /// Bits are set that must be zero.
    #[error("bits {bits:#x} of MSR {:#x} must be zero", .msr.0)]
    ReservedBits {
        /// The register.
        msr: Msr,
        /// The bits that are set and must not be.
        bits: u64,
    },
    /// The local APIC cannot change from its present mode to this one
    /// [SDM 3A §11.12.5].
    #[error("the local APIC's mode bits 11:10 cannot change from {from:#b} to {to:#b}")]
    ModeChange {
        /// Bits 11:10 of the base register before.
        from: u8,
        /// Bits 11:10 that were written.
        to: u8,
    },
    /// A priority class above 15 in CR8.
    #[error("CR8 takes priority classes 0 to 15, not {0:#x}")]
    PriorityClass(u64),
}
