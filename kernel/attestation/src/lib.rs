//! What the security processor answers the module: attestation reports, keys,
//! and how time stamp counters run.
//!
//! The module has one conversation with it, sealed with VMPCK0, the key of the
//! most privileged level. The host carries the messages and can lose, change,
//! repeat and hold them back. It cannot read or forge them; what it can do is to
//! end the conversation, for good.
//!
//! | file | what |
//! |---|---|
//! | `conversation` | one message and its reply after the other, whatever the host says |
//! | `carrier` | what carries the messages, as a trait |
//! | `certificates` | what the host adds to a report |
//! | `error` | why there is no answer |
//! | `service` | the one conversation of this machine, which tasks take in turns |
//! | `machine` | messages by way of `hal` |
//! | `guest_reports` | reports for guests, who ask by calls |
//!
//! # Numbers
//!
//! No two messages of one key may have the same number: whoever has seen both
//! could forge others ([`snp_messages`]). So a message whose fate is unknown is
//! sent again as it is, and if no reply can be had the key is wiped: from then on
//! everything is refused with [`RequestError::KeyLost`], and the log says why.
//!
//! Neighbours: `lib/snp-messages` seals and counts, `hal::security_processor`
//! carries; `kernel/start` starts this before other processors.
//!
//! Specification: [SNP ABI 56860 ch. 7 and §8.26], [GHCB 56421 2.04 §4.1].
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(target_os = "none"),
    allow(dead_code, unused_imports, reason = "the user is only compiled for the bare machine")
)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests may panic")
)]

extern crate alloc;

mod carrier;
mod certificates;
mod conversation;
mod error;
#[cfg(target_os = "none")]
mod guest_reports;
#[cfg(target_os = "none")]
mod machine;
#[cfg(target_os = "none")]
mod service;

pub use certificates::Certificates;
pub use error::RequestError;
#[cfg(target_os = "none")]
pub use guest_reports::GuestReports;
#[cfg(target_os = "none")]
pub use service::{derived_key, report, report_with_certificates, start, time_stamp_parameters};
