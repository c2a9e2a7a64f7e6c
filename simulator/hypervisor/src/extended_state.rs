//! Registers that VMRUN leaves in the processor: x87, SSE, AVX, XCR0, debug
//! registers.
//!
//! The hypervisor does not use them, so they stay the guest's through exits.
//! When another guest context takes the processor, the old one's are stored and
//! the new one's loaded.

use core::arch::asm;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use abi_x86::{Cr4, Msr};
use machine::processor::{MXCSR_MASK, StateComponents, XsaveImage};

use crate::instruction::write_msr;

/// Which registers guests have, beyond the general ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registers {
    /// x87 and SSE.
    Sse,
    /// AVX, too: the processor has XSAVE.
    Avx,
}

/// Whether guests have AVX.
static HAVE_AVX: AtomicBool = AtomicBool::new(false);

/// All that an image holds, as in XCR0.
const ALL: u32 =
    StateComponents::X87.union(StateComponents::SSE).union(StateComponents::AVX).bits() as u32;

/// Lets FXSAVE and FXRSTOR, or XSAVE and XRSTOR, move the guest's registers.
///
/// Called once, before the first guest.
pub(crate) fn enable(registers: Registers) {
    let mut bits = Cr4::OSFXSR;
    bits.set(Cr4::OSXSAVE, registers == Registers::Avx);
    HAVE_AVX.store(registers == Registers::Avx, Ordering::Relaxed);
    // SAFETY: the bit changes nothing but what the instructions below do.
    unsafe {
        asm!(
            "mov {scratch}, cr4",
            "or {scratch}, {bit}",
            "mov cr4, {scratch}",
            scratch = out(reg) _,
            bit = in(reg) bits.bits(),
            options(nomem, nostack),
        );
    }
}

/// Stores the processor's x87, SSE and AVX registers in an image. XCR0 may
/// change: [`load`] comes before the guest goes on.
pub(crate) fn store(image: &mut XsaveImage) {
    let have_avx = HAVE_AVX.load(Ordering::Relaxed);
    let image = ptr::from_mut(image);
    // SAFETY: an image is what XSAVE writes with these components, aligned to
    // 64, and begins with what FXSAVE writes. CR0.TS and EM are clear in the
    // hypervisor. With AVX there are XCR0, which nothing but the guest looks at,
    // and XSAVE.
    unsafe {
        if have_avx {
            asm!("xsetbv", "xsave64 [{}]", in(reg) image, in("ecx") 0, in("eax") ALL, in("edx") 0,
                options(nostack, preserves_flags));
        } else {
            asm!("fxsave64 [{}]", in(reg) image, options(nostack, preserves_flags));
        }
    }
}

/// Gives the processor's x87, SSE and AVX registers the image's content, without
/// bits of MXCSR that are reserved: loading those would be an exception. XCR0
/// becomes `xcr0`, which is possible for a guest.
pub(crate) fn load(image: &mut XsaveImage, xcr0: u64) {
    image.mxcsr &= MXCSR_MASK;
    let have_avx = HAVE_AVX.load(Ordering::Relaxed);
    if have_avx {
        (image.components, image.compaction) = (ALL.into(), 0);
    }
    let image = ptr::from_mut(image);
    // SAFETY: as above; compiled code of this program holds nothing in these
    // registers, since its target has none. What a guest may have in XCR0, the
    // processor has: the offer is made of what its CPUID says.
    unsafe {
        if have_avx {
            asm!("xsetbv", "xrstor64 [{}]", "mov eax, {:e}", "xsetbv",
                in(reg) image, in(reg) xcr0 as u32,
                in("ecx") 0, inout("eax") ALL => _, in("edx") 0,
                options(nostack, preserves_flags, readonly));
        } else {
            asm!("fxrstor64 [{}]", in(reg) image, options(nostack, preserves_flags, readonly));
        }
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
