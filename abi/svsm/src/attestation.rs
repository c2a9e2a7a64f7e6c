//! Protocol 1: reports about the module and its services.
//!
//! RCX names a [`ServicesRequest`] or a [`SingleServiceRequest`] in memory. The
//! answer is a report of the module's level whose report data is the SHA-512
//! digest of nonce and manifest, one after the other; the manifest itself: a
//! [table](ManifestHeader) of all services, or what one service says about
//! itself; and the host's certificates.
//! Afterwards the registers hold [`Lengths`].

mod lengths;
mod manifest;
mod request;

#[cfg(test)]
mod tests;

pub use lengths::Lengths;
pub use manifest::{
    ManifestEntry, ManifestError, ManifestHeader, ManifestTable, SERVICES_MANIFEST, VTPM_SERVICE,
};
pub use request::{
    AttestationCall, AttestationCallNumber, Buffer, Location, Nonce, ReportRequest, ServiceChoice,
    ServicesRequest, SingleServiceRequest,
};

/// The version of the protocol that this crate describes.
pub const VERSION: u32 = 1;
