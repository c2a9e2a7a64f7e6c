//! Answers to CPUID from the page that SEV-SNP firmware has checked.
//!
//! The host fills the CPUID page in, and firmware refuses values that claim
//! more than the processor can do [SNP ABI 56860 §8.17]. That leaves the host
//! room to lie by omission, in registers that firmware does not compare, and
//! about how the values fit together. [`CpuidTable::check`] therefore looks at
//! the page as a whole before anything relies on it:
//!
//! | what does not add up | consequence |
//! |---|---|
//! | more entries than fit, reserved bytes set, leaves missing without which nothing runs, two different answers to one question, no SEV-SNP, an impossible C-bit | [`Refusal`]: the page cannot be used |
//! | a state component without a sound layout, or without the feature that it belongs to | [`Finding`]: the component is not offered |
//! | a feature without the state it needs, AVX without its registers above all | [`Finding`]: the feature is not offered |
//! | a size of the XSAVE area | [`Finding`]: sizes are always computed, never believed |
//! | entries beyond the greatest leaf or subleaf, repeated, or for a subleaf that the leaf does not have | [`Finding`]: such an entry is not used |
//!
//! Identifiers of a single processor (leaves 1, 0xb and 0x8000_001e) are the
//! asker's to give: the page holds one processor's for all of them, and all are
//! the host's word anyway. Leaves of hypervisors (0x4000_0000 and up) are not
//! looked at by firmware, so that the table does not have them.
//!
//! | file | |
//! |---|---|
//! | `table` | the check and the answers |
//! | `entries` | which entry answers a question |
//! | `extended_state` | state components, their layout and the size of the area |
//! | `dependency` | which features need which state |
//! | `asker`, `answer`, `finding`, `refusal` | what goes in and out |
//!
//! The source for all leaves is [APM 24594 appendix E].
#![no_std]
#![forbid(unsafe_code)]

mod answer;
mod asker;
mod dependency;
mod entries;
mod extended_state;
mod finding;
mod refusal;
#[cfg(test)]
mod samples;
mod table;

pub use answer::{Answer, AnswerRegister};
pub use asker::Asker;
pub use finding::{ComponentFault, Finding};
pub use refusal::Refusal;
pub use table::CpuidTable;
