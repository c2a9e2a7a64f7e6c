//! What is drawn on the screen: colours, a spinner, or plain lines.
//!
//! Colours and movement appear only where a person watches a terminal that can
//! show them. `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE`, `TERM=dumb` and `CI`
//! are respected, see <https://no-color.org> and <https://bixense.com/clicolors>.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The person's or the log's side of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    output: Ink,
    errors: Ink,
    movement: Movement,
}

/// Whether a stream may carry colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    Colour,
    Plain,
}

/// Whether lines may be drawn over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Movement {
    Spinner,
    Lines,
}

/// Meaning of a piece of text, shown as a colour where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
    /// Something needs attention.
    Notable,
    /// Something is secondary.
    Quiet,
    /// A heading.
    Strong,
    /// Ordinary text.
    Normal,
}

impl Terminal {
    /// Looks at the standard streams and the environment.
    pub(crate) fn detect() -> Self {
        Self::decide(
            &|name| std::env::var(name).ok(),
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        )
    }

    /// Neither colours nor movement, whatever the environment says.
    #[cfg(test)]
    pub(crate) const fn plain() -> Self {
        Self { output: Ink::Plain, errors: Ink::Plain, movement: Movement::Lines }
    }

    fn decide(
        variable: &dyn Fn(&str) -> Option<String>,
        output_is_terminal: bool,
        errors_is_terminal: bool,
    ) -> Self {
        let set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|value| value == "dumb");
        let unattended = variable("CI").is_some_and(|value| !value.is_empty() && value != "false");
        let refused = set("NO_COLOR") || variable("CLICOLOR").is_some_and(|value| value == "0");
        let forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let ink = |is_terminal: bool| {
            let colour =
                !set("NO_COLOR") && (forced || (is_terminal && !refused && !dumb && !unattended));
            if colour { Ink::Colour } else { Ink::Plain }
        };
        let moving = errors_is_terminal && !dumb && !unattended;
        Self {
            output: ink(output_is_terminal),
            errors: ink(errors_is_terminal),
            movement: if moving { Movement::Spinner } else { Movement::Lines },
        }
    }

    /// Text for the standard output in its tone's colour.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        coloured(self.output, tone, text)
    }

    /// Text for the standard error stream in its tone's colour.
    pub(crate) fn paint_error(self, tone: Tone, text: &str) -> String {
        coloured(self.errors, tone, text)
    }

    /// Writes a line to the standard output.
    ///
    /// # Errors
    ///
    /// The stream's own, for example a reader that has gone away.
    pub(crate) fn line(self, text: &str) -> io::Result<()> {
        if SPINNING.load(Ordering::Relaxed) {
            clear_line();
        }
        let mut output = io::stdout().lock();
        output.write_all(text.as_bytes())?;
        output.write_all(b"\n")?;
        output.flush()
    }

    /// Says that something long has begun. On a terminal it turns until the
    /// answer is dropped and leaves no trace; elsewhere nothing is written,
    /// because the line about the end says it all. While one turns, there is
    /// no second one.
    pub(crate) fn busy(self, text: &str) -> Option<Spinner> {
        let starts = self.movement == Movement::Spinner && !SPINNING.swap(true, Ordering::Relaxed);
        starts.then(|| Spinner::start(text.to_owned()))
    }
}

fn coloured(ink: Ink, tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Good => "32",
        Tone::Bad => "1;31",
        Tone::Notable => "33",
        Tone::Quiet => "2",
        Tone::Strong => "1",
        Tone::Normal => return text.to_owned(),
    };
    match ink {
        Ink::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        Ink::Plain => text.to_owned(),
    }
}

/// Whether a spinner turns; there is one terminal.
static SPINNING: AtomicBool = AtomicBool::new(false);

/// A line that moves until it is dropped.
pub(crate) struct Spinner {
    /// Dropped to stop the thread.
    running: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    fn start(text: String) -> Self {
        let (running, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            for frame in ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"].iter().cycle()
            {
                // Nobody can act on a terminal that does not take this line.
                let _ =
                    write!(io::stderr(), "\r\x1b[2K{frame} {text} {}", seconds(began.elapsed()));
                let _ = io::stderr().flush();
                match stopped.recv_timeout(Duration::from_millis(120)) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            clear_line();
        });
        Self { running: Some(running), thread: Some(thread) }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            // A spinner that failed to draw has nothing left to clean up.
            let _ = thread.join();
        }
        SPINNING.store(false, Ordering::Relaxed);
    }
}

fn clear_line() {
    let _ = write!(io::stderr(), "\r\x1b[2K");
    let _ = io::stderr().flush();
}

/// A duration for people: `0.03 s`, `12.3 s`, `2 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    match whole {
        0..10 => format!("{:.2} s", duration.as_secs_f64()),
        10..60 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests;
