//! What a privilege level of a processor has besides its save area.

use abi_snp::SevFeatures;
use abi_snp::ghcb::{GuestFrame, ResetHoldEnd};
use abi_svm::Event;
use abi_x86::reset;

use crate::gpa::Gpa;

/// A save area, as AP Creation or the launch names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveAreaPage {
    /// Where the VMSA is.
    pub gpa: Gpa,
    /// Its SEV features, as whoever created it said. What counts when it runs
    /// is the word in the page.
    pub features: SevFeatures,
}

/// By which protocol a level has asked, and so how it will be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By the GHCB MSR.
    Msr,
    /// By this GHCB page.
    Page(GuestFrame),
}

/// What a level is doing while, or until, it is the one that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It executes.
    Runs,
    /// It has executed HLT.
    Halted,
    /// It waits for a start-up interrupt: for its first one, or because it has
    /// asked to by this channel (*AP Reset Hold*).
    AwaitsStart(Option<Channel>),
    /// It has asked by this channel that another level runs (*Run VMPL*).
    RanOther(Channel),
}

/// The answer that is due to a level which goes on after it has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// AP Reset Hold ends.
    ResetHold {
        /// How to answer.
        channel: Channel,
        /// Whether a start-up interrupt came.
        end: ResetHoldEnd,
    },
    /// Run VMPL has succeeded.
    RunVmpl {
        /// How to answer.
        channel: Channel,
    },
}

/// A level of a processor, from the creation of its save area to the next one
/// or to the destruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The save area.
    pub save_area: SaveAreaPage,
    /// Distinguishes this context from all others that the same guest has had:
    /// a save area that was created anew has to be loaded anew, though its
    /// address may be the same.
    pub instance: u64,
    /// What the level does.
    pub activity: Activity,
    /// What the GHCB MSR holds, as of the level's last exit or of
    /// [`Processors::set_ghcb_msr`](crate::processors::Processors::set_ghcb_msr).
    pub ghcb_msr: u64,
    /// The GHCB page that the level has registered.
    pub registered_ghcb: Option<GuestFrame>,
    /// The #HV doorbell page that the level has set.
    pub doorbell: Option<GuestFrame>,
    /// DR7 as the level has written it by an exit.
    pub dr7: u64,
    /// The event that is due to the level when it runs again, because an exit has
    /// cut its delivery short; [`Event::NONE`] if none is.
    pub due: Event,
}

impl Context {
    /// A context that has not run yet.
    pub(super) const fn new(
        save_area: SaveAreaPage,
        instance: u64,
        activity: Activity,
        ghcb_msr: u64,
    ) -> Self {
        Self {
            save_area,
            instance,
            activity,
            ghcb_msr,
            registered_ghcb: None,
            doorbell: None,
            dr7: reset::DR7,
            due: Event::NONE,
        }
    }

    /// Lets the level execute, whatever it was waiting for. Returns the answer
    /// that is due to it. `end` is why a wait for a start-up interrupt ends.
    pub(super) fn resume(&mut self, end: ResetHoldEnd) -> Option<Completion> {
        match core::mem::replace(&mut self.activity, Activity::Runs) {
            Activity::Runs | Activity::Halted | Activity::AwaitsStart(None) => None,
            Activity::AwaitsStart(Some(channel)) => Some(Completion::ResetHold { channel, end }),
            Activity::RanOther(channel) => Some(Completion::RunVmpl { channel }),
        }
    }
}
