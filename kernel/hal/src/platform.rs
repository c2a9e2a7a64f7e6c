//! What differs between platforms.
//!
//! One file per platform; [`current()`] picks the one that the boot block names.

mod current;
mod interface;
mod native;
mod native_apic;
mod snp;
mod triple_fault;
mod unknown;

pub(crate) use current::{choose, current};
pub(crate) use interface::Interrupts;
pub(crate) use triple_fault::triple_fault;
