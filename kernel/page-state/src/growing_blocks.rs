//! Detail blocks in pieces of memory that are added one by one.

use hal::sync::Once;

use super::detail::{BlockNumber, DetailBlock, DetailBlocks};
use super::fixed_blocks::FixedBlocks;
use super::table::PageStates;

/// The account of all pages as the kernel has it: words and blocks live for ever,
/// and blocks can become more.
pub type PageAccount = PageStates<'static, &'static GrowingBlocks>;

/// Most pieces of memory.
const MOST_PIECES: usize = 65;

/// Bits of a block's number within its piece.
const PIECE_SHIFT: u32 = 16;

/// Blocks that begin as some and become more. What was added stays.
#[derive(Debug)]
pub struct GrowingBlocks {
    pieces: [Once<FixedBlocks<'static>>; MOST_PIECES],
}

/// No more pieces can be added, or the piece has more than 2^16 blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no more memory can be added to keep account of pages in")]
pub struct NoPlace;

impl GrowingBlocks {
    /// No blocks.
    #[must_use]
    pub const fn new() -> Self {
        Self { pieces: [const { Once::new() }; MOST_PIECES] }
    }

    /// Adds blocks, which must be new.
    ///
    /// # Errors
    ///
    /// See [`NoPlace`].
    pub fn add(&self, blocks: &'static [DetailBlock]) -> Result<(), NoPlace> {
        if blocks.len() > 1 << PIECE_SHIFT {
            return Err(NoPlace);
        }
        let place = |piece: &Once<_>| piece.set(FixedBlocks::new(blocks)).is_ok();
        if self.pieces.iter().any(place) { Ok(()) } else { Err(NoPlace) }
    }

    /// How many blocks are not in use; others may take or give back some
    /// meanwhile.
    #[must_use]
    pub fn free(&self) -> usize {
        self.pieces.iter().filter_map(Once::get).map(FixedBlocks::free).sum()
    }

    fn piece(&self, number: BlockNumber) -> (&FixedBlocks<'static>, BlockNumber) {
        let BlockNumber(number) = number;
        let Some(piece) = self.pieces.get((number >> PIECE_SHIFT) as usize).and_then(Once::get)
        else {
            panic!("a block's number comes from a piece that stays")
        };
        (piece, BlockNumber(number & ((1 << PIECE_SHIFT) - 1)))
    }
}

impl Default for GrowingBlocks {
    fn default() -> Self {
        Self::new()
    }
}

impl DetailBlocks for GrowingBlocks {
    fn take(&self) -> Option<BlockNumber> {
        (0..).zip(&self.pieces).map_while(|(number, piece)| Some((number, piece.get()?))).find_map(
            |(piece, blocks): (u32, _)| {
                let BlockNumber(number) = blocks.take()?;
                Some(BlockNumber(piece << PIECE_SHIFT | number))
            },
        )
    }

    fn give_back(&self, number: BlockNumber) {
        let (piece, number) = self.piece(number);
        piece.give_back(number);
    }

    fn block(&self, number: BlockNumber) -> &DetailBlock {
        let (piece, number) = self.piece(number);
        piece.block(number)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;

    fn memory(count: usize) -> &'static [DetailBlock] {
        Box::leak((0..count).map(|_| DetailBlock::new()).collect::<Vec<_>>().into_boxed_slice())
    }

    #[test]
    fn blocks_come_from_all_pieces_and_go_back() {
        let blocks = GrowingBlocks::new();
        assert_eq!((blocks.take(), blocks.free()), (None, 0));
        blocks.add(memory(2)).unwrap();
        blocks.add(memory(1)).unwrap();
        assert_eq!(blocks.free(), 3);
        let taken: Vec<_> = core::iter::from_fn(|| blocks.take()).collect();
        assert_eq!(taken, [0, 1, 1 << 16].map(BlockNumber));
        assert_eq!(blocks.free(), 0);
        for (index, number) in taken.iter().enumerate() {
            let others = taken.iter().skip(index + 1);
            assert!(
                others
                    .map(|it| blocks.block(*it))
                    .all(|it| { !core::ptr::eq(it, blocks.block(*number)) })
            );
        }
        blocks.give_back(BlockNumber(1 << 16));
        assert_eq!(blocks.take(), Some(BlockNumber(1 << 16)));
    }

    #[test]
    fn there_is_an_end_to_pieces() {
        let blocks = GrowingBlocks::new();
        for _ in 0..MOST_PIECES {
            blocks.add(memory(1)).unwrap();
        }
        assert_eq!(blocks.add(memory(1)), Err(NoPlace));
        assert_eq!(GrowingBlocks::new().add(memory((1 << 16) + 1)), Err(NoPlace));
    }
}
