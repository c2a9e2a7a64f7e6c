//! Non-automatic exits: what a guest asks for by the GHCB page.
//!
//! A guest stores `SW_EXITCODE`, two words of details and the registers that
//! the event needs, exits with VMGEXIT, and finds the outcome in the same two
//! words, with the registers that the event returns [GHCB 56421 2.04 §4.1,
//! tables 6 and 7]. [`NaeRequest`] is a hypervisor's check of the former,
//! [`NaeOutputs`] a guest's check of the latter; one more file for each
//! encoding that an event brings along.

mod ap_creation;
mod ap_jump_table;
mod apic_ids;
mod exception;
mod exit_code;
mod guest_request;
mod outcome;
mod outputs;
mod port_io;
mod request;

pub use ap_creation::{ApCreation, ApCreationAction, ApCreationError};
pub use ap_jump_table::ApJumpTableAction;
pub use apic_ids::{ApicIdList, ApicIdListError};
pub use exception::{RequestedException, RequestedExceptionError};
pub use exit_code::ExitCode;
pub use guest_request::GuestRequestStatus;
pub use outcome::{ExitOutcome, MalformedInput};
pub use outputs::{NaeError, NaeOutputs};
pub use port_io::{
    AddressSize, PortIo, PortIoDirection, PortIoError, PortIoOperation, PortIoRepeat,
    PortIoSegment, PortIoWidth,
};
pub use request::NaeRequest;
