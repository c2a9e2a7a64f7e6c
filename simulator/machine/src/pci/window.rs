//! Where device memory may be.

use super::function::Function;

/// First address of the memory for PCI devices, and the first behind it: below
/// the interrupt controllers and above all memory of a q35 with QEMU's own
/// settings, as the guest's ACPI tables say.
pub(super) const START: u64 = 0xc000_0000;
pub(super) const END: u64 = 0xfec0_0000;

/// Least distance of two ranges: a guest maps whole pages.
const GRANULE: u64 = 4096;

/// There is no room for a device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "PCI device {function} wants {bytes:#x} bytes of memory, more than is left of 1 GiB: leave \
     devices out"
)]
pub struct NoRoom {
    /// Whose memory it is.
    pub function: Function,
    /// How much it wants.
    pub bytes: u64,
}

/// Hands out places from the lowest on.
pub(super) struct Places {
    next: u64,
}

impl Places {
    pub(super) const fn all() -> Self {
        Self { next: START }
    }

    /// A place for `bytes`, a power of two; it is a multiple of that.
    ///
    /// # Errors
    ///
    /// There is none.
    pub(super) fn take(&mut self, function: Function, bytes: u64) -> Result<u64, NoRoom> {
        let refused = NoRoom { function, bytes };
        let place = self.next.checked_next_multiple_of(bytes.max(GRANULE)).ok_or(refused)?;
        let end = place.checked_add(bytes).filter(|end| *end <= END).ok_or(refused)?;
        self.next = end;
        Ok(place)
    }
}

/// Whether all bytes from `start` up to, not including, `end` lie in the window.
pub(super) const fn holds(start: u64, end: u64) -> bool {
    START <= start && end <= END
}
