//! Numbers of model-specific registers.

/// Open enumeration of model-specific registers: the operand that RDMSR and
/// WRMSR take in ECX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Msr(pub u32);

impl Msr {
    /// Base address and mode of the local APIC [APM 24593 §16.3.1].
    pub const APIC_BASE: Self = Self(0x0000_001b);
    /// Page attribute table: memory types [APM 24593 §7.8.1].
    pub const PAT: Self = Self(0x0000_0277);
    /// Extended feature enable, see [`Efer`](crate::Efer) [APM 24593 §3.1.7].
    pub const EFER: Self = Self(0xc000_0080);
    /// Guest physical address of the GHCB, or a request of the GHCB MSR
    /// protocol [APM 24593 §15.35.7].
    pub const GHCB: Self = Self(0xc001_0130);
    /// What kinds of encryption protect this guest [APM 24593 §15.34.10].
    pub const SEV_STATUS: Self = Self(0xc001_0131);
}
