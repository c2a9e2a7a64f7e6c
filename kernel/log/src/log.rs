//! The log: a ring for each processor, and the console.

use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

use abi_boot::ConsoleAudience;
use hal::sync::{Once, mask};
use record_ring::Cursor;

use crate::audience::Audience;
use crate::level::Level;
use crate::line::{LINE_SIZE, Line};
use crate::message::Message;
use crate::reader::Reader;
use crate::rings::{FirstRing, MessageRing, Rings};
use crate::tag;

/// The module's log.
pub static LOG: Log = Log::new();

/// Where messages are kept, and how they learn when and where they were
/// written.
#[derive(Clone, Copy, Debug)]
pub struct Sources {
    /// Rings of the processors behind the first, in the order of their indices.
    pub rings: &'static [MessageRing],
    /// Index of the running processor; called with interrupts masked.
    pub processor: fn() -> usize,
    /// Nanoseconds since the start, the same on all processors.
    pub now_ns: fn() -> u64,
}

/// Where messages are shown, and to whom.
#[derive(Clone, Copy, Debug)]
struct Console {
    audience: Audience,
    print: fn(fmt::Arguments<'_>),
}

/// A log. There is one, [`LOG`]; tests make others.
#[derive(Debug)]
pub struct Log {
    /// The first processor's ring, and everybody's until [`Log::spread`].
    first: FirstRing,
    sources: Once<Sources>,
    console: Once<Console>,
    /// The least important [`Level`] that is written.
    detail: AtomicU8,
}

impl Log {
    /// A log without messages, that is shown nowhere and takes messages up to
    /// [`Level::Info`].
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: FirstRing::new(),
            sources: Once::new(),
            console: Once::new(),
            detail: AtomicU8::new(Level::Info as u8),
        }
    }

    /// Takes messages down to `level`, and drops less important ones unread.
    pub fn set_detail(&self, level: Level) {
        self.detail.store(level as u8, Ordering::Relaxed);
    }

    /// Gives the processors behind the first rings of their own, and messages
    /// their time. Only the first call counts.
    pub fn spread(&self, sources: Sources) {
        let _ = self.sources.set(sources);
    }

    /// Lets the console show what the manifest allows, from the messages that
    /// are kept so far on. Only the first call counts.
    ///
    /// `print` writes text to the console; a line at a time, each with its end.
    pub fn open_console(&self, allowed: ConsoleAudience, print: fn(fmt::Arguments<'_>)) {
        let Some(audience) = Audience::of_console(allowed) else { return };
        let mut cursors = [Cursor::default()];
        let mut reader = self.reader(audience, &mut cursors);
        let mut buffer = [0; LINE_SIZE];
        while let Some(message) = reader.next(&mut buffer) {
            print(format_args!("{message}\n"));
        }
        let _ = self.console.set(Console { audience, print });
    }

    /// Writes a message. [`log_for_host!`](crate::log_for_host) and its sisters
    /// are the way to call it.
    pub fn write(&self, audience: Audience, level: Level, text: fmt::Arguments<'_>) {
        if level as u8 > self.detail.load(Ordering::Relaxed) {
            return;
        }
        let line = Line::format(text);
        let (processor, time_ns) = self.keep(audience, level, &line);
        if let Some(console) = self.console.get()
            && audience.may_be_read_by(console.audience)
        {
            let text = line.as_str();
            let message = Message { time_ns, processor, audience, level, text, lost: 0 };
            (console.print)(format_args!("{message}\n"));
        }
    }

    /// Puts a message into the running processor's ring. Returns the processor
    /// and the time.
    fn keep(&self, audience: Audience, level: Level, line: &Line) -> (usize, u64) {
        // The processor must not change before its ring is written, and no other
        // task may write between.
        let _masked = mask();
        let (processor, time_ns) = match self.sources.get() {
            Some(sources) => ((sources.processor)(), (sources.now_ns)()),
            None => (0, 0),
        };
        if let Some(ring) = self.rings().of(processor) {
            let written =
                ring.write(time_ns, tag::encode(audience, level), line.as_str().as_bytes());
            assert!(written.is_ok(), "a line fits into a record");
        }
        (processor, time_ns)
    }

    /// Reads what `audience` may read, from the oldest message that is kept.
    /// One of `cursors`, which start at their default, is for each processor;
    /// the messages of processors behind are left out.
    pub fn reader<'a>(&'a self, audience: Audience, cursors: &'a mut [Cursor]) -> Reader<'a> {
        Reader::new(self.rings(), audience, cursors)
    }

    fn rings(&self) -> Rings<'_> {
        let others = self.sources.get().map_or(&[][..], |sources| sources.rings);
        Rings { first: &self.first, others }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
