//! Control registers of the own processor.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

use abi_x86::Cr4;

/// CR3, the C-bit included where there is one.
pub(crate) fn cr3() -> u64 {
    let value: u64;
    // SAFETY: reading it changes nothing.
    unsafe { asm!("mov {}, cr3", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// Loads CR3: another lower half, the same upper half.
///
/// # Safety
///
/// INV-THREAD-3: `value` names the kernel's tables, or those of an address space
/// that exists for as long as they are loaded.
pub(crate) unsafe fn load_cr3(value: u64) {
    // SAFETY: INV-THREAD-3: all tables map the kernel in the same way.
    unsafe { asm!("mov cr3, {}", in(reg) value, options(nostack, preserves_flags)) };
}

/// What CR3 holds while nothing but the kernel is mapped; 0 until it is noted.
static KERNEL_TABLES: AtomicU64 = AtomicU64::new(0);

/// Notes that CR3 holds the kernel's own tables. For the start.
pub(crate) fn note_kernel_tables() {
    KERNEL_TABLES.store(cr3(), Ordering::Relaxed);
}

/// What CR3 holds while nothing but the kernel is mapped.
///
/// # Panics
///
/// It has not been noted.
pub(crate) fn kernel_tables() -> u64 {
    let value = KERNEL_TABLES.load(Ordering::Relaxed);
    assert!(value != 0, "memory starts before there are threads");
    value
}

/// What CR2 holds where no page fault has left an address: none can be it,
/// because it is not canonical.
const NO_FAULT: u64 = 1 << 63;

/// Takes the address of this processor's last page fault out of CR2; `None` if
/// there was none since the last time.
pub(crate) fn take_fault_address() -> Option<u64> {
    let address: u64;
    // SAFETY: the processor writes the register and never reads it.
    unsafe {
        asm!(
            "mov {address}, cr2",
            "mov cr2, {none}",
            address = out(reg) address,
            none = in(reg) NO_FAULT,
            options(nomem, nostack, preserves_flags),
        );
    }
    (address != NO_FAULT).then_some(address)
}

/// CR4.
pub(crate) fn cr4() -> Cr4 {
    let value: u64;
    // SAFETY: reading it changes nothing.
    unsafe { asm!("mov {}, cr4", out(reg) value, options(nomem, nostack, preserves_flags)) };
    Cr4::from_bits_retain(value)
}

/// Sets `flags` in CR4.
///
/// # Safety
///
/// INV-CONTROL-1: the processor has them, and none of them changes what Rust
/// code may do, other than by forbidding what it does not do.
pub(crate) unsafe fn set_cr4(flags: Cr4) {
    let value = cr4() | flags;
    // SAFETY: INV-CONTROL-1. Memory accesses stay where they are.
    unsafe { asm!("mov cr4, {}", in(reg) value.bits(), options(nostack, preserves_flags)) };
}

/// XCR0; CR4.OSXSAVE must be set.
pub(crate) fn xcr0() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reading it changes nothing; without CR4.OSXSAVE it is an exception,
    // which is reported.
    unsafe {
        asm!(
            "xgetbv",
            in("ecx") 0,
            out("eax") low,
            out("edx") high,
            options(nomem, nostack, preserves_flags),
        );
    }
    u64::from(high) << 32 | u64::from(low)
}
