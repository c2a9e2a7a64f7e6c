//! The ring: one processor writes, any number reads.
//!
//! # The protocol
//!
//! Positions count words from the first that was ever written; the word at
//! position `p` lies at index `p` modulo the ring's size. Records lie one behind
//! the other:
//!
//! ```text
//!     oldest          published      reserved
//!       |  whole records  |  being written |
//!  -----+--------+--------+--------+-------+----->  positions
//! ```
//!
//! **Writing.** The writer moves `oldest` on until there is room, moves
//! `reserved` on, fills the record in, and moves `published` on when no record
//! is being written any more. A handler that interrupts it anywhere does the
//! same and is done before the writer goes on: so whoever finds that nobody
//! else is writing may publish all that is reserved. Moves are compare-and-swap
//! or maximum, because a handler may have moved the same word meanwhile. A
//! handler must not make room at the cost of records that the writer below it
//! has not finished: if it would have to, its record is dropped and counted.
//!
//! **Reading.** A reader copies the record at its position, if it lies below
//! `published`, and looks at `oldest` afterwards. If that has passed the
//! position, the copy may be mixed with newer words and is thrown away. The
//! fences pair up: a reader that saw a newer word also sees that `oldest` has
//! moved, because the writer moved it first.

use super::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use crate::header::{Header, WORD_SIZE, WORDS_IN_FRONT};
use crate::record::{Cursor, Record};
use crate::reserved::Reserved;

/// A ring of `WORDS` 64-bit words: a power of two, from 8 to 2²⁰.
///
/// Only one processor may write. If two do, records can be garbled, but nothing
/// worse happens.
#[derive(Debug)]
pub struct Ring<const WORDS: usize> {
    pub(crate) words: [AtomicU64; WORDS],
    /// Position of the oldest record that is still whole.
    pub(crate) oldest: AtomicU64,
    /// [`Reserved`]: behind the newest record.
    pub(crate) reserved: AtomicU64,
    /// Behind the newest record that readers may see.
    pub(crate) published: AtomicU64,
    /// Records that are being written: the writer's, and those of handlers that
    /// interrupt it.
    pub(crate) writing: AtomicU32,
    /// Where the first of the records that are being written begins, or before.
    pub(crate) unfinished: AtomicU64,
}

/// The content is larger than [`Ring::MAX_CONTENT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record has {size} bytes, at most {most} fit; cut it before it is written")]
pub struct TooLong {
    /// Bytes that were to be written.
    pub size: usize,
    /// Most bytes that a record of this ring can have.
    pub most: usize,
}

impl<const WORDS: usize> Ring<WORDS> {
    /// Most bytes of content in a record: a quarter of the ring, so that a
    /// writer and two handlers above each other always find room.
    pub const MAX_CONTENT: usize = {
        assert!(WORDS.is_power_of_two() && WORDS >= 8 && WORDS <= 1 << 20);
        let most = (WORDS / 4) * WORD_SIZE;
        if most > u16::MAX as usize { u16::MAX as usize } else { most }
    };

    /// Writes a record with `content`, making room by giving up the oldest.
    ///
    /// For the one processor that writes to this ring, which must not move to
    /// other code of the same kind meanwhile (a task switch), but may be
    /// interrupted by handlers that write, too.
    ///
    /// # Errors
    ///
    /// [`TooLong`]; nothing is written then.
    pub fn write(&self, time: u64, tag: u8, content: &[u8]) -> Result<(), TooLong> {
        let too_long = TooLong { size: content.len(), most: Self::MAX_CONTENT };
        let content_size = match u16::try_from(content.len()) {
            Ok(size) if content.len() <= Self::MAX_CONTENT => size,
            _ => return Err(too_long),
        };
        if self.writing.fetch_add(1, Ordering::Relaxed) == 0 {
            let reserved = Reserved::decode(self.reserved.load(Ordering::Relaxed));
            self.unfinished.store(reserved.end, Ordering::Relaxed);
        }
        let mut header = Header { number: Default::default(), tag, content_size };
        if let Some(reserved) = self.reserve(header.words()) {
            header.number = reserved.next;
            self.fill(reserved.end, header, time, content);
        }
        if self.writing.fetch_sub(1, Ordering::Relaxed) == 1 {
            let reserved = Reserved::decode(self.reserved.load(Ordering::Relaxed));
            self.published.fetch_max(reserved.end, Ordering::Release);
        }
        Ok(())
    }

