//! There is no memory left.

use frame_allocator::OutOfFrames;

/// There is not as much free memory as was asked for, or not in one piece.
/// Nothing was changed; whoever asked has to do without, or to try again when
/// somebody has given memory back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("out of memory")]
pub struct OutOfMemory;

impl From<OutOfFrames> for OutOfMemory {
    fn from(_: OutOfFrames) -> Self {
        Self
    }
}
