//! Names of the functions on bus 0.

use core::fmt;

/// Devices on a bus, and functions of each.
const DEVICES: u8 = 32;
const FUNCTIONS: u8 = 8;

/// A function on bus 0: its device's number (0 to 31) and its own (0 to 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Function(u8);

impl Function {
    /// The first function of the first device: the host bridge.
    pub(super) const HOST_BRIDGE: Self = Self(0);

    /// The function whose device number is in bits 7:3 and whose own number is
    /// in bits 2:0, as in PCI's addresses.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The device's number, and the function's own below it.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The first function of every device. A device that does not have it has
    /// none.
    pub(super) fn firsts() -> impl Iterator<Item = Self> {
        (0..DEVICES).map(|device| Self(device * FUNCTIONS))
    }

    /// The other functions of the device of which this is the first.
    pub(super) fn others(self) -> impl Iterator<Item = Self> {
        (1..FUNCTIONS).map(move |function| Self(self.0 | function))
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00:{:02x}.{}", self.0 / FUNCTIONS, self.0 % FUNCTIONS)
    }
}
