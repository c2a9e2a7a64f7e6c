//! IN and OUT.

use abi_snp::ghcb::PortIoWidth;
use processor::TrapFrame;

use crate::length::Length;

/// IN, to be answered with what the port says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct ReadPort {
    port: u16,
    width: PortIoWidth,
    length: Length,
}

/// OUT, to be answered when the port has the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct WritePort {
    port: u16,
    width: PortIoWidth,
    value: u32,
    length: Length,
}

/// The bits of a register that an access of this width takes.
const fn mask(width: PortIoWidth) -> u64 {
    match width {
        PortIoWidth::One => 0xff,
        PortIoWidth::Two => 0xffff,
        PortIoWidth::Four => 0xffff_ffff,
    }
}

impl ReadPort {
    pub(crate) const fn new(port: u16, width: PortIoWidth, length: Length) -> Self {
        Self { port, width, length }
    }

    /// Which port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes are read.
    #[must_use]
    pub const fn width(&self) -> PortIoWidth {
        self.width
    }

    /// Finishes with `value`, of which only as many bytes count as were asked
    /// for: in AL, AX or EAX. Writing EAX clears the upper half of RAX
    /// [APM 24592 §3.1.2].
    pub fn answer(self, frame: &mut TrapFrame, value: u32) {
        let kept = match self.width {
            PortIoWidth::Four => 0,
            PortIoWidth::One | PortIoWidth::Two => frame.rax & !mask(self.width),
        };
        frame.rax = kept | u64::from(value) & mask(self.width);
        self.length.finish(frame);
    }
}

impl WritePort {
    pub(crate) const fn new(
        frame: &TrapFrame,
        port: u16,
        width: PortIoWidth,
        length: Length,
    ) -> Self {
        Self { port, width, value: (frame.rax & mask(width)) as u32, length }
    }

    /// Which port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes are written.
    #[must_use]
    pub const fn width(&self) -> PortIoWidth {
        self.width
    }

    /// The value; bits above the width are zero.
    #[must_use]
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// Finishes.
    pub fn answer(self, frame: &mut TrapFrame) {
        self.length.finish(frame);
    }
}
