//! Memory of the VM, in order.

use crate::refusal::Rule;

/// Bytes of a page, the unit of all memory.
pub const PAGE_SIZE: u64 = 4096;

/// What a range of memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Ordinary memory.
    Memory,
    /// Not to be touched; also what kinds that are not known here are taken as.
    Reserved,
    /// Keeps its content without power.
    Persistent,
    /// Memory with special properties, for software that asks for it.
    SpecificPurpose,
    /// Memory that is not to be shown to the guest.
    Hidden,
}

/// A range of guest physical memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRange {
    /// Address of the first byte, a multiple of [`PAGE_SIZE`].
    pub start: u64,
    /// Bytes, a multiple of [`PAGE_SIZE`] and not 0.
    pub size: u64,
    /// What it is.
    pub kind: MemoryKind,
}

impl MemoryRange {
    /// Something to fill an array with that a reader is to write to.
    pub const EMPTY: Self = Self { start: 0, size: 0, kind: MemoryKind::Reserved };

    /// Address behind the last byte. Of ranges of a [`MemoryMap`], which do not
    /// overflow; saturates otherwise.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.start.saturating_add(self.size)
    }
}

/// All memory that the host says there is: sorted by address, without overlap,
/// neighbours of one kind joined, each range whole pages below the limit of
/// physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryMap<'a> {
    ranges: &'a [MemoryRange],
}

impl<'a> MemoryMap<'a> {
    /// The ranges, at least one of them [`MemoryKind::Memory`].
    #[must_use]
    pub const fn ranges(&self) -> &'a [MemoryRange] {
        self.ranges
    }

    /// Bytes of memory of one kind.
    #[must_use]
    pub fn size_of(&self, kind: MemoryKind) -> u64 {
        // Ranges do not overlap and end below 2^64, and so does their sum.
        self.ranges.iter().filter(|range| range.kind == kind).map(|range| range.size).sum()
    }

    /// Address behind the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.ranges.last().map_or(0, MemoryRange::end)
    }

    /// The range that has all of the `size` bytes from `start` on, if one has.
    #[must_use]
    pub fn range_with(&self, start: u64, size: u64) -> Option<&'a MemoryRange> {
        let behind = self.ranges.partition_point(|range| range.start <= start);
        let range = self.ranges.get(behind.checked_sub(1)?)?;
        (start.checked_add(size)? <= range.end()).then_some(range)
    }
}

/// Collects ranges in any order.
pub(crate) struct MemoryMapBuilder<'a> {
    storage: &'a mut [MemoryRange],
    used: usize,
    limit: u64,
}

impl<'a> MemoryMapBuilder<'a> {
    /// Ranges go into `storage`; their addresses are below `limit`.
    pub(crate) const fn new(storage: &'a mut [MemoryRange], limit: u64) -> Self {
        Self { storage, used: 0, limit }
    }

    /// Adds a range; one without pages counts for nothing.
    pub(crate) fn add(
        &mut self,
        first_page: u64,
        pages: u64,
        kind: MemoryKind,
    ) -> Result<(), Rule> {
        if pages == 0 {
            return Ok(());
        }
        let range = page_range(first_page, pages, kind, self.limit)?;
        let capacity = self.storage.len();
        *self.storage.get_mut(self.used).ok_or(Rule::TooManyEntries(capacity))? = range;
        self.used += 1;
        Ok(())
    }

    /// Adds a range that is given in bytes.
    pub(crate) fn add_bytes(
        &mut self,
        start: u64,
        size: u64,
        kind: MemoryKind,
    ) -> Result<(), Rule> {
        if !start.is_multiple_of(PAGE_SIZE) || !size.is_multiple_of(PAGE_SIZE) {
            return Err(Rule::NotWholePages { start, size });
        }
        self.add(start / PAGE_SIZE, size / PAGE_SIZE, kind)
    }

    /// Sorts, checks and joins.
    pub(crate) fn finish(self) -> Result<MemoryMap<'a>, Rule> {
        let (ranges, _) = self.storage.split_at_mut(self.used);
        in_order(ranges)
    }
}

/// The range of so many pages; it ends below `limit`.
pub(crate) fn page_range(
    first_page: u64,
    pages: u64,
    kind: MemoryKind,
    limit: u64,
) -> Result<MemoryRange, Rule> {
    first_page
        .checked_add(pages)
        .and_then(|end| end.checked_mul(PAGE_SIZE))
        .filter(|end| *end <= limit)
        // Neither product overflows: both are not above the end.
        .map(|_| MemoryRange { start: first_page * PAGE_SIZE, size: pages * PAGE_SIZE, kind })
        .ok_or(Rule::AddressRange { first_page, pages, limit })
}

/// The map with these ranges, each of whole pages and below the limit.
pub(crate) fn in_order(ranges: &mut [MemoryRange]) -> Result<MemoryMap<'_>, Rule> {
    sort(ranges)?;
    if !ranges.iter().any(|range| range.kind == MemoryKind::Memory) {
        return Err(Rule::NoMemory);
    }
    let joined = join(ranges);
    let (ranges, _) = ranges.split_at(joined);
    Ok(MemoryMap { ranges })
}

/// Sorts ranges, none of which may overlap another one.
pub(crate) fn sort(ranges: &mut [MemoryRange]) -> Result<(), Rule> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut pairs = ranges.array_windows();
    match pairs.find(|[one, next]| next.start < one.end()) {
        Some([_, next]) => Err(Rule::Overlap(next.start)),
        None => Ok(()),
    }
}

