//! Model-specific registers.

use core::arch::asm;

use abi_x86::Msr;

/// RDMSR.
///
/// # Safety
///
/// INV-MSR-1: the register exists, and reading it has no side effect on memory.
pub(crate) unsafe fn read(msr: Msr) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: INV-MSR-1.
    unsafe {
        asm!(
            "rdmsr",
            in("ecx") msr.0,
            out("eax") low,
            out("edx") high,
            options(nostack, preserves_flags),
        );
    }
    u64::from(high) << 32 | u64::from(low)
}

/// WRMSR.
///
/// # Safety
///
/// INV-MSR-1: the register exists, takes this value, and nothing that Rust code
/// relies on changes with it.
pub(crate) unsafe fn write(msr: Msr, value: u64) {
    // SAFETY: INV-MSR-1.
    unsafe {
        asm!(
            "wrmsr",
            in("ecx") msr.0,
            in("eax") value as u32,
            in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags),
        );
    }
}
