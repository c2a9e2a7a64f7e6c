//! The page tables that a thread runs under.

#[cfg(target_os = "none")]
pub(super) use bare::{current, load, of_kernel};
#[cfg(not(target_os = "none"))]
pub(super) use imitated::{current, load, of_kernel};

#[cfg(target_os = "none")]
mod bare {
    pub(in crate::thread) use crate::control_registers::{
        cr3 as current, kernel_tables as of_kernel, load_cr3 as load,
    };
}

/// A process has its page tables from its operating system.
#[cfg(not(target_os = "none"))]
mod imitated {
    pub(in crate::thread) fn current() -> u64 {
        0
    }

    pub(in crate::thread) fn of_kernel() -> u64 {
        0
    }

    /// # Safety
    ///
    /// None is needed; it stands for what needs some.
    pub(in crate::thread) unsafe fn load(_value: u64) {}
}
