//! Bytes to and from memory that others change at any time.
//!
//! Such memory is reached as atomic words: whatever the other side does, a word
//! that is read has some value, and has it once.

use core::sync::atomic::{AtomicU64, Ordering};

const WORD: usize = size_of::<u64>();

/// Copies the bytes from `offset` on to `to`.
///
/// # Panics
///
/// The words end before.
pub(super) fn read(words: &[AtomicU64], offset: usize, to: &mut [u8]) {
    let (mut word, mut skip) = (offset / WORD, offset % WORD);
    let mut rest = to;
    while !rest.is_empty() {
        let (now, later) = rest.split_at_mut((WORD - skip).min(rest.len()));
        let bytes = words[word].load(Ordering::Relaxed).to_le_bytes();
        now.copy_from_slice(&bytes[skip..skip + now.len()]);
        (word, skip, rest) = (word + 1, 0, later);
    }
}

/// Copies `from` to the bytes from `offset` on. Other bytes of the words at both
/// ends are written as well, with what they were.
///
/// # Panics
///
/// The words end before.
pub(super) fn write(words: &[AtomicU64], offset: usize, from: &[u8]) {
    let (mut word, mut skip) = (offset / WORD, offset % WORD);
    let mut rest = from;
    while !rest.is_empty() {
        let (now, later) = rest.split_at((WORD - skip).min(rest.len()));
        let mut bytes = [0; WORD];
        if now.len() < WORD {
            bytes = words[word].load(Ordering::Relaxed).to_le_bytes();
        }
        bytes[skip..skip + now.len()].copy_from_slice(now);
        words[word].store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        (word, skip, rest) = (word + 1, 0, later);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_piece_is_copied_and_nothing_else() {
        let pattern: Vec<u8> = (1..=24).collect();
        for start in 0..24 {
            for end in start..=24 {
                let words = [const { AtomicU64::new(u64::MAX) }; 3];
                write(&words, start, &pattern[start..end]);
                let mut all = [0; 24];
                read(&words, 0, &mut all);
                for (index, byte) in all.iter().enumerate() {
                    let expected =
                        if (start..end).contains(&index) { pattern[index] } else { 0xff };
                    assert_eq!(*byte, expected, "{start}..{end}");
                }
                let mut piece = std::vec![0; end - start];
                read(&words, start, &mut piece);
                assert_eq!(piece, pattern[start..end]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn nothing_is_read_behind_the_end() {
        read(&[AtomicU64::new(0)], 1, &mut [0; 8]);
    }
}
