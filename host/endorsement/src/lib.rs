//! The simulated security processor's identity, and what it is worth: nothing.
//!
//! A processor with SEV-SNP signs attestation reports with a key of its own,
//! the VCEK. A certificate for that key names the chip and the firmware it is
//! bound to, AMD's ASK signs the certificate, and AMD's ARK signs the ASK's. The
//! platform simulator has no such key, so [`Endorsement::generate`] draws one
//! together with an ARK and an ASK of nobody's, and issues certificates in the
//! formats that AMD's have: what a verifier does with them is what it does with
//! real ones, up to the question whether it trusts the root.
//!
//! **It must not.** The keys lie in a file on somebody's machine, and whoever
//! reads it can sign any report. Organisation names in the certificates say so;
//! common names are AMD's, because verifiers look at them.
//!
//! | module | what it knows |
//! |---|---|
//! | [`ChipIdentity`] | what the VCEK certificate says about a processor |
//! | `chip_extensions` | how it says that |
//! | `issue` | making certificates |
//! | [`Chain`] | reading and checking three certificates |
//! | [`ReportFault`] | checking a report against them |
//! | [`Endorsement`] | certificates together with the private key, in a folder |
//!
//! Sources: AMD's "Versioned Chip Endorsement Key (VCEK) Certificate and KDS
//! Interface Specification" (`KDS 57230`), cited from secondary sources, and
//! certificates that AMD has issued for Milan and Turin; X.509 as in `RFC 5280`,
//! RSASSA-PSS as in `RFC 8017`. Nothing here runs in the module.
#![forbid(unsafe_code)]

mod chain;
mod chip_extensions;
mod endorsement;
mod folder;
mod identity;
mod issue;
mod report;

pub use chain::{Chain, ChainError, PublicFile};
pub use chip_extensions::ExtensionError;
pub use endorsement::{Endorsement, EndorsementError};
pub use folder::FileError;
pub use identity::{ChipIdentity, IdentityError, Product};
pub use issue::IssueError;
pub use report::ReportFault;

#[cfg(test)]
mod forger;
#[cfg(test)]
mod sample;
