//! Registers that VMRUN leaves in the processor: x87, SSE, debug registers.
//!
//! The hypervisor does not use them, so they stay the guest's through exits.
//! When another guest context takes the processor, the old one's are stored and
//! the new one's loaded.

use core::arch::asm;
use core::ptr;

use abi_x86::{Cr4, Msr};
use machine::processor::{MXCSR_MASK, XsaveImage};

use crate::instruction::write_msr;

/// Lets FXSAVE and FXRSTOR move the SSE registers too.
///
/// Called once, before the first guest.
pub(crate) fn enable() {
    // SAFETY: the bit changes nothing but what the instructions below do.
    unsafe {
        asm!(
            "mov {scratch}, cr4",
            "or {scratch}, {bit}",
            "mov cr4, {scratch}",
            scratch = out(reg) _,
            bit = const Cr4::OSFXSR.bits(),
            options(nomem, nostack),
        );
    }
}

/// Stores the processor's x87 and SSE registers in an image.
pub(crate) fn store(image: &mut XsaveImage) {
    // SAFETY: an image begins with the 512 bytes that FXSAVE writes, aligned to
    // 64. CR0.TS and EM are clear in the hypervisor.
    unsafe {
        asm!("fxsave64 [{}]", in(reg) ptr::from_mut(image), options(nostack, preserves_flags));
    }
}

/// Gives the processor's x87 and SSE registers the image's content, without
/// bits of MXCSR that are reserved: loading those would be an exception.
pub(crate) fn load(image: &mut XsaveImage) {
    image.mxcsr &= MXCSR_MASK;
    // SAFETY: as above; compiled code of this program holds nothing in these
    // registers, since its target has none.
    unsafe {
        asm!("fxrstor64 [{}]", in(reg) ptr::from_mut(image),
            options(nostack, preserves_flags, readonly));
    }
}

/// DR0 to DR3.
pub(crate) fn debug_addresses() -> [u64; 4] {
    let (dr0, dr1, dr2, dr3);
    // SAFETY: reading debug registers changes nothing.
    unsafe {
        asm!(
            "mov {}, dr0", "mov {}, dr1", "mov {}, dr2", "mov {}, dr3",
            out(reg) dr0, out(reg) dr1, out(reg) dr2, out(reg) dr3,
            options(nomem, nostack, preserves_flags),
        );
    }
    [dr0, dr1, dr2, dr3]
}

/// Sets DR0 to DR3, which do nothing in the hypervisor: an exit clears DR7.
pub(crate) fn set_debug_addresses([dr0, dr1, dr2, dr3]: [u64; 4]) {
    // SAFETY: as said.
    unsafe {
        asm!(
            "mov dr0, {}", "mov dr1, {}", "mov dr2, {}", "mov dr3, {}",
            in(reg) dr0, in(reg) dr1, in(reg) dr2, in(reg) dr3,
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// Sets the value that RDTSCP and RDPID give the guest.
pub(crate) fn set_tsc_aux(value: u32) {
    // SAFETY: QEMU's processors with RDTSCP have this register, which does
    // nothing but be read by those instructions.
    unsafe { write_msr(Msr::TSC_AUX, value.into()) }
}
