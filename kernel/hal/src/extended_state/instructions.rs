//! Saving and loading, by one instruction each.

use core::arch::asm;

use super::format::Format;

/// Saves the registers to `area`.
///
/// # Safety
///
/// INV-EXTENDED-1: `area` is aligned to 64 bytes and has room for them, and only
/// the caller uses it.
pub(super) unsafe fn save(format: Format, area: *mut u64) {
    // SAFETY: as above; the instruction writes nothing else.
    unsafe {
        match format {
            Format::Fxsave => {
                asm!("fxsave64 [{}]", in(reg) area, options(nostack, preserves_flags));
            }
            Format::Xsave { features } => asm!(
                "xsave64 [{}]",
                in(reg) area,
                in("eax") features as u32,
                in("edx") (features >> 32) as u32,
                options(nostack, preserves_flags),
            ),
        }
    }
}

/// Loads the registers from `area`.
///
/// # Safety
///
/// INV-EXTENDED-1: `area` holds what [`save`] put there with the same format, or
/// an initial state. Nobody minds what happens to the registers.
pub(super) unsafe fn load(format: Format, area: *mut u64) {
    // SAFETY: as above. The compiler is not told of the registers: on bare metal
    // it uses none, and elsewhere they are the caller's to lose at a call.
    unsafe {
        match format {
            Format::Fxsave => {
                asm!("fxrstor64 [{}]", in(reg) area, options(nostack, preserves_flags));
            }
            Format::Xsave { features } => asm!(
                "xrstor64 [{}]",
                in(reg) area,
                in("eax") features as u32,
                in("edx") (features >> 32) as u32,
                options(nostack, preserves_flags),
            ),
        }
    }
}
