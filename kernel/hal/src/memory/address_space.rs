//! What a user process sees.
//!
//! The lower half of the address space is the process's own. The upper half is
//! the kernel's, the same for all: the kernel's top-level entries are copied and
//! lead to the kernel's tables.

use alloc::vec::Vec;
use core::ops::Range;

use page_tables::{Access, Attributes, Encryption, Error, Mode, PageTables, Tables};

use super::flush::flush;
use super::frame_kind::User;
use super::frames::Frames;
use super::kernel_space::{c_bit_mask, upper_half};
use super::tables::LinearTables;
use super::user_range::USER_END;
use crate::OutOfMemory;
#[cfg(target_os = "none")]
use crate::control_registers::{cr3, load_cr3};

/// Why memory was not mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// There cannot be user memory at this address.
    #[error("{0:#x} does not begin a page of user memory")]
    Address(u64),
    /// Something is mapped there already.
    #[error("{0:#x} is mapped already")]
    Occupied(u64),
    /// There is no memory for a page table, or for noting what is mapped.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

/// The address space of a user process. It owns the memory that it maps; when it
/// is dropped, memory and tables go back.
///
/// A processor uses it while it does what it was given to do
/// [there](Self::enter), and the space exists for as long (INV-SPACE-1).
#[derive(Debug)]
pub struct AddressSpace {
    tables: PageTables,
    /// What is mapped, by its first address, in rising order.
    mapped: Vec<(u64, Frames<User>)>,
}

impl AddressSpace {
    /// An address space whose lower half is empty.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`].
    pub fn new() -> Result<Self, OutOfMemory> {
        let root = LinearTables.allocate().ok_or(OutOfMemory)?;
        for (index, entry) in upper_half() {
            LinearTables.write(root, index, entry);
        }
        Ok(Self { tables: PageTables::at(root, c_bit_mask()), mapped: Vec::new() })
    }

    /// Does `work` in this address space: user memory is what is mapped here. The
    /// thread may be interrupted and wait meanwhile; others do not see it, nor do
    /// threads that are made meanwhile.
    #[cfg(target_os = "none")]
    pub fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        let outside = cr3();
        // SAFETY: INV-THREAD-3: this space is borrowed until `outside` is loaded
        // again, which makes the processor forget it: no panic goes past here,
        // since it stops the machine. Where this thread is left meanwhile, CR3 is
        // loaded as well, unless the next one has entered the same space, and
        // borrows it, too. `outside` are the kernel's tables, or a space in
        // which the caller is doing its work.
        let load = |tables| unsafe { load_cr3(tables) };
        load(self.tables.root() | self.tables.c_bit_mask());
        let result = work();
        load(outside);
        result
    }

    /// Maps `frames` at `address`, for user mode.
    ///
    /// # Errors
    ///
    /// See [`MapError`]; the frames are given back to the allocator.
    pub fn map(
        &mut self,
        address: u64,
        frames: Frames<User>,
        access: Access,
    ) -> Result<(), MapError> {
        let range = range_of(address, &frames)?;
        self.mapped.try_reserve(1).map_err(|_| OutOfMemory)?;
        let attributes = Attributes { access, mode: Mode::User, encryption: Encryption::Private };
        let tables = &mut self.tables;
        tables.map(&mut LinearTables, range, frames.address(), attributes).map_err(|error| {
            match error {
                Error::Occupied(address) => MapError::Occupied(address),
                Error::OutOfTables => MapError::OutOfMemory(OutOfMemory),
                error => panic!("frames and user addresses can be mapped, but {error}"),
            }
        })?;
        let place = self.mapped.partition_point(|(start, _)| *start < address);
        #[expect(clippy::disallowed_methods, reason = "there is room: it was reserved")]
        self.mapped.insert(place, (address, frames));
        Ok(())
    }

    /// Takes away what was mapped at `address` by one call of
    /// [`map`](Self::map), and returns it; `None` if there was none.
    pub fn unmap(&mut self, address: u64) -> Option<Frames<User>> {
        let place = self.mapped.binary_search_by_key(&address, |(start, _)| *start).ok()?;
        let (_, frames) = self.mapped.remove(place);
        let range = address..address + frames.size();
        // A page of 2 MiB lies within what was mapped by one call.
        let unmapped = self.tables.unmap(&mut LinearTables, range.clone());
        assert!(unmapped.is_ok(), "nothing is left to split at borders of what was mapped");
        flush(range);
        Some(frames)
    }
}

impl Drop for AddressSpace {
    fn drop(&mut self) {
        // INV-SPACE-1: nobody works there any more, for that takes a borrow.
        self.tables.take_down_lower_half(&mut LinearTables);
        LinearTables.release(self.tables.root());
    }
}

/// Where frames lie if they are mapped at `address`.
fn range_of(address: u64, frames: &Frames<User>) -> Result<Range<u64>, MapError> {
    let end = address.checked_add(frames.size());
    let fits = address.is_multiple_of(abi_x86::SIZE_4K) && end.is_some_and(|end| end <= USER_END);
    if fits { Ok(address..address + frames.size()) } else { Err(MapError::Address(address)) }
}
