//! The GHCB MSR protocol.
//!
//! A guest writes one 64-bit value to the GHCB MSR, exits with VMGEXIT and reads
//! the answer from the same register: enough to find out what the hypervisor
//! speaks and to get a page shared, before there is a GHCB page
//! [GHCB 56421 2.04 §2.3.1]. Bits 11:0 say what the value is
//! ([`MsrOperation`]), bits 63:12 belong to the operation; reserved bits are
//! zero, and decoding refuses others.
//!
//! A hypervisor decodes [`MsrRequest`] and encodes [`MsrResponse`]. A guest
//! encodes one of the calls ([`MsrCall`]), which also checks that the answer
//! belongs to it: the register still holds the request if the hypervisor did
//! nothing, and can hold anything if it lies.

mod call;
mod call_error;
mod decode_error;
mod operation;
mod request;
mod response;

pub use call::{
    AskCpuid, AskHypervisorFeatures, AskPreferredGhcb, AskSevInformation, AssignPage, HoldApReset,
    MsrCall, RegisterGhcb, RunVmpl,
};
pub use call_error::{MsrCallError, MsrCallFault};
pub use decode_error::MsrDecodeError;
pub use operation::MsrOperation;
pub use request::{CpuidRegister, MsrRequest, PageAssignment};
pub use response::{MsrResponse, ResetHoldEnd, SevInformation};

#[cfg(test)]
mod tests;
