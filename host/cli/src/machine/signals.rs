//! Signals that ask this program to end, noticed while it has something to
//! clean up.
//!
//! While a [`Signals`] lives, an interruption from the keyboard, the end of the
//! terminal and `kill` are only noted, so that its owner can put things in
//! order first. Otherwise they end the program, as usual.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;
use signal_hook::low_level::{emulate_default_handler, signal_name};

/// What is noticed.
const ENDING: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// One of these signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signal(i32);

impl Signal {
    /// The name, such as `SIGTERM`.
    pub(crate) fn name(self) -> &'static str {
        signal_name(self.0).unwrap_or("a signal")
    }
}

/// Notes signals until it is dropped.
pub(crate) struct Signals {
    delivery: SignalDelivery<UnixStream, SignalOnly>,
    /// Dropped last: from then on a signal ends the program again.
    _deferred: Deferred,
}

impl Signals {
    /// Begins to note the signals that ask the program to end.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub(crate) fn note() -> Result<Self> {
        let deferred = Deferred::begin()?;
        Ok(Self { delivery: delivery(&ENDING)?, _deferred: deferred })
    }

    /// What becomes readable when a signal has come.
    pub(crate) fn readable(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }

    /// The first signal since the last call, if one has come.
    pub(super) fn next(&mut self) -> Option<Signal> {
        self.delivery.pending().next().map(Signal)
    }

    /// Notes another signal, one that no other test is sent.
    #[cfg(test)]
    pub(super) fn note_only(signal: i32) -> Result<Self> {
        Ok(Self { delivery: delivery(&[signal])?, _deferred: Deferred::begin()? })
    }
}

/// Does what `signal` would have done if it had not been noted: ends the
/// program.
///
/// # Errors
///
/// The operating system refuses.
pub(crate) fn follow(signal: Signal) -> Result<()> {
    emulate_default_handler(signal.0).context("cannot end as a signal asked for")
}

fn delivery(signals: &[i32]) -> Result<SignalDelivery<UnixStream, SignalOnly>> {
    let (read, write) = UnixStream::pair().context("cannot create a pair of sockets")?;
    SignalDelivery::with_pipe(read, write, SignalOnly, signals).context("cannot note signals")
}

/// While one of these lives, the signals do not end the program.
struct Deferred;

/// How many there are, and whether there is none. The count is the truth; what
/// signal handlers read has to be atomic.
static DEFERRED: Mutex<usize> = Mutex::new(0);
static NONE_DEFERRED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

impl Deferred {
    fn begin() -> Result<Self> {
        let mut count = DEFERRED.lock().unwrap_or_else(PoisonError::into_inner);
        if NONE_DEFERRED.get().is_none() {
            // Once a handler of ours is registered, the operating system's
            // default is gone for good, so this one stays and stands in for it.
            let none_deferred = Arc::new(AtomicBool::new(true));
            for signal in ENDING {
                flag::register_conditional_default(signal, Arc::clone(&none_deferred))
                    .context("cannot note signals")?;
            }
            // The lock is held, so nobody else has set it meanwhile.
            NONE_DEFERRED.get_or_init(|| none_deferred);
        }
        *count += 1;
        publish(*count);
        Ok(Self)
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        let mut count = DEFERRED.lock().unwrap_or_else(PoisonError::into_inner);
        *count -= 1;
        publish(*count);
    }
}

fn publish(count: usize) {
    if let Some(none_deferred) = NONE_DEFERRED.get() {
        none_deferred.store(count == 0, Ordering::SeqCst);
    }
}
