//! Numbers of model-specific registers.

/// Open enumeration of model-specific registers: the operand that RDMSR and
/// WRMSR take in ECX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Msr(pub u32);

impl Msr {
    /// Base address and mode of the local APIC [APM 24593 §16.3.1].
    pub const APIC_BASE: Self = Self(0x0000_001b);
    /// Target of SYSENTER: code segment [APM 24593 §6.1.2].
    pub const SYSENTER_CS: Self = Self(0x0000_0174);
    /// Target of SYSENTER: stack pointer.
    pub const SYSENTER_ESP: Self = Self(0x0000_0175);
    /// Target of SYSENTER: instruction pointer.
    pub const SYSENTER_EIP: Self = Self(0x0000_0176);
    /// Page attribute table: memory types [APM 24593 §7.8.1].
    pub const PAT: Self = Self(0x0000_0277);
    /// Extended feature enable, see [`Efer`](crate::Efer) [APM 24593 §3.1.7].
    pub const EFER: Self = Self(0xc000_0080);
    /// Targets and segments of SYSCALL and SYSRET [APM 24593 §6.1.1].
    pub const STAR: Self = Self(0xc000_0081);
    /// Target of SYSCALL in 64-bit mode.
    pub const LSTAR: Self = Self(0xc000_0082);
    /// Target of SYSCALL in compatibility mode.
    pub const CSTAR: Self = Self(0xc000_0083);
    /// RFLAGS bits that SYSCALL clears.
    pub const SFMASK: Self = Self(0xc000_0084);
    /// Base of FS [APM 24593 §4.5.3].
    pub const FS_BASE: Self = Self(0xc000_0100);
    /// Base of GS.
    pub const GS_BASE: Self = Self(0xc000_0101);
    /// What SWAPGS exchanges the base of GS with.
    pub const KERNEL_GS_BASE: Self = Self(0xc000_0102);
    /// What RDTSCP and RDPID give beside the time [APM 24594, RDTSCP].
    pub const TSC_AUX: Self = Self(0xc000_0103);
    /// Controls of secure virtual machines, among them the lock of
    /// [`Efer::SVME`](crate::Efer::SVME) [APM 24593 §15.30.1].
    pub const VM_CR: Self = Self(0xc001_0114);
    /// Physical address of the page where VMRUN keeps the host's state
    /// [APM 24593 §15.30.4].
    pub const VM_HSAVE_PA: Self = Self(0xc001_0117);
    /// Guest physical address of the GHCB, or a request of the GHCB MSR
    /// protocol [APM 24593 §15.35.7].
    pub const GHCB: Self = Self(0xc001_0130);
    /// What kinds of encryption protect this guest [APM 24593 §15.34.10].
    pub const SEV_STATUS: Self = Self(0xc001_0131);
}
