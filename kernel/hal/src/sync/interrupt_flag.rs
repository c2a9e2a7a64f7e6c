//! The processor's interrupt flag.

#[cfg(target_os = "none")]
pub(super) use bare::{clear, set};
#[cfg(not(target_os = "none"))]
pub(super) use imitated::{clear, set};

#[cfg(target_os = "none")]
mod bare {
    use core::arch::asm;

    use crate::processor::current;
    use crate::raise_events::raise_events;

    /// Bit of RFLAGS that lets interrupts through.
    const INTERRUPT_FLAG: u64 = 1 << 9;

    /// Clears the flag; whether it was set.
    pub(in crate::sync) fn clear() -> bool {
        let flags: u64;
        // SAFETY: INV-INTERRUPT-1: fewer interrupts than before harm nobody. The
        // push goes to the stack that the compiler is told of. No `nomem`: what
        // comes after must not move before.
        unsafe {
            asm!("pushfq", "pop {}", "cli", out(reg) flags);
        }
        flags & INTERRUPT_FLAG != 0
    }

    /// Sets the flag.
    pub(in crate::sync) fn set() {
        // SAFETY: INV-INTERRUPT-1: it was set before the first guard, so the code
        // that runs on expects interrupts.
        unsafe {
            asm!("sti", options(nostack));
        }
        // Events that came before were left.
        if current().has_events() {
            raise_events();
        }
    }
}

/// A flag of the running thread, where there is an operating system.
#[cfg(not(target_os = "none"))]
mod imitated {
    extern crate std;

    use core::cell::Cell;

    std::thread_local! {
        static FLAG: Cell<bool> = const { Cell::new(true) };
    }

    /// Clears the flag; whether it was set.
    pub(in crate::sync) fn clear() -> bool {
        FLAG.replace(false)
    }

    /// Sets the flag.
    pub(in crate::sync) fn set() {
        FLAG.set(true);
    }

    #[cfg(test)]
    pub(crate) fn is_set() -> bool {
        FLAG.get()
    }
}

#[cfg(test)]
pub(crate) use imitated::is_set;
