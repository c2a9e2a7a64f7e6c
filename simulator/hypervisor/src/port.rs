//! Device registers behind x86 I/O ports.

use core::arch::asm;

use serial::Registers;

/// First port of a PC's first serial port.
pub(crate) const COM1: u16 = 0x3f8;

/// How many bytes an access has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    One,
    Two,
    Four,
}

impl Width {
    /// All bits that an access of this width has.
    pub(crate) const fn mask(self) -> u32 {
        match self {
            Self::One => 0xff,
            Self::Two => 0xffff,
            Self::Four => u32::MAX,
        }
    }

    pub(crate) const fn bytes(self) -> u16 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
        }
    }
}

/// Reads a port. Bits beyond the width are 0.
///
/// # Safety
///
/// Reading it must change no memory that Rust code uses (INV-HV-PORT-1).
pub(crate) unsafe fn input(port: u16, width: Width) -> u32 {
    let value: u32;
    // SAFETY: as this function's.
    unsafe {
        match width {
            Width::One => asm!("in al, dx", in("dx") port, inout("eax") 0 => value,
                options(nomem, nostack, preserves_flags)),
            Width::Two => asm!("in ax, dx", in("dx") port, inout("eax") 0 => value,
                options(nomem, nostack, preserves_flags)),
            Width::Four => asm!("in eax, dx", in("dx") port, out("eax") value,
                options(nomem, nostack, preserves_flags)),
        }
    }
    value
}

/// Writes a port. Bits of `value` beyond the width do not count.
///
/// # Safety
///
/// Writing it must change no memory that Rust code uses (INV-HV-PORT-1).
pub(crate) unsafe fn output(port: u16, width: Width, value: u32) {
    // SAFETY: as this function's.
    unsafe {
        match width {
            Width::One => asm!("out dx, al", in("dx") port, in("eax") value,
                options(nomem, nostack, preserves_flags)),
            Width::Two => asm!("out dx, ax", in("dx") port, in("eax") value,
                options(nomem, nostack, preserves_flags)),
            Width::Four => asm!("out dx, eax", in("dx") port, in("eax") value,
                options(nomem, nostack, preserves_flags)),
        }
    }
}

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
        // SAFETY: INV-HV-PORT-1: access to these ports changes no memory.
        unsafe { input(self.port(index), Width::One) as u8 }
    }

    fn write(&self, index: u8, value: u8) {
        // SAFETY: INV-HV-PORT-1: access to these ports changes no memory.
        unsafe { output(self.port(index), Width::One, value.into()) }
    }
}
