//! The guest-hypervisor communication block (GHCB).
//!
//! An SNP guest's registers and memory are closed to its hypervisor. Whatever
//! the hypervisor has to do for the guest, the guest asks for: by VMGEXIT, with
//! a value in the GHCB MSR or with a page that both can read and write. This
//! room holds both protocols as data with codecs; it executes no instruction
//! and touches no shared memory. The kernel (`kernel/hal`) speaks the guest's
//! side with it, the platform simulator (`simulator/machine`) the hypervisor's.
//!
//! | file | what |
//! |---|---|
//! | `msr` | [`MsrRequest`], [`MsrResponse`] and, for guests, [`MsrCall`]: requests that know their answer |
//! | `page` | [`Ghcb`]: the layout of the page |
//! | `save_area` | [`SaveArea`]: a private copy of the fields that go with a request or an answer |
//! | `event` | [`ExitCode`]: what a guest can ask for by the page, with the encodings of inputs and results |
//! | `page_state` | [`PageStateBuffer`]: which pages shall become private or shared |
//! | `hv_doorbell` | [`HvDoorbell`]: how events arrive under restricted injection |
//!
//! # Read once
//!
//! The other side can change the page between any two reads. So neither side
//! may check a value where it lies and then read it again: what is checked must
//! be a private copy, and what is used must be that copy. All decoders here
//! take values, or read each word exactly once through a closure that the
//! transport provides ([`SaveArea::load`], [`PageStateRequest::advance`]). A
//! [`Ghcb`] or a [`PageStateBuffer`] in Rust's memory is such a copy, never the
//! shared page itself.
//!
//! # Sources
//!
//! AMD publication 56421, revision 2.04 (`GHCB 56421 2.04`), as Linux, edk2 and
//! other implementations use it. What only an implementation vouches for says
//! so where it stands; what could not be established at all is left out, and
//! named where one would look for it.

mod event;
mod features;
mod frame;
mod hv_doorbell;
mod msr;
mod page;
mod page_state;
mod save_area;
mod termination;
mod valid_fields;

pub use event::{
    AddressSize, ApCreation, ApCreationAction, ApCreationError, ApJumpTableAction, ApicIdList,
    ApicIdListError, ExitCode, ExitOutcome, GuestRequestStatus, MalformedInput, NaeError,
    NaeOutputs, NaeRequest, PortIo, PortIoDirection, PortIoError, PortIoOperation, PortIoRepeat,
    PortIoSegment, PortIoWidth, RequestedException, RequestedExceptionError,
};
pub use features::HypervisorFeatures;
pub use frame::GuestFrame;
pub use hv_doorbell::{
    DoorbellAction, DoorbellFlags, HvDoorbell, NoEoiRequired, PendingEvents, PendingEventsError,
};
pub use msr::{
    AskCpuid, AskHypervisorFeatures, AskPreferredGhcb, AskSevInformation, AssignPage,
    CpuidRegister, HoldApReset, MsrCall, MsrCallError, MsrCallFault, MsrDecodeError, MsrOperation,
    MsrRequest, MsrResponse, PageAssignment, RegisterGhcb, ResetHoldEnd, RunVmpl, SevInformation,
};
pub use page::{Ghcb, SHARED_BUFFER_SIZE};
pub use page_state::{
    PageOperation, PageStateBuffer, PageStateEntry, PageStateEntryError, PageStateHeader,
    PageStateOutcome, PageStateRequest, PageStateRequestError, PendingEntries, PendingEntry,
    Progress, ProgressError,
};
pub use save_area::SaveArea;
pub use termination::{ReasonSet, TerminationReason};
pub use valid_fields::ValidFields;

/// Version of the GHCB protocol that SEV-SNP needs and that is spoken here.
pub const PROTOCOL_VERSION: u16 = 2;
