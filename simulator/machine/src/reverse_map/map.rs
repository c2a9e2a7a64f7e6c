//! The reverse map of one guest.

use crate::gpa::Gpa;
use crate::reverse_map::entry::Entry;
use crate::reverse_map::statistics::Statistics;
use crate::reverse_map::table::{LayoutError, MemoryRange, Table};

/// The reverse map of one guest: its table and its statistics.
///
/// What can be done with it stands in the files beside this one, by who does
/// it: the guest's instructions, the processor for each access and each entry
/// into a save area, the hypervisor, the security processor.
#[derive(Clone, Debug)]
pub struct ReverseMap {
    pub(crate) table: Table,
    pub(crate) statistics: Statistics,
}

impl ReverseMap {
    /// The reverse map for a guest with this memory, in which every page is
    /// the hypervisor's. It takes four bytes for each 4 KiB.
    ///
    /// Everything else is not covered: to the guest, pages of the hypervisor
    /// for ever.
    ///
    /// # Errors
    ///
    /// Ranges that are not whole pages or that overlap, or too little memory.
    pub fn new(memory: &[MemoryRange]) -> Result<Self, LayoutError> {
        let table = Table::new(memory)?;
        let statistics = Statistics::new().map_err(|_| LayoutError::OutOfMemory(0))?;
        Ok(Self { table, statistics })
    }

    /// The entry of the page that holds `gpa`; `None` if it is not covered.
    #[must_use]
    pub fn entry(&self, gpa: Gpa) -> Option<Entry> {
        self.table.slot(gpa).map(|slot| slot.entry)
    }

    /// Every page with its first byte, in the order of addresses; a page of
    /// 2 MiB occurs once.
    pub fn pages(&self) -> impl Iterator<Item = (Gpa, Entry)> + '_ {
        self.table.pages()
    }

    /// What was done so far. Accesses are not counted.
    #[must_use]
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }
}
