//! Resident memory by kind.

use core::fmt;

use abi_boot::PAGE_SIZE;
use frame_allocator::Kind;

use super::frame_kind::{
    FrameKind, Heap, KernelData, Lost, PageTable, SaveArea, Secret, SharedWithHost, Stack, User,
};
use super::{frame_cache, frame_pool, region};

/// Names of the kinds, as the log and benchmarks show them.
const KINDS: [(&str, Kind); 9] = [
    ("page tables", PageTable::KIND),
    ("heap", Heap::KIND),
    ("stacks", Stack::KIND),
    ("user", User::KIND),
    ("shared with host", SharedWithHost::KIND),
    ("save areas", SaveArea::KIND),
    ("kernel data", KernelData::KIND),
    ("secrets", Secret::KIND),
    ("lost", Lost::KIND),
];

/// Bytes of the region by what they are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// What nobody uses.
    pub free: u64,
    /// What was placed by the builder, and what is noted of frames.
    pub fixed: u64,
    /// Names of uses, with their bytes.
    pub kinds: [(&'static str, u64); KINDS.len()],
}

/// What the region is used for at this moment; all zero before memory starts.
#[must_use]
pub fn statistics() -> Statistics {
    let bytes = |frames: u32| u64::from(frames) * PAGE_SIZE;
    let region = region::region();
    // What processors keep is free; it may change between the two looks.
    let kept = KINDS.map(|(_, kind)| frame_cache::kept(kind));
    let counted = frame_pool::with(|pool| (pool.free(), KINDS.map(|(_, kind)| pool.used(kind))));
    let (free, used) = counted.unwrap_or_default();
    let free = bytes(free + kept.iter().sum::<u32>());
    let mut kinds = KINDS.map(|(name, _)| (name, 0));
    for ((place, used), kept) in kinds.iter_mut().zip(used).zip(kept) {
        place.1 = bytes(used.saturating_sub(kept));
    }
    let known = free + kinds.iter().map(|(_, bytes)| bytes).sum::<u64>();
    Statistics { free, fixed: (region.end - region.start).saturating_sub(known), kinds }
}

impl fmt::Display for Statistics {
    /// One line, in KiB; uses without memory are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB free, {} KiB fixed", self.free / 1024, self.fixed / 1024)?;
        for (name, bytes) in self.kinds.iter().filter(|(_, bytes)| *bytes != 0) {
            write!(f, ", {} KiB {name}", bytes / 1024)?;
        }
        Ok(())
    }
}
