//! The hypervisor's side of the GHCB protocol.
//!
//! A guest asks its hypervisor by VMGEXIT, with a value in the GHCB MSR or with
//! a page that both can read and write [GHCB 56421 2.04 ch. 2 and 4]. [`Server`]
//! answers as Linux/KVM with QEMU would: [`Server::exit`] takes what the
//! register holds and says in an [`Answer`] what it holds then and what runs
//! next. The encodings are those of [`abi_snp::ghcb`], which the kernel uses
//! for the other side.
//!
//! What the platform has to do for a guest is behind small traits, one for each
//! concern ([`Ports`], [`DeviceMemory`], [`Cpuid`], …; all together [`Host`]).
//! Which level of which processor runs is in the account of [`Processors`],
//! which the server owns.
//!
//! | file | what |
//! |---|---|
//! | `host` | the traits |
//! | `configuration` | [`Configuration`]: what the server offers |
//! | `answer` | [`Answer`]: what follows from an exit |
//! | `server` | [`Server`] |
//! | `msr_protocol` | requests by the GHCB MSR |
//! | `page_protocol` | requests by the page: finds the one who serves an event |
//! | `page_access` | reads and writes the page |
//! | `page_event` | a request that has passed the checks which all have in common |
//! | `scratch` | the buffer that some requests bring along |
//! | `completion` | answers that came late |
//! | `served` | what an event comes to: an answer, or why not |
//! | `counts` | [`Counts`]: how often what was asked |
//! | `events` | one file for each group of events |
//!
//! # Read once
//!
//! The guest can change its pages while they are read. Each word of the page is
//! read at most once for a request, and so is a buffer: what is checked is what
//! is used.
//!
//! # What is not served
//!
//! - `HV_TIMER`: how its inputs are encoded could not be established.
//! - `SECURE_AVIC`: there is no Secure AVIC.
//! - Version 1 of the page's layout: an SNP guest needs version 2. The page's
//!   own version field is not looked at, as in Linux/KVM.
//!
//! A guest that asks for them is told that there is no such event.
//!
//! [`Processors`]: crate::processors::Processors

mod answer;
mod completion;
mod configuration;
mod counts;
mod events;
#[cfg(test)]
pub(crate) mod fake_host;
mod host;
mod msr_protocol;
mod page_access;
mod page_event;
mod page_protocol;
mod scratch;
mod served;
mod server;
#[cfg(test)]
pub(crate) mod test_guest;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Next, Stop};
pub use configuration::{Configuration, NotServed};
pub use counts::{Count, Counts, EventKind};
pub use host::{
    Cpuid, DeviceMemory, GeneralProtection, GuestRequests, Host, Hypercall, Hypercalls,
    InterruptControl, InvalidCommand, NoDevice, PageStateRefused, PageStates, PerformanceCounters,
    Ports, SpecialRegisters, TimeStampCounter,
};
pub use scratch::SCRATCH_LIMIT;
pub use server::Server;
