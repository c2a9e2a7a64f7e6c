//! Processor reset by triple fault.

use core::arch::asm;

/// An exception without an interrupt table, and none for the exception that
/// this causes: the processor shuts down, and the machine resets
/// [APM 24593 §8.2.9].
pub(crate) fn triple_fault() -> ! {
    /// An interrupt table register value of limit 0.
    static NO_TABLE: [u16; 5] = [0; 5];
    // SAFETY: the interrupt table is gone from here on, and nothing runs any
    // more that could miss it: the exception is not returned from.
    unsafe {
        asm!("cli", "lidt [{}]", "ud2", in(reg) &raw const NO_TABLE, options(noreturn));
    }
}