/// Joins neighbours of one kind; how many are left at the start of the slice.
fn join(ranges: &mut [MemoryRange]) -> usize {
    let mut last: usize = 0;
    for next in 1..ranges.len() {
        let (one, other) = (ranges[last], ranges[next]);
        if one.end() == other.start && one.kind == other.kind {
            ranges[last].size += other.size;
        } else {
            last += 1;
            ranges[last] = other;
        }
    }
    ranges.len().min(last + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: u64 = 1 << 40;

    fn range(start: u64, size: u64, kind: MemoryKind) -> MemoryRange {
        MemoryRange { start, size, kind }
    }

    #[test]
    fn ranges_are_sorted_and_joined() {
        let mut storage = [MemoryRange::EMPTY; 5];
        let mut builder = MemoryMapBuilder::new(&mut storage, LIMIT);
        builder.add(0x100, 0x10, MemoryKind::Memory).unwrap();
        builder.add(0x10, 0x10, MemoryKind::Memory).unwrap();
        builder.add(7, 0, MemoryKind::Hidden).unwrap();
        builder.add_bytes(0x2_0000, 0x1000, MemoryKind::Memory).unwrap();
        builder.add(0x21, 1, MemoryKind::Hidden).unwrap();
        let map = builder.finish().unwrap();
        let expected = [
            range(0x1_0000, 0x1_1000, MemoryKind::Memory),
            range(0x2_1000, 0x1000, MemoryKind::Hidden),
            range(0x10_0000, 0x1_0000, MemoryKind::Memory),
        ];
        assert_eq!(map.ranges(), expected);
        assert_eq!((map.size_of(MemoryKind::Memory), map.end()), (0x2_1000, 0x11_0000));
        assert_eq!(map.range_with(0x1_0000, 0x1_1000), Some(&expected[0]));
        assert_eq!(map.range_with(0x1_ffff, 2), Some(&expected[0]));
        assert_eq!(map.range_with(0x2_0fff, 2), None);
        assert_eq!(map.range_with(0xffff, 1), None);
        assert_eq!(map.range_with(0x11_0000, 1), None);
        assert_eq!(map.range_with(u64::MAX, u64::MAX), None);
    }

    #[test]
    fn impossible_ranges_are_refused() {
        let mut storage = [MemoryRange::EMPTY; 1];
        let mut builder = MemoryMapBuilder::new(&mut storage, LIMIT);
        let limit = LIMIT / PAGE_SIZE;
        for (first_page, pages) in
            [(limit, 1), (0, limit + 1), (limit - 1, 2), (u64::MAX, 1), (1, u64::MAX), (1 << 52, 1)]
        {
            let refused = Rule::AddressRange { first_page, pages, limit: LIMIT };
            assert_eq!(builder.add(first_page, pages, MemoryKind::Memory), Err(refused));
        }
        for (start, size) in [(1, 0x1000), (0x1000, 0x1001)] {
            let refused = Rule::NotWholePages { start, size };
            assert_eq!(builder.add_bytes(start, size, MemoryKind::Memory), Err(refused));
        }
        builder.add(limit - 1, 1, MemoryKind::Memory).unwrap();
        assert_eq!(builder.add(0, 1, MemoryKind::Memory), Err(Rule::TooManyEntries(1)));
    }

    #[test]
    fn overlap_and_nothing_are_refused() {
        let mut storage = [MemoryRange::EMPTY; 2];
        let mut builder = MemoryMapBuilder::new(&mut storage, LIMIT);
        builder.add(4, 4, MemoryKind::Memory).unwrap();
        builder.add(0, 5, MemoryKind::Reserved).unwrap();
        assert_eq!(builder.finish(), Err(Rule::Overlap(0x4000)));
        let builder = MemoryMapBuilder::new(&mut storage, LIMIT);
        assert_eq!(builder.finish(), Err(Rule::NoMemory));
        let mut builder = MemoryMapBuilder::new(&mut storage, LIMIT);
        builder.add(0, 5, MemoryKind::Reserved).unwrap();
        assert_eq!(builder.finish(), Err(Rule::NoMemory));
    }

    proptest! {
        /// A page belongs to the map exactly if it was added, with its kind.
        #[test]
        fn no_page_is_lost(ranges in prop::collection::vec((0..64_u64, 1..8_u64, any::<bool>()), 1..8)) {
            let mut pages = [None; 72];
            let mut overlaps = false;
            let mut storage = [MemoryRange::EMPTY; 8];
            let mut builder = MemoryMapBuilder::new(&mut storage, LIMIT);
            for (first, count, is_memory) in ranges {
                let kind = if is_memory { MemoryKind::Memory } else { MemoryKind::Persistent };
                builder.add(first, count, kind).unwrap();
                for page in &mut pages[first as usize..(first + count) as usize] {
                    overlaps |= page.replace(kind).is_some();
                }
            }
            match builder.finish() {
                Ok(map) => {
                    prop_assert!(!overlaps);
                    for (page, kind) in pages.into_iter().enumerate() {
                        let found = map.range_with(page as u64 * PAGE_SIZE, PAGE_SIZE);
                        prop_assert_eq!(found.map(|range| range.kind), kind);
                    }
                    for [one, next] in map.ranges().array_windows() {
                        prop_assert!(one.end() < next.start || one.end() == next.start && one.kind != next.kind);
                    }
                }
                Err(Rule::Overlap(_)) => prop_assert!(overlaps),
                Err(rule) => {
                    prop_assert_eq!(rule, Rule::NoMemory);
                    prop_assert!(!pages.contains(&Some(MemoryKind::Memory)));
                }
            }
        }
    }
}
