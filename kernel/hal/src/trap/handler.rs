//! What happens on a trap.

use core::arch::asm;

use processor::{Report, TrapFrame};

use crate::println;
use crate::stop::stop_with_report;
use crate::stop_reason::StopReason;

/// Reports a trap and stops the machine.
///
/// # Safety
///
/// `frame` points to the registers that a stub saved, which stay untouched
/// (INV-TRAP-1).
pub(super) unsafe extern "C" fn handle(frame: *const TrapFrame) -> ! {
    // SAFETY: INV-TRAP-1: the stub passes a complete, aligned frame on the
    // stack of this very call, which never returns.
    let frame = unsafe { &*frame };
    let (cr2, cr3): (u64, u64);
    // SAFETY: reading control registers changes nothing.
    unsafe {
        asm!(
            "mov {}, cr2",
            "mov {}, cr3",
            out(reg) cr2,
            out(reg) cr3,
            options(nomem, nostack, preserves_flags),
        );
    }
    stop_with_report(StopReason::Trap(frame.vector()), || {
        println!("{}", Report { frame, cr2, cr3 });
    })
}
