//! Self-test: what the SVM of the QEMU that this runs in delivers.
//!
//! The simulator leans on what QEMU's software SVM does, down to its quirks.
//! This test states each of these facts as a check, so that a QEMU that behaves
//! otherwise is found before any guest behaves strangely. First a small guest
//! runs with every exit shown; then each check sets a guest up, runs a few bytes
//! of code and compares. It prints `ok NAME` or
//! `FAIL NAME: expected …, got …`, and at last `N passed, N failed`.
//!
//! | file | subject |
//! |---|---|
//! | `tour.rs` | a guest with every exit shown, and the table of exit counts |
//! | `instructions.rs` | intercepted and unknown instructions |
//! | `nested_faults.rs` | nested page faults and their codes |
//! | `views.rs` | private and shared memory, by the C-bit |
//! | `events.rs` | exceptions and interrupts that are injected |
//! | `communication.rs` | #VC with an error code, which injection cannot do |
//! | `interrupts.rs` | physical and virtual interrupts |
//! | `refusals.rs` | shutdown, and states that VMRUN refuses |
//! | `real_mode.rs` | guests without paging |
//! | `capabilities.rs` | what differs between QEMU's versions and options: told, not judged |

mod capabilities;
mod communication;
mod events;
mod instructions;
mod interrupts;
mod layout;
mod nested_faults;
mod real_mode;
mod refusals;
mod tally;
mod test_guest;
mod tour;
mod views;

use self::tally::Tally;
use self::test_guest::{SetupError, TestGuest};
use crate::console::println;
use crate::memory::Memory;
use crate::svm::Svm;

/// Runs all checks.
///
/// # Errors
///
/// The guest could not be set up: there is not enough memory.
pub(crate) fn run(svm: &Svm, memory: &mut Memory) -> Result<Tally, SetupError> {
    let mut tally = Tally::default();
    let mut guest = TestGuest::new(svm, memory)?;
    tour::run(&mut guest, memory, &mut tally)?;
    capabilities::run(svm, &mut guest);
    instructions::run(&mut guest, &mut tally);
    nested_faults::run(&mut guest, memory, &mut tally)?;
    views::run(&mut guest, memory, &mut tally)?;
    events::run(&mut guest, &mut tally);
    communication::run(&mut guest, &mut tally);
    interrupts::run(&mut guest, &mut tally);
    real_mode::run(&mut guest, &mut tally);
    refusals::run(&mut guest, &mut tally);
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally)
}
