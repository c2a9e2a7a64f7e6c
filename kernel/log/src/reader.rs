//! The messages of all processors, merged by time.

use record_ring::Cursor;

use crate::audience::Audience;
use crate::line::LINE_SIZE;
use crate::message::Message;
use crate::rings::Rings;
use crate::tag;

/// Reads the messages of all processors in the order of their times.
///
/// A message that a processor writes while it reads can come later than newer
/// ones of other processors.
#[derive(Debug)]
pub struct Reader<'a> {
    rings: Rings<'a>,
    audience: Audience,
    cursors: &'a mut [Cursor],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(rings: Rings<'a>, audience: Audience, cursors: &'a mut [Cursor]) -> Self {
        Self { rings, audience, cursors }
    }

    /// The next message that the reader's audience may read, its text in
    /// `buffer`; `None` if there is none at present.
    pub fn next<'b>(&mut self, buffer: &'b mut [u8; LINE_SIZE]) -> Option<Message<'b>> {
        while let Some(processor) = self.processor_with_the_oldest() {
            let (ring, cursor) = (self.rings.of(processor)?, self.cursors.get_mut(processor)?);
            let Some(record) = ring.read(cursor, &mut buffer[..]) else { continue };
            // A record with another tag is not from this log.
            let Some((audience, level)) = tag::decode(record.tag) else { continue };
            if !audience.may_be_read_by(self.audience) {
                continue;
            }
            let (time_ns, lost) = (record.time, record.lost);
            let size = record.content.len();
            let text = whole_characters(buffer.get(..size).unwrap_or_default());
            return Some(Message { time_ns, processor, audience, level, text, lost });
        }
        None
    }

    /// The processor whose next message is the oldest of all.
    fn processor_with_the_oldest(&self) -> Option<usize> {
        let next = |(processor, cursor): (usize, &Cursor)| {
            let record = self.rings.of(processor)?.read(&mut cursor.clone(), &mut [])?;
            Some((record.time, processor))
        };
        self.cursors.iter().enumerate().filter_map(next).min().map(|(_, processor)| processor)
    }
}

/// The text up to the first byte that is not UTF-8.
fn whole_characters(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}
