//! Each processor runs the guest when there is nothing else to do, and answers
//! its calls.

use guest_calls::{GuestCalls, Served};
use hal::guest::Guests;
use hal::{StopReason, stop};
use kernel_log::log_for_tenant;
use page_state::GrowingBlocks;

use crate::level::GUEST;
use crate::machine::GuestMachine;

/// What answers the guest's calls; it lives for ever.
pub(crate) type Calls = GuestCalls<'static, GuestMachine, &'static GrowingBlocks>;

/// The processor that the guest starts on.
const FIRST: usize = 0;

/// Runs the guest on this processor, for ever. Whatever brings the processor
/// back to the module's level, the guest's virtual processor is looked at: the
/// host can run either level when it likes.
pub(crate) fn run(guests: Guests, calls: &'static Calls, processor: usize) -> ! {
    loop {
        let next = match calls.serve(processor) {
            // The host runs the guest's level when the guest has asked it to
            // start this processor.
            Served::NoVcpu | Served::Deleted => Next::Wait,
            Served::Later => Next::Serve,
            Served::NoCall if processor != FIRST => Next::TryToEnter,
            Served::NoCall | Served::Answered { .. } => Next::Enter,
            Served::SaveAreaLost => {
                log_for_tenant!(Error, "guest: the host has taken a save area away");
                stop(StopReason::HostTookPage)
            }
        };
        match next {
            Next::Wait => guests.wait(),
            Next::Serve => core::hint::spin_loop(),
            Next::Enter | Next::TryToEnter => match guests.run(GUEST) {
                Ok(()) => {}
                Err(_) if next == Next::Enter => stop(StopReason::HostGuestStart),
                Err(_) => guests.wait(),
            },
        }
        tasks::look_for_others();
    }
}

/// What a processor does when it has looked at its virtual processor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Waits until the module's level is run again.
    Wait,
    /// Looks again.
    Serve,
    /// Has the host run the guest until the module's level is run again.
    Enter,
    /// The same; but the host need not know the virtual processor yet: it learns
    /// of the first one from the module, and of others from the guest.
    TryToEnter,
}
