//! Why an address leads nowhere.

use abi_x86::PageFaultError;

/// What stopped a walk. `E` is the error of the function that reads tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalkError<E> {
    /// The address is not canonical: #SS for accesses to the stack segment, #GP
    /// for all others.
    #[error("linear address {0:#x} is not canonical")]
    NonCanonical(u64),
    /// The processor raises #PF with this error code, and CR2 has the linear
    /// address.
    #[error("page fault ({0})")]
    PageFault(PageFaultError),
    /// An entry of a table could not be read.
    #[error("page-table entry at guest physical address {address:#x} cannot be read")]
    Unreadable {
        /// Guest physical address of the entry, without the C-bit.
        address: u64,
        /// What reading said.
        error: E,
    },
}
