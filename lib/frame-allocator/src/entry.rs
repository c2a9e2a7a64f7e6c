//! What is known of one frame, in eight bytes.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kind::{KINDS, Kind};

/// Room for what an allocator knows of one frame. All bytes zero, which is the
/// [`Default`], says that the frame is not the allocator's.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct FrameEntry(u64);

const _: () = assert!(size_of::<FrameEntry>() == 8);

/// Most frames that the links of free blocks can tell apart.
pub(crate) const MOST_FRAMES: usize = LINK_MASK as usize;

/// Bits of a link: an index plus one, or 0 for none.
const LINK_BITS: u32 = 24;
const LINK_MASK: u64 = (1 << LINK_BITS) - 1;
const PREVIOUS_SHIFT: u32 = LINK_BITS;
const ORDER_SHIFT: u32 = 2 * LINK_BITS;
const STATE_SHIFT: u32 = 56;

const ABSENT: u8 = 0;
const FREE_FIRST: u8 = 1;
const FREE_OTHER: u8 = 2;
/// State of a frame in use by kind 0; the others follow.
const USED: u8 = 3;
const LAST_USED: u8 = USED + KINDS as u8 - 1;

/// An entry in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameState {
    /// Not the allocator's.
    Absent,
    /// First frame of a free block.
    FreeFirst(FreeBlock),
    /// Another frame of a free block.
    FreeOther,
    /// Handed out.
    Used(Kind),
}

/// A free block of `1 << order` frames, in the list of its order. Neighbours
/// are named by their first frame's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FreeBlock {
    pub(crate) order: u8,
    pub(crate) previous: Option<u32>,
    pub(crate) next: Option<u32>,
}

impl FrameEntry {
    pub(crate) fn state(self) -> FrameState {
        let link = |shift: u32| ((self.0 >> shift & LINK_MASK) as u32).checked_sub(1);
        match (self.0 >> STATE_SHIFT) as u8 {
            FREE_FIRST => FrameState::FreeFirst(FreeBlock {
                order: (self.0 >> ORDER_SHIFT) as u8,
                previous: link(PREVIOUS_SHIFT),
                next: link(0),
            }),
            FREE_OTHER => FrameState::FreeOther,
            state @ USED..=LAST_USED => FrameState::Used(Kind::new(state - USED)),
            _ => FrameState::Absent,
        }
    }
}

impl From<FrameState> for FrameEntry {
    fn from(state: FrameState) -> Self {
        let link = |index: Option<u32>| index.map_or(0, |index| u64::from(index) + 1);
        Self(match state {
            FrameState::Absent => u64::from(ABSENT) << STATE_SHIFT,
            FrameState::FreeFirst(FreeBlock { order, previous, next }) => {
                u64::from(FREE_FIRST) << STATE_SHIFT
                    | u64::from(order) << ORDER_SHIFT
                    | link(previous) << PREVIOUS_SHIFT
                    | link(next)
            }
            FrameState::FreeOther => u64::from(FREE_OTHER) << STATE_SHIFT,
            FrameState::Used(kind) => u64::from(USED + kind.number()) << STATE_SHIFT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_survive_being_entries() {
        let last = MOST_FRAMES as u32 - 1;
        let blocks = [(0, None, None), (12, Some(0), Some(last)), (3, Some(last), Some(1))];
        let free = blocks.map(|(order, previous, next)| {
            FrameState::FreeFirst(FreeBlock { order, previous, next })
        });
        let used = [0, 1, 15].map(|number| FrameState::Used(Kind::new(number)));
        let others = [FrameState::Absent, FrameState::FreeOther];
        for state in free.into_iter().chain(used).chain(others) {
            assert_eq!(FrameEntry::from(state).state(), state);
        }
        assert_eq!(FrameEntry::default().state(), FrameState::Absent);
    }
}
