//! INS and OUTS, with and without a repeat prefix.

use abi_snp::ghcb::{PortIoDirection, PortIoWidth};
use abi_x86::Rflags;
use processor::TrapFrame;

use crate::length::Length;

/// INS or OUTS: elements that go from a port to memory or back. They can be
/// moved in several rounds, as a processor does that is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the instruction is not finished without its answer"]
pub struct StringAccess {
    port: u16,
    width: PortIoWidth,
    direction: PortIoDirection,
    address: u64,
    count: u64,
    is_repeated: bool,
    goes_down: bool,
    length: Length,
}

/// How far a [`StringAccess`] has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transferred {
    /// RIP is behind the instruction.
    All,
    /// Elements are left; the registers say so, and the instruction raises #VC
    /// again when it is resumed.
    Part,
}

impl StringAccess {
    /// INS or OUTS of `width` bytes at DX and RDI or RSI, as `direction` says.
    pub(crate) const fn new(
        frame: &TrapFrame,
        direction: PortIoDirection,
        width: PortIoWidth,
        length: Length,
    ) -> Self {
        let address = match direction {
            PortIoDirection::In => frame.rdi,
            PortIoDirection::Out => frame.rsi,
        };
        Self {
            port: frame.rdx as u16,
            width,
            direction,
            address,
            count: 1,
            is_repeated: false,
            goes_down: frame.rflags & Rflags::DF.bits() != 0,
            length,
        }
    }

    /// The same with the prefix REP: RCX times.
    pub(crate) const fn repeated(self, frame: &TrapFrame) -> Self {
        Self { count: frame.rcx, is_repeated: true, ..self }
    }

    /// Which port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Bytes in each element.
    #[must_use]
    pub const fn width(&self) -> PortIoWidth {
        self.width
    }

    /// In (INS): memory is written. Out (OUTS): memory is read.
    #[must_use]
    pub const fn direction(&self) -> PortIoDirection {
        self.direction
    }

    /// Elements to move; 0 if RCX was 0, and then the answer is to have moved
    /// none.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Linear address of the element with this number, counted from 0 in the
    /// order of the transfer: addresses fall with the direction flag set. They
    /// wrap, and are not checked.
    #[must_use]
    pub const fn address_of(&self, element: u64) -> u64 {
        let distance = element.wrapping_mul(self.width as u64);
        match self.goes_down {
            true => self.address.wrapping_sub(distance),
            false => self.address.wrapping_add(distance),
        }
    }

    /// Finishes as far as `moved` elements were moved, of which not more than
    /// [`Self::count`] are believed: RSI or RDI and RCX advance, and RIP if
    /// nothing is left.
    pub fn transferred(self, frame: &mut TrapFrame, moved: u64) -> Transferred {
        let moved = moved.min(self.count);
        let next = self.address_of(moved);
        match self.direction {
            PortIoDirection::In => frame.rdi = next,
            PortIoDirection::Out => frame.rsi = next,
        }
        if self.is_repeated {
            frame.rcx = self.count.saturating_sub(moved);
        }
        if moved < self.count {
            return Transferred::Part;
        }
        self.length.finish(frame);
        Transferred::All
    }
}
