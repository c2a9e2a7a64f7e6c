//! Memory outside of the region, which the loader left its data in.

use abi_boot::PAGE_SIZE;
use platform_parameters::{PhysicalMemory, Unreadable};

use crate::memory::{Encryption, Window, WindowSize};

/// All memory but the module's own.
pub(super) struct OutsideMemory;

impl PhysicalMemory for OutsideMemory {
    fn read(&self, address: u64, to: &mut [u8]) -> Result<(), Unreadable> {
        for_each_page(address, to.len(), |window, offset, bytes| {
            let part = to.get_mut(bytes).ok_or(Unreadable)?;
            window.read(offset, part).map_err(|_| Unreadable)
        })
    }
}

impl OutsideMemory {
    /// Copies `from` to the bytes from `address` on, which nobody uses.
    pub(super) fn write(&self, address: u64, from: &[u8]) -> Result<(), Unreadable> {
        for_each_page(address, from.len(), |window, offset, bytes| {
            let part = from.get(bytes).ok_or(Unreadable)?;
            window.write(offset, part).map_err(|_| Unreadable)
        })
    }
}

/// Opens the pages that so many bytes from `address` on lie in, one after the
/// other. `access` gets the offset in the page, and which of the bytes lie there.
fn for_each_page(
    address: u64,
    size: usize,
    mut access: impl FnMut(&Window, usize, core::ops::Range<usize>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut done = 0;
    while done < size {
        let here = address.checked_add(done as u64).ok_or(Unreadable)?;
        let offset = (here % PAGE_SIZE) as usize;
        let part = (PAGE_SIZE as usize - offset).min(size - done);
        let window = Window::open(here - offset as u64, WindowSize::Small, Encryption::Private);
        access(&window.map_err(|_| Unreadable)?, offset, done..done + part)?;
        done += part;
    }
    Ok(())
}
