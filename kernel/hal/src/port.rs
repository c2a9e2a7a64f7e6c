//! Device registers behind x86 I/O ports.

use core::arch::asm;

use serial::Registers;

/// First port of a PC's first serial port.
pub(crate) const COM1: u16 = 0x3f8;

/// Eight consecutive I/O ports that belong to one device.
pub(crate) struct Ports {
    first: u16,
}

impl Ports {
    /// The ports `first` to `first + 7`.
    ///
    /// # Safety
    ///
    /// Whatever value is written to these ports in whatever order, memory that
    /// Rust code uses must not change (INV-PORT-1).
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
        // SAFETY: INV-PORT-1: access to these ports changes no memory.
        unsafe { read(self.port(index)) }
    }

    fn write(&self, index: u8, value: u8) {
        // SAFETY: INV-PORT-1: access to these ports changes no memory.
        unsafe { write(self.port(index), value) }
    }
}

/// Reads a port.
///
/// # Safety
///
/// INV-PORT-1: that changes no memory that Rust code uses.
pub(crate) unsafe fn read(port: u16) -> u8 {
    let value;
    // SAFETY: INV-PORT-1.
    unsafe {
        asm!(
            "in al, dx",
            in("dx") port,
            out("al") value,
            options(nomem, nostack, preserves_flags),
        );
    }
    value
}

/// Writes a port.
///
/// # Safety
///
/// INV-PORT-1: that changes no memory that Rust code uses.
pub(crate) unsafe fn write(port: u16, value: u8) {
    // SAFETY: INV-PORT-1.
    unsafe {
        asm!(
            "out dx, al",
            in("dx") port,
            in("al") value,
            options(nomem, nostack, preserves_flags),
        );
    }
}
