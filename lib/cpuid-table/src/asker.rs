//! State of the processor that asks, as far as answers depend on it.

use abi_x86::Cr4;

/// Registers and identity of the processor that executes CPUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// XCR0, for the sizes in leaf 0xd.
    pub xcr0: u64,
    /// `IA32_XSS`, for the sizes in leaf 0xd.
    pub xss: u64,
    /// CR4, which leaves 1 (`OSXSAVE`) and 7 (`OSPKE`) mirror.
    pub cr4: Cr4,
    /// The x2APIC identifier that this processor goes by.
    pub apic_id: u32,
}
