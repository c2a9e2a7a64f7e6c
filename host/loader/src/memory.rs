//! The guest's memory: the machine's, and what the file adds to it.

use abi_simulator::{MemoryRange, memory_ranges};
use igvm::IgvmDirectiveHeader as Directive;
use svsm_image::file::{Igvm, Page, PageKind};

/// Bytes in a page.
const PAGE_SIZE: u64 = 4096;

/// Where the guest has memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuestMemory {
    machine: Vec<MemoryRange>,
    all: Vec<MemoryRange>,
    /// What the file requires and holds no page for.
    given: Vec<MemoryRange>,
}

impl GuestMemory {
    /// The memory of a machine with `machine_size` bytes that `igvm` is loaded
    /// into; `pages` are those for the platform of `mask`.
    ///
    /// Save areas need none: they are the platform's.
    pub(crate) fn new(machine_size: u64, igvm: &Igvm, mask: u32, pages: &[Page<'_>]) -> Self {
        let pages = pages.iter().filter(|page| page.kind != PageKind::Vmsa);
        let used: Vec<_> = pages.map(|page| (page.gpa, page.end())).collect();
        let required: Vec<_> = igvm
            .file()
            .directives()
            .iter()
            .filter_map(|directive| match directive {
                Directive::RequiredMemory { gpa, compatibility_mask, number_of_bytes, .. }
                    if compatibility_mask & mask != 0 =>
                {
                    Some((*gpa, gpa.saturating_add((*number_of_bytes).into())))
                }
                _ => None,
            })
            .collect();
        let machine = memory_ranges(machine_size);
        let given = machine.iter().map(|range| (range.gpa, range.end()));
        let all = merged(given.chain(used.clone()).chain(required.clone()).collect());
        let given = without(&merged(required), &merged(used));
        Self { machine, all, given }
    }

    /// All memory, ascending, without overlap.
    pub(crate) fn ranges(&self) -> &[MemoryRange] {
        &self.all
    }

    /// The memory that the machine has whatever the file is.
    pub(crate) fn of_machine(&self) -> &[MemoryRange] {
        &self.machine
    }

    /// The memory that is there because the file uses it.
    pub(crate) fn added(&self) -> Vec<MemoryRange> {
        without(&self.all, &self.machine)
    }

    /// The memory that is the guest's from the start, without content: what the
    /// file requires and holds no page for.
    pub(crate) fn given(&self) -> &[MemoryRange] {
        &self.given
    }
}

/// What is left of `ranges` without `holes`; both ascend.
fn without(ranges: &[MemoryRange], holes: &[MemoryRange]) -> Vec<MemoryRange> {
    let mut left = Vec::new();
    for range in ranges {
        let mut start = range.gpa;
        for hole in holes {
            let before = range.end().min(hole.gpa);
            if start < before {
                left.push(MemoryRange { gpa: start, size: before - start });
            }
            start = start.max(hole.end());
        }
        if start < range.end() {
            left.push(MemoryRange { gpa: start, size: range.end() - start });
        }
    }
    left
}

/// Ranges of whole pages that cover all of `ranges` (first address, first
/// address behind), as few as possible.
fn merged(mut ranges: Vec<(u64, u64)>) -> Vec<MemoryRange> {
    ranges.sort_unstable();
    let mut merged: Vec<MemoryRange> = Vec::new();
    for (start, end) in ranges {
        let gpa = start - start % PAGE_SIZE;
        // The last page of the address space is out of bounds in any case:
        // the launch file does not take it.
        let end = end.checked_next_multiple_of(PAGE_SIZE).unwrap_or(u64::MAX);
        match merged.last_mut() {
            _ if start == end => {}
            Some(last) if gpa <= last.end() => last.size = last.end().max(end) - last.gpa,
            _ => merged.push(MemoryRange { gpa, size: end - gpa }),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(ranges: &[MemoryRange]) -> Vec<(u64, u64)> {
        ranges.iter().map(|range| (range.gpa, range.end())).collect()
    }

    #[test]
    fn ranges_grow_to_pages_and_together() {
        let ranges = vec![(0x5000, 0x6000), (0x0, 0x1000), (0x1000, 0x1001), (0x5fff, 0x6001)];
        assert_eq!(pairs(&merged(ranges)), [(0, 0x2000), (0x5000, 0x7000)]);
        assert_eq!(merged(vec![(0x1000, 0x1000)]), []);
        assert_eq!(pairs(&merged(vec![(u64::MAX - 1, u64::MAX)])), [(u64::MAX - 0xfff, u64::MAX)]);
        assert_eq!(pairs(&merged(vec![(0, 0x9000), (0x1000, 0x2000)])), [(0, 0x9000)]);
    }

    #[test]
    fn what_the_file_adds_is_told_apart() {
        let range = |gpa, end| MemoryRange { gpa, size: end - gpa };
        let memory = GuestMemory {
            machine: vec![range(0x1000, 0x5000), range(0x9000, 0xa000)],
            all: vec![range(0, 0x6000), range(0x7000, 0x8000), range(0x9000, 0xc000)],
            given: Vec::new(),
        };
        let expected = [(0, 0x1000), (0x5000, 0x6000), (0x7000, 0x8000), (0xa000, 0xc000)];
        assert_eq!(pairs(&memory.added()), expected);
        let nothing = GuestMemory { all: memory.machine.clone(), ..memory.clone() };
        assert_eq!(nothing.added(), []);
        let everything = GuestMemory { machine: Vec::new(), ..memory };
        assert_eq!(everything.added(), everything.ranges());
    }
}
