//! Device registers behind x86 I/O ports.

use core::arch::asm;

use serial::Registers;

/// First port of a PC's first serial port.
pub(crate) const COM1: u16 = 0x3f8;

/// Eight consecutive I/O ports.
pub(crate) struct Ports {
    first: u16,
}

impl Ports {
    /// The ports `first` to `first + 7`.
    ///
    /// # Safety
    ///
    /// Whatever value is written to these ports in whatever order, memory that
    /// Rust code uses must not change (INV-HV-PORT-1).
    pub(crate) const unsafe fn new(first: u16) -> Self {
        assert!(first <= u16::MAX - 7);
        Self { first }
    }

    fn port(&self, index: u8) -> u16 {
        assert!(index < 8, "drivers name registers by constants below 8");
        self.first + u16::from(index)
    }
}

impl Registers for Ports {
    fn read(&self, index: u8) -> u8 {
        let value;
        // SAFETY: INV-HV-PORT-1: access to these ports changes no memory.
        unsafe {
            asm!(
                "in al, dx",
                in("dx") self.port(index),
                out("al") value,
                options(nomem, nostack, preserves_flags),
            );
        }
        value
    }

    fn write(&self, index: u8, value: u8) {
        // SAFETY: INV-HV-PORT-1: access to these ports changes no memory.
        unsafe {
            asm!(
                "out dx, al",
                in("dx") self.port(index),
                in("al") value,
                options(nomem, nostack, preserves_flags),
            );
        }
    }
}
