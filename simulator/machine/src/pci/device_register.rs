//! An access to device memory that a guest may make.

use super::window;

/// How many bytes of a device's memory are accessed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RegisterWidth {
    /// One byte.
    One = 1,
    /// Two bytes.
    Two = 2,
    /// Four bytes.
    Four = 4,
    /// Eight bytes.
    Eight = 8,
}

/// A register in device memory: within the memory for PCI devices, and aligned
/// to its width.
///
/// Only this module makes one, for registers of devices that the guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceRegister {
    address: u64,
    width: RegisterWidth,
}

impl DeviceRegister {
    /// The register at `address`, which a device shown to the guest has; `None`
    /// if `length` is not 1, 2, 4 or 8, or the address not a multiple of it, or
    /// not in the memory for PCI devices.
    pub(super) fn new(address: u64, length: usize) -> Option<Self> {
        let width = match length {
            1 => RegisterWidth::One,
            2 => RegisterWidth::Two,
            4 => RegisterWidth::Four,
            8 => RegisterWidth::Eight,
            _ => return None,
        };
        let end = address.checked_add(length as u64)?;
        let fits = address.is_multiple_of(length as u64) && window::holds(address, end);
        fits.then_some(Self { address, width })
    }

    /// Its physical address, the same in the guest and in the outer machine.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.address
    }

    /// How many bytes it has.
    #[must_use]
    pub const fn width(self) -> RegisterWidth {
        self.width
    }
}
