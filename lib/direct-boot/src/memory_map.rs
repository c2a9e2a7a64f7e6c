//! Which memory is the guest's: made from what the machine has.

use core::ops::Range;

use crate::boot_parameters::MOST_RANGES;
use crate::memory_range::{MemoryKind, MemoryRange};

/// Addresses of video memory, expansion ROMs and BIOS on a PC. Guests are told
/// of nothing there but what the caller names.
const LEGACY_AREA: Range<u64> = 0xa_0000..0x10_0000;

const NOTHING: MemoryRange = MemoryRange { base: 0, size: 0, kind: MemoryKind::Reserved };

/// A guest's memory map: sorted, without overlap, at most [`MOST_RANGES`].
#[derive(Clone, Debug)]
pub struct MemoryMap {
    ranges: [MemoryRange; MOST_RANGES],
    count: usize,
}

/// Why there is no map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryMapError {
    /// More ranges than Linux takes.
    #[error("the guest's memory is in more than {MOST_RANGES} pieces")]
    TooManyRanges,
    /// The range at this address overlaps the one below it.
    #[error("the range of memory at {0:#x} overlaps the one below it")]
    Overlap(u64),
    /// The range at this address wraps around the end of the address space.
    #[error("the range of memory at {0:#x} wraps around")]
    Wraps(u64),
}

impl MemoryMap {
    /// The map of a guest on a machine with the memory `ram`, of which the
    /// ranges `taken` are not ordinary memory: the module's region, pages that
    /// the platform or the module uses with the guest, ACPI tables. They are in
    /// the map as they are, whether there is memory or not; all other memory is
    /// usable, but none from 0xa_0000 to 0xf_ffff. The order of both does not
    /// matter; empty ranges are left out.
    ///
    /// # Errors
    ///
    /// See [`MemoryMapError`].
    pub fn new(
        ram: impl IntoIterator<Item = Range<u64>>,
        taken: &[MemoryRange],
    ) -> Result<Self, MemoryMapError> {
        let mut map = Self { ranges: [NOTHING; MOST_RANGES], count: 0 };
        for range in taken {
            range.end().ok_or(MemoryMapError::Wraps(range.base))?;
            map.push(*range)?;
        }
        map.sort()?;
        // Usable ranges are added behind the taken ones, which stay sorted.
        let taken = map.count;
        for range in ram {
            let below = range.start..range.end.min(LEGACY_AREA.start);
            let above = range.start.max(LEGACY_AREA.end)..range.end;
            for usable in [below, above] {
                map.add_usable(usable, taken)?;
            }
        }
        map.sort()?;
        Ok(map)
    }

    /// The ranges, sorted.
    #[must_use]
    pub fn ranges(&self) -> &[MemoryRange] {
        self.ranges.get(..self.count).unwrap_or_default()
    }

    /// Adds what none of the first `taken` ranges holds of `range`.
    fn add_usable(&mut self, range: Range<u64>, taken: usize) -> Result<(), MemoryMapError> {
        let mut next = range.start;
        for index in 0..taken {
            let Some(hole) = self.ranges().get(index).copied() else { break };
            // Checked when it was added.
            let hole_end = hole.end().unwrap_or(u64::MAX);
            self.push_usable(next, hole.base.min(range.end))?;
            next = next.max(hole_end);
        }
        self.push_usable(next, range.end)
    }

    fn push_usable(&mut self, base: u64, end: u64) -> Result<(), MemoryMapError> {
        let size = end.saturating_sub(base);
        self.push(MemoryRange { base, size, kind: MemoryKind::Usable })
    }

    fn push(&mut self, range: MemoryRange) -> Result<(), MemoryMapError> {
        if range.size == 0 {
            return Ok(());
        }
        let slot = self.ranges.get_mut(self.count).ok_or(MemoryMapError::TooManyRanges)?;
        *slot = range;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn sort(&mut self) -> Result<(), MemoryMapError> {
        let ranges = self.ranges.get_mut(..self.count).unwrap_or_default();
        ranges.sort_unstable_by_key(|range| range.base);
        for (below, above) in ranges.iter().zip(ranges.iter().skip(1)) {
            if below.end().is_none_or(|end| end > above.base) {
                return Err(MemoryMapError::Overlap(above.base));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
