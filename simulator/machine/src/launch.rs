//! Launching a guest: loading its pages, measuring them, and checking whose
//! guest it is.
//!
//! The host gives the pages, the security processor takes them over one by one:
//! it encrypts each with the guest's key, extends the launch digest by it, and
//! hands it to the guest as validated [SNP ABI 56860, launching a guest].
//!
//! | command | here |
//! |---|---|
//! | `SNP_LAUNCH_START` | [`Launch::start`]: can the platform keep the guest's policy? |
//! | `SNP_LAUNCH_UPDATE` | [`Launch::update`]: a page; [`Launch::update_large_zeros`]: 2 MiB |
//! | `SNP_LAUNCH_FINISH` | [`Launch::finish`]: is it the guest that its owner signed? |
//!
//! The result is a [`LaunchedGuest`]: all that the security processor knows
//! about a guest while that runs. The digest is computed by the same code that
//! foretells it for an image, `snp-launch`; the values of the CPUID page come
//! from [`Cpuid::fill`](crate::cpuid::Cpuid::fill).
//!
//! # What is simpler than on a processor
//!
//! - There is no migration: no migration agent, no initial migration image.
//! - Of pages of 2 MiB only those of zeros are launched as a whole, which
//!   hypervisors may do, but Linux/KVM does not.
//! - Random numbers come from a seed, so that a run can be repeated.
//! - Memory is not encrypted, though private and shared content differ. Demands
//!   about the cipher are taken as kept.
//! - A launch that is refused is over; firmware lets the host try again.
//!
//! Order and kind of the checks are those of the published firmware for Genoa.

mod content;
mod finish;
mod guest;
mod identity;
mod page;
mod policy;
mod refusal;
#[cfg(test)]
pub(crate) mod samples;
mod secrets;
mod signature;
mod start;
#[cfg(test)]
mod tests;
mod update;

pub use finish::FinishParameters;
pub use guest::LaunchedGuest;
pub use identity::{AuthorKey, Identity, IdentityRefusal};
pub use page::{LaunchPage, PageContent, Zeros};
pub use policy::PolicyViolation;
pub use refusal::UpdateRefusal;
pub use start::{Launch, StartParameters};
