//! Device registers behind x86 I/O ports.
//!
//! Only this file says which ports there are to use, and so vouches for what
//! their devices do (INV-HV-PORT-1).

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

/// Consecutive I/O ports, of devices that change no memory that Rust code uses,
/// whatever is read from them and written to them in whatever order
/// (INV-HV-PORT-1). All there are are the constants below.
pub(crate) struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// The legacy interrupt controllers (8259).
    pub(crate) const LEGACY_INTERRUPTS: [Self; 2] =
        [Self::range(0x20, 0x21), Self::range(0xa0, 0xa1)];
    /// The interval timer (8254).
    pub(crate) const TIMER: Self = Self::range(0x40, 0x43);
    /// The timer's gate.
    pub(crate) const TIMER_GATE: Self = Self::range(0x61, 0x61);
    /// The clock and its memory (MC146818).
    pub(crate) const CLOCK: Self = Self::range(0x70, 0x71);
    /// QEMU's debug console.
    pub(crate) const DEBUG_CONSOLE: Self = Self::range(0xe9, 0xe9);
    /// QEMU's debug exit, of four ports.
    pub(crate) const DEBUG_EXIT: Self = Self::range(0xf4, 0xf7);
    /// The first serial port (16550).
    pub(crate) const SERIAL: Self = Self::range(COM1, COM1 + 7);
    /// Items for firmware (`fw_cfg`). Their interface to memory has ports of its
    /// own.
    pub(crate) const FIRMWARE_CONFIGURATION: Self = Self::range(0x510, 0x511);
    /// Power management: events, control, timer.
    pub(crate) const POWER: Self = Self::range(0x600, 0x60b);
    /// PCI's configuration, which changes no memory by itself. What devices do to
    /// memory when they have been configured is INV-HV-DMA-1.
    pub(crate) const PCI_CONFIGURATION: Self = Self::range(0xcf8, 0xcff);

    const fn range(first: u16, last: u16) -> Self {
        assert!(first <= last);
        Self { first, last }
    }

    /// Whether all of an access goes to these ports.
    pub(crate) fn hold(&self, port: u16, width: Width) -> bool {
        let last = port.checked_add(width.bytes() - 1);
        self.first <= port && last.is_some_and(|last| last <= self.last)
    }

    /// Reads from ports, which must be among these. Bits beyond the width are 0.
    pub(crate) fn input(&self, port: u16, width: Width) -> u32 {
        assert!(self.hold(port, width), "port {port:#x}: callers stay within their ports");
        let value: u32;
        // SAFETY: INV-HV-PORT-1: access to these ports changes no memory.
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

    /// Writes to ports, which must be among these. Bits of `value` beyond the
    /// width do not count.
    pub(crate) fn output(&self, port: u16, width: Width, value: u32) {
        assert!(self.hold(port, width), "port {port:#x}: callers stay within their ports");
        // SAFETY: INV-HV-PORT-1: access to these ports changes no memory.
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
}

/// Registers of a byte each, the first in the first port.
impl Registers for Ports {
    fn read(&self, index: u8) -> u8 {
        self.input(self.first + u16::from(index), Width::One) as u8
    }

    fn write(&self, index: u8, value: u8) {
        self.output(self.first + u16::from(index), Width::One, value.into());
    }
}
