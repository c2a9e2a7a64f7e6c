//! How much a message matters.

use core::fmt;

/// How much a message matters, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Something failed that the reader asked for or relies on.
    Error,
    /// Something is not as it should be; the module goes on.
    Warning,
    /// A step that happens once or seldom.
    Info,
    /// For whoever looks for a fault in the module.
    Debug,
    /// Every single event.
    Trace,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}
