//! Memory that a loader leaves its data in.

/// Memory outside of the module, by physical address.
pub trait PhysicalMemory {
    /// Copies the bytes from `address` on to `to`.
    ///
    /// # Errors
    ///
    /// There is no such memory, or it is the module's own; a part of `to` may
    /// have been written.
    fn read(&self, address: u64, to: &mut [u8]) -> Result<(), Unreadable>;
}

/// The memory cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;
