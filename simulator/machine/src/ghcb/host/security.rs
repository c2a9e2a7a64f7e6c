//! The security processor, as guests reach it.

use alloc::vec::Vec;

use abi_snp::ghcb::{GuestFrame, GuestRequestStatus};

/// Messages to the security processor.
pub trait GuestRequests {
    /// Passes the message in the shared page `request` to the security
    /// processor, and writes what it answers to the shared page `response`.
    fn guest_request(&mut self, request: GuestFrame, response: GuestFrame) -> GuestRequestStatus;

    /// The certificates for attestation reports, as the table that
    /// [`abi_snp::CertificateTable`] reads. No bytes at all if the host has
    /// none, not even an empty table.
    fn certificate_table(&mut self) -> Vec<u8>;
}
