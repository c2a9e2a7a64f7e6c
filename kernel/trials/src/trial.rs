//! A test, an ending, and what comes of them.

use core::fmt::Debug;
use core::panic::Location;

use hal::{StopReason, println};

/// A test.
pub(crate) struct Trial {
    /// Its name: suite, two colons, what holds if it passes.
    pub(crate) name: &'static str,
    /// The test.
    pub(crate) run: fn() -> Outcome,
}

/// Something that stops the machine.
pub(crate) struct Ending {
    /// Its name.
    pub(crate) name: &'static str,
    /// What the machine must say when it stops.
    pub(crate) reason: StopReason,
    /// Stops the machine. If it comes back, the ending has failed.
    pub(crate) run: fn(),
}

/// What comes of a test.
pub(crate) type Outcome = Result<(), Failure>;

/// Why a test failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// What does not hold.
    pub(crate) what: &'static str,
    /// The line that found it.
    pub(crate) place: &'static Location<'static>,
}

/// A failure at the place of the call.
#[track_caller]
pub(crate) fn failure(what: &'static str) -> Failure {
    Failure { what, place: Location::caller() }
}

/// Fails if `holds` does not.
#[track_caller]
pub(crate) fn check(holds: bool, what: &'static str) -> Outcome {
    if holds { Ok(()) } else { Err(failure(what)) }
}

/// Fails, and prints both, if the two differ.
#[track_caller]
pub(crate) fn equal<T: PartialEq + Debug>(found: T, expected: T, what: &'static str) -> Outcome {
    if found == expected {
        return Ok(());
    }
    println!("\n  found    {found:?}\n  expected {expected:?}");
    Err(failure(what))
}
