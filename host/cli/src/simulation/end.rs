//! How runs end.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use abi_simulator::report;

use crate::machine::Signal;

/// What ended a run; shown as one line, or as more if QEMU has something to
/// say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The simulator says how.
    Told(report::End),
    /// The expected text appeared.
    Expected,
    /// The time was up.
    TimeOut(Duration),
    /// Whoever sits at the console ended it.
    Left,
    /// This program was asked to end. A caller with more to do must not go on;
    /// see [`follow`](crate::machine::follow).
    Interrupted(Signal),
    /// QEMU ended, and the simulator did not say why.
    QemuEnded {
        /// With which status.
        status: ExitStatus,
        /// The last lines that QEMU wrote.
        messages: String,
    },
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told(end) => write!(f, "{end}"),
            Self::Expected => f.write_str("the expected text appeared on the console"),
            Self::TimeOut(limit) => {
                write!(f, "time-out: still running after {} s", limit.as_secs_f64())
            }
            Self::Left => f.write_str("left with Ctrl-A x"),
            Self::Interrupted(signal) => write!(f, "interrupted by {}", signal.name()),
            Self::QemuEnded { status, messages } => {
                write!(f, "the simulator failed: QEMU ended by itself ({status})")?;
                if messages.is_empty() { Ok(()) } else { write!(f, ":\n{messages}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::time::Duration;

    use super::End;

    #[test]
    fn the_line_says_what_happened() {
        let messages = "qemu: no such file".to_owned();
        let died = End::QemuEnded { status: ExitStatus::from_raw(0x100), messages };
        assert_eq!(
            died.to_string(),
            "the simulator failed: QEMU ended by itself (exit status: 1):\nqemu: no such file"
        );
        let time_out = End::TimeOut(Duration::from_millis(1500));
        assert_eq!(time_out.to_string(), "time-out: still running after 1.5 s");
    }
}
