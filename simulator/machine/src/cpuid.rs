//! What CPUID says on this platform.
//!
//! The guest sees the processor of an SEV-SNP machine. Below it is another one,
//! that of the emulator, which executes the guest's instructions and has no
//! idea of SEV-SNP. [`Cpuid`] makes the first out of the second: it takes away
//! what the platform cannot give a guest, and adds what it can.
//!
//! | added or replaced | removed |
//! |---|---|
//! | vendor, family, model and stepping of an SNP processor | nested virtualization, MONITOR/MWAIT, SKINIT |
//! | topology: one socket of cores with one thread each | performance counters, IBS, LWP, OSVW, machine watchdog |
//! | x2APIC, TSC deadline, ARAT, invariant TSC | speculation controls, CET, RDPRU, power management |
//! | memory encryption (leaf `0x8000_001f`); INVLPGB ([`TranslationBroadcast`]) | 3DNow!, AVX-512, MPX, transactions |
//! | hypervisor leaves; XSAVEC ([`CpuidPolicy::Full`]) | XSAVE, AVX, PKU and what builds on them ([`CpuidPolicy::Reduced`]); PKU ([`CpuidPolicy::Xsave`]) |
//!
//! A guest gets these values in two ways. Those in its CPUID page are the
//! host's word, written by [`Cpuid::fill`], that the security processor has
//! checked with [`Cpuid::check`]. For everything else it asks the hypervisor,
//! which answers with [`Cpuid::answer`].
//!
//! `OSXSAVE`, `OSPKE` and other bits that mirror control registers of the guest
//! are zero here: a hypervisor does not see those registers, and the guest adds
//! the bits itself [GHCB 56421 2.04 §4.1].
//!
//! Sources: [APM 24594 appendix E] for the leaves; the published firmware for
//! Genoa for the rules of the check.

mod answers;
mod check;
mod encryption;
mod extended_state;
mod facts;
mod features;
mod page;
mod physical;
mod refusal;
#[cfg(test)]
pub(crate) mod samples;
mod topology;

pub use answers::{Cpuid, CpuidQuery};
pub use facts::{CpuidFacts, CpuidPolicy, TranslationBroadcast};
pub use physical::CpuidResult;
pub use refusal::CpuidRefusal;
