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
        match calls.serve(processor) {
            // The host runs the guest's level when the guest has asked it to
            // start this processor.
            Served::NoVcpu | Served::Deleted => guests.wait(),
            Served::Later => core::hint::spin_loop(),
            Served::NoCall => enter(guests, processor == FIRST),
            Served::Answered { .. } => enter(guests, true),
            Served::SaveAreaLost => {
                log_for_tenant!(Error, "guest: the host has taken a save area away");
                stop(StopReason::HostTookPage)
            }
        }
        tasks::look_for_others();
    }
}

/// Has the host run the guest until the module's level is run again. The host
/// learns of the first virtual processor from the module, but of others from the
/// guest: `is_known` says whether it has run this one before, or must know it.
fn enter(guests: Guests, is_known: bool) {
    match guests.run(GUEST) {
        Ok(()) => {}
        Err(_) if is_known => stop(StopReason::HostGuestStart),
        Err(_) => guests.wait(),
    }
}
