//! Instructions that raise #VC: what they ask, and what the answer does.
//!
//! In an SEV-ES or SEV-SNP guest, an instruction that the hypervisor intercepts
//! does not leave the guest but raises #VC [APM 24593 §15.35.5]. The handler
//! finds out what the instruction wants, asks for it in its own words, and
//! finishes the instruction in the registers that it interrupted.
//!
//! ```text
//! error code, bytes at RIP, registers ── Intercepted::decode ──► Intercepted
//!                                                                    │ what to ask
//! registers, RIP behind the instruction ◄── answer, transferred ─────┘
//! ```
//!
//! The error code is the code of the exit. It comes from the processor, but a
//! hypervisor can also inject #VC with any code at any instruction, unless
//! injection is restricted. So the instruction decides, and the code must agree
//! with it: [`Refusal`] otherwise. What the hypervisor says then is not checked
//! here: a port may read as anything.
//!
//! The instructions are those of a 64-bit kernel at privilege level 0: CPUID,
//! IN and OUT, INS and OUTS, RDMSR and WRMSR, RDTSC and RDTSCP. Each has a type
//! that says what is asked and takes no other answer than one that fits.
//!
//! Decoding is `yaxpeax-x86`: it neither allocates nor takes a lock, so that a
//! trap may use it at any time.
#![no_std]
#![forbid(unsafe_code)]

mod cpuid_call;
mod intercepted;
mod length;
mod msr_access;
mod port_access;
mod refusal;
#[cfg(test)]
mod samples;
mod string_access;
mod time_stamp;

pub use cpuid_call::CpuidCall;
pub use intercepted::Intercepted;
pub use length::MAX_LENGTH;
pub use msr_access::{ReadMsr, WriteMsr};
pub use port_access::{ReadPort, WritePort};
pub use refusal::Refusal;
pub use string_access::{StringAccess, Transferred};
pub use time_stamp::ReadTimeStamp;
