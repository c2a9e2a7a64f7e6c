//! Page state changes: which pages shall become private or shared.
//!
//! The event `ExitCode::SNP_PAGE_STATE_CHANGE` takes a list of up to 253
//! entries, each for a page of 4 KiB or 2 MiB, in the page's own buffer
//! [GHCB 56421 2.04 §4.1.6]. The hypervisor can stop anywhere; it notes in the
//! list how far it came, and the guest asks again. A guest drives this with
//! [`PageStateRequest`], a hypervisor reads and marks a [`PageStateBuffer`].
//!
//! Nothing here makes a page usable: a guest still has to validate pages that
//! became private, and must have given up the validation of those that become
//! shared.

mod buffer;
mod entry;
mod outcome;
mod request;

pub use buffer::{PageStateBuffer, PageStateHeader, PendingEntries, PendingEntry};
pub use entry::{PageOperation, PageStateEntry, PageStateEntryError};
pub use outcome::PageStateOutcome;
pub use request::{PageStateRequest, PageStateRequestError, Progress, ProgressError};

#[cfg(test)]
mod tests;
