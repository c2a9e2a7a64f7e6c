//! Requests by the GHCB MSR.

use abi_snp::ghcb::{HypervisorFeatures, MsrRequest, MsrResponse};

use crate::ghcb::answer::Stop;
use crate::ghcb::completion;
use crate::ghcb::configuration::Configuration;
use crate::ghcb::events::{cpuid, page_state};
use crate::ghcb::host::{Cpuid, PageStates};
use crate::guest_memory::GuestMemory;
use crate::processors::{Channel, ProcessorIndex, Processors};

/// How a request by the MSR ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MsrServed {
    /// With this answer.
    Response(MsrResponse),
    /// The answer comes later, when the level goes on.
    Later,
    /// The request is in a page, which is for the page protocol to serve.
    InPage(abi_snp::ghcb::GuestFrame),
    /// The guest is at its end.
    Stop(Stop),
}

/// Error of an answer to *Run VMPL*. Any but 0 means that the level has not
/// run; this one is from patches to Linux/KVM.
const NOT_RUN: u32 = 1;

/// Serves `request`. It does not matter whether a page is registered.
pub(super) fn serve<H>(
    processor: ProcessorIndex,
    request: MsrRequest,
    configuration: &Configuration,
    processors: &mut Processors,
    host: &mut H,
) -> MsrServed
where
    H: GuestMemory + PageStates + Cpuid,
{
    MsrServed::Response(match request {
        MsrRequest::Ghcb(frame) => return MsrServed::InPage(frame),
        MsrRequest::Terminate(reason) => return MsrServed::Stop(Stop::Terminated(reason)),
        MsrRequest::ApResetHold => {
            processors.hold(processor, Channel::Msr);
            return MsrServed::Later;
        }
        MsrRequest::RunVmpl(vmpl) => {
            let completion = if configuration.features().contains(HypervisorFeatures::MULTI_VMPL) {
                processors.run_level(processor, vmpl, Channel::Msr).ok()
            } else {
                None
            };
            match completion {
                Some(completion) => {
                    let context = processors.exiting(processor);
                    return match completion::deliver(completion, context, host) {
                        Ok(()) => MsrServed::Later,
                        Err(stop) => MsrServed::Stop(stop),
                    };
                }
                None => MsrResponse::RunVmpl { error: NOT_RUN },
            }
        }
        MsrRequest::SevInformation => MsrResponse::SevInformation(configuration.information()),
        MsrRequest::Cpuid { function, register } => {
            let value = cpuid::register(processor, function, register, host);
            MsrResponse::Cpuid { register, value }
        }
        MsrRequest::PreferredGhcb => MsrResponse::PreferredGhcb(None),
        MsrRequest::RegisterGhcb(frame) => {
            // Any page will do, as in Linux/KVM: what counts is whether it is
            // shared when it is used.
            processors.exiting(processor).registered_ghcb = Some(frame);
            MsrResponse::RegisterGhcb(Some(frame))
        }
        MsrRequest::PageState { frame, assignment } => {
            MsrResponse::PageState { error: page_state::assign(frame, assignment, host) }
        }
        MsrRequest::HypervisorFeatures => MsrResponse::HypervisorFeatures(configuration.features()),
    })
}
