//! Requests that know their answer: what a guest makes of the MSR protocol.
//!
//! Whoever drives the register writes `call.request().encode()`, exits, and
//! gives what it reads then to [`MsrCall::answer`]. What comes back from there
//! is of the right kind, well-formed, about what was asked and no refusal;
//! whether the content is true is for the caller to judge.

use crate::ghcb::features::HypervisorFeatures;
use crate::ghcb::frame::GuestFrame;
use crate::ghcb::msr::call_error::{MsrCallError, MsrCallFault};
use crate::ghcb::msr::request::{CpuidRegister, MsrRequest, PageAssignment};
use crate::ghcb::msr::response::{MsrResponse, ResetHoldEnd, SevInformation};
use crate::vmpl::Vmpl;

/// A request by the GHCB MSR that has an answer.
pub trait MsrCall {
    /// What the answer tells.
    type Answer;

    /// The request.
    fn request(&self) -> MsrRequest;

    /// What a well-formed response tells about this request.
    ///
    /// # Errors
    ///
    /// The response answers something else, or refuses.
    fn accept(&self, response: MsrResponse) -> Result<Self::Answer, MsrCallFault>;

    /// What `value`, read from the register after the exit, tells about this
    /// request.
    ///
    /// # Errors
    ///
    /// The value is no answer to this request, or it refuses.
    fn answer(&self, value: u64) -> Result<Self::Answer, MsrCallError> {
        let request = self.request();
        let judge = || {
            if value == request.encode() {
                return Err(MsrCallFault::Unanswered);
            }
            self.accept(MsrResponse::decode(value)?)
        };
        judge().map_err(|fault| MsrCallError { request, value, fault })
    }
}

fn other<T>(response: MsrResponse) -> Result<T, MsrCallFault> {
    Err(MsrCallFault::OtherOperation(response.operation()))
}

fn unless_refused(error: u32) -> Result<(), MsrCallFault> {
    if error == 0 { Ok(()) } else { Err(MsrCallFault::RefusedWith(error)) }
}

/// Asks for protocol versions and the position of the C-bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskSevInformation;

impl MsrCall for AskSevInformation {
    type Answer = SevInformation;

    fn request(&self) -> MsrRequest {
        MsrRequest::SevInformation
    }

    fn accept(&self, response: MsrResponse) -> Result<SevInformation, MsrCallFault> {
        match response {
            MsrResponse::SevInformation(information) => Ok(information),
            _ => other(response),
        }
    }
}

/// Asks for one register of CPUID, subfunction 0. An SNP guest has a CPUID page
/// that it may believe; this answer it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskCpuid {
    /// The function: what CPUID takes in EAX.
    pub function: u32,
    /// Which register of the result.
    pub register: CpuidRegister,
}

impl MsrCall for AskCpuid {
    type Answer = u32;

    fn request(&self) -> MsrRequest {
        MsrRequest::Cpuid { function: self.function, register: self.register }
    }

    fn accept(&self, response: MsrResponse) -> Result<u32, MsrCallFault> {
        match response {
            MsrResponse::Cpuid { register, value } if register == self.register => Ok(value),
            MsrResponse::Cpuid { .. } => Err(MsrCallFault::OtherSubject),
            _ => other(response),
        }
    }
}

/// Waits for a start-up interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldApReset;

impl MsrCall for HoldApReset {
    type Answer = ResetHoldEnd;

    fn request(&self) -> MsrRequest {
        MsrRequest::ApResetHold
    }

    fn accept(&self, response: MsrResponse) -> Result<ResetHoldEnd, MsrCallFault> {
        match response {
            MsrResponse::ApResetHold(end) => Ok(end),
            _ => other(response),
        }
    }
}

/// Asks where the hypervisor would like to have the page. The answer is `None`
/// for anywhere; it must not make a guest share memory that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskPreferredGhcb;

impl MsrCall for AskPreferredGhcb {
    type Answer = Option<GuestFrame>;

    fn request(&self) -> MsrRequest {
        MsrRequest::PreferredGhcb
    }

    fn accept(&self, response: MsrResponse) -> Result<Option<GuestFrame>, MsrCallFault> {
        match response {
            MsrResponse::PreferredGhcb(frame) => Ok(frame),
            _ => other(response),
        }
    }
}

/// Registers the page for this processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterGhcb(pub GuestFrame);

impl MsrCall for RegisterGhcb {
    type Answer = ();

    fn request(&self) -> MsrRequest {
        MsrRequest::RegisterGhcb(self.0)
    }

    fn accept(&self, response: MsrResponse) -> Result<(), MsrCallFault> {
        match response {
            MsrResponse::RegisterGhcb(Some(frame)) if frame == self.0 => Ok(()),
            MsrResponse::RegisterGhcb(Some(_)) => Err(MsrCallFault::OtherSubject),
            MsrResponse::RegisterGhcb(None) => Err(MsrCallFault::Refused),
            _ => other(response),
        }
    }
}

/// Makes a page private or shared. The answer does not name the page: whether
/// it really changed shows when the guest validates or uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssignPage {
    /// The page.
    pub frame: GuestFrame,
    /// What it shall become.
    pub assignment: PageAssignment,
}

impl MsrCall for AssignPage {
    type Answer = ();

    fn request(&self) -> MsrRequest {
        MsrRequest::PageState { frame: self.frame, assignment: self.assignment }
    }

    fn accept(&self, response: MsrResponse) -> Result<(), MsrCallFault> {
        match response {
            MsrResponse::PageState { error } => unless_refused(error),
            _ => other(response),
        }
    }
}

/// Runs another privilege level on this processor. The answer is there when
/// this level runs again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunVmpl(pub Vmpl);

impl MsrCall for RunVmpl {
    type Answer = ();

    fn request(&self) -> MsrRequest {
        MsrRequest::RunVmpl(self.0)
    }

    fn accept(&self, response: MsrResponse) -> Result<(), MsrCallFault> {
        match response {
            MsrResponse::RunVmpl { error } => unless_refused(error),
            _ => other(response),
        }
    }
}

/// Asks which features the hypervisor offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskHypervisorFeatures;

impl MsrCall for AskHypervisorFeatures {
    type Answer = HypervisorFeatures;

    fn request(&self) -> MsrRequest {
        MsrRequest::HypervisorFeatures
    }

    fn accept(&self, response: MsrResponse) -> Result<HypervisorFeatures, MsrCallFault> {
        match response {
            MsrResponse::HypervisorFeatures(features) => Ok(features),
            _ => other(response),
        }
    }
}
