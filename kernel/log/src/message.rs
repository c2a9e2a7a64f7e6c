//! A message as it is read and shown.

use core::fmt;

use crate::audience::Audience;
use crate::level::Level;

/// A message as it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Nanoseconds since the start; 0 before there was a clock.
    pub time_ns: u64,
    /// Index of the processor that wrote it.
    pub processor: usize,
    /// Who may read it.
    pub audience: Audience,
    /// How much it matters.
    pub level: Level,
    /// The text: one line, without its end.
    pub text: &'a str,
    /// Messages of this processor before this one that can no longer be read,
    /// whoever they were for.
    pub lost: u32,
}

impl fmt::Display for Message<'_> {
    /// Seconds with microseconds, processor, level, text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time_ns, processor, level, text, .. } = self;
        let (seconds, rest_ns) = (time_ns / 1_000_000_000, time_ns % 1_000_000_000);
        write!(f, "[{seconds:5}.{:06}] cpu{processor} {level}: {text}", rest_ns / 1000)
    }
}