    /// Reserves `words` words. Returns where they begin and the record's number;
    /// `None` if they would cost an unfinished record, which also takes a number.
    fn reserve(&self, words: u64) -> Option<Reserved> {
        loop {
            let word = self.reserved.load(Ordering::Relaxed);
            let reserved = Reserved::decode(word);
            let end = reserved.end.wrapping_add(words);
            let next = reserved.next.next();
            let unfinished = self.unfinished.load(Ordering::Relaxed);
            let fits = end.wrapping_sub(unfinished) <= WORDS as u64;
            if fits {
                self.make_room_until(end);
            }
            let after = Reserved { end: if fits { end } else { reserved.end }, next }.encode();
            let moved =
                self.reserved.compare_exchange(word, after, Ordering::Relaxed, Ordering::Relaxed);
            if moved.is_ok() {
                return fits.then_some(reserved);
            }
        }
    }

    /// Gives up the oldest records until the words before position `end` belong
    /// to none.
    fn make_room_until(&self, end: u64) {
        loop {
            let oldest = self.oldest.load(Ordering::Relaxed);
            if end.wrapping_sub(oldest) <= WORDS as u64 {
                break;
            }
            // The header is whole as long as `oldest` has not moved, which the
            // exchange finds out.
            let header = Header::decode(self.word(oldest).load(Ordering::Relaxed));
            let after = oldest.wrapping_add(header.words());
            let _ =
                self.oldest.compare_exchange(oldest, after, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Writes a record to `position`.
    fn fill(&self, position: u64, header: Header, time: u64, content: &[u8]) {
        // Whoever sees one of the words below also sees `oldest` moved.
        fence(Ordering::Release);
        self.word(position).store(header.encode(), Ordering::Relaxed);
        self.word(position.wrapping_add(1)).store(time, Ordering::Relaxed);
        let positions = (position.wrapping_add(WORDS_IN_FRONT))..;
        for (position, bytes) in positions.zip(content.chunks(WORD_SIZE)) {
            let mut word = [0; WORD_SIZE];
            for (to, from) in word.iter_mut().zip(bytes) {
                *to = *from;
            }
            self.word(position).store(u64::from_le_bytes(word), Ordering::Relaxed);
        }
    }

    /// The record behind `cursor`, its content in `buffer`, and moves `cursor`
    /// behind it; `None` if there is none yet.
    ///
    /// Never waits for the writer; starts over if that overwrites the record
    /// meanwhile.
    pub fn read<'a>(&self, cursor: &mut Cursor, buffer: &'a mut [u8]) -> Option<Record<'a>> {
        let (header, time) = loop {
            // Acquire: all that was published is visible.
            let published = self.published.load(Ordering::Acquire);
            let position = cursor.position.max(self.oldest.load(Ordering::Relaxed));
            if position >= published {
                return None;
            }
            let header = Header::decode(self.word(position).load(Ordering::Relaxed));
            let time = self.word(position.wrapping_add(1)).load(Ordering::Relaxed);
            self.copy(position, header, buffer);
            // If one of these words was newer, `oldest` is, too.
            fence(Ordering::Acquire);
            if self.oldest.load(Ordering::Relaxed) <= position {
                cursor.position = position.wrapping_add(header.words());
                break (header, time);
            }
        };
        let lost = header.number.since(cursor.number);
        cursor.number = header.number.next();
        let buffer: &'a [u8] = buffer;
        let content = buffer.get(..usize::from(header.content_size)).unwrap_or(buffer);
        Some(Record { time, tag: header.tag, content, lost })
    }

    /// Copies the content of the record at `position` to `buffer`, as much of
    /// it as fits.
    fn copy(&self, position: u64, header: Header, buffer: &mut [u8]) {
        let size = usize::from(header.content_size).min(buffer.len());
        let content = buffer.get_mut(..size).unwrap_or_default();
        let positions = (position.wrapping_add(WORDS_IN_FRONT))..;
        for (position, bytes) in positions.zip(content.chunks_mut(WORD_SIZE)) {
            let word = self.word(position).load(Ordering::Relaxed).to_le_bytes();
            for (to, from) in bytes.iter_mut().zip(word) {
                *to = from;
            }
        }
    }

    /// The word at `position`.
    fn word(&self, position: u64) -> &AtomicU64 {
        // The remainder is below `WORDS`, the number of words.
        &self.words[position as usize % WORDS]
    }
}
