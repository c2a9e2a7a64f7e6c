//! What follows from an exit.

use abi_snp::ghcb::{GuestFrame, MsrDecodeError, TerminationReason};

use crate::processors::{ProcessorIndex, Running};

/// What the hypervisor does after an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the GHCB MSR holds from now on, for the level that `next` names;
    /// for others it is in their
    /// [`Context`](crate::processors::Context::ghcb_msr).
    pub ghcb_msr: u64,
    /// What the processor does next.
    pub next: Next,
    /// Another processor whose save area was replaced or taken away: it has to
    /// leave it (store it in its page) before the guest goes on, for the guest
    /// takes it to be stopped. What it runs then is in
    /// [`Processors::state`](crate::processors::Processors::state).
    pub evicted: Option<ProcessorIndex>,
}

/// What a processor does after its exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on.
    Resume,
    /// It leaves its save area and runs this one.
    Run(Running),
    /// It waits for a start-up interrupt, see
    /// [`Server::start_up`](crate::ghcb::Server::start_up).
    HoldUntilStartup,
    /// It has taken its own save area away: it leaves it, and runs nothing.
    Idle,
    /// The guest is at its end.
    Stop(Stop),
}

/// Why a guest cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// It wants to end.
    #[error("the guest ends itself: {0}")]
    Terminated(TerminationReason),
    /// It met an exit that it cannot handle.
    #[error("the guest cannot handle an exit with code {code:#x} ({detail:#x})")]
    UnsupportedExit {
        /// Error code of its #VC exception.
        code: u64,
        /// What it says besides.
        detail: u64,
    },
    /// The GHCB MSR holds no request. There is no answer that would say so.
    #[error("{error} (the value is {value:#x})")]
    UndefinedRequest {
        /// The value.
        value: u64,
        /// What is wrong with it.
        error: MsrDecodeError,
    },
    /// The GHCB page is not shared memory: neither can the request be read, nor
    /// an answer be written.
    #[error("the GHCB page {0} is not shared memory of the guest")]
    InaccessibleGhcb(GuestFrame),
}
