//! The page tables that a thread runs under.

#[cfg(target_os = "none")]
pub(super) use bare::{current, load};
#[cfg(not(target_os = "none"))]
pub(super) use imitated::{current, load};

#[cfg(target_os = "none")]
mod bare {
    use core::arch::asm;

    /// CR3.
    pub(in crate::thread) fn current() -> u64 {
        crate::control_registers::cr3()
    }

    /// Loads CR3 with what it held when the thread that is entered was left.
    ///
    /// # Safety
    ///
    /// INV-THREAD-3: `value` was read from CR3.
    pub(in crate::thread) unsafe fn load(value: u64) {
        // SAFETY: INV-THREAD-3: all tables map the kernel in the same way.
        unsafe { asm!("mov cr3, {}", in(reg) value, options(nostack, preserves_flags)) };
    }
}

/// A process has its page tables from its operating system.
#[cfg(not(target_os = "none"))]
mod imitated {
    pub(in crate::thread) fn current() -> u64 {
        0
    }

    /// # Safety
    ///
    /// None is needed; it stands for what needs some.
    pub(in crate::thread) unsafe fn load(_value: u64) {}
}
