//! What the security processor answers to the running guest.
//!
//! A guest sends sealed messages, which the hypervisor carries
//! (`SNP_GUEST_REQUEST`) [SNP ABI 56860 ch. 7 and §8.26]:
//!
//! | message | answer |
//! |---|---|
//! | `MSG_REPORT_REQ` | an attestation report, signed by the VCEK or VLEK |
//! | `MSG_KEY_REQ` | a key derived for this guest |
//! | `MSG_CPUID_REQ` | whether CPUID values are this processor's |
//! | `MSG_TSC_INFO_REQ` | the parameters of the guest's time stamp counter |
//!
//! [`SecurityProcessor::guest_request`] does it all; sealing and opening is the
//! work of `snp-messages`, and certificates are the hypervisor's matter.
//!
//! # What is simpler than on a processor
//!
//! - Messages of migration agents do not exist: they are refused like unknown
//!   ones.
//! - Requests exist in their first version, as in firmware before 1.58.
//! - How keys are derived is not AMD's way, which involves secrets of the
//!   chip. What goes into a key is the same; the keys are others.
//! - Signatures are deterministic [RFC 6979], so that a run can be repeated.
//!
//! Order and kind of the checks are those of the published firmware for Genoa.

mod derived_key;
mod endorsement_key;
mod processor;
mod refusal;
mod report;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use endorsement_key::{EndorsementKey, EndorsementKeys, InvalidScalar};
pub use processor::SecurityProcessor;
pub use refusal::RequestRefusal;
