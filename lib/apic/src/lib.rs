//! Interrupt controllers of a PC, without a processor.
//!
//! Pure state machines: a caller that runs processors hands them the accesses
//! and signals that it sees, and asks what to deliver. They perform no I/O,
//! read no clock and execute no instruction. Memory is allocated when a [`Bus`]
//! is made and never after.
//!
//! | type | what |
//! |---|---|
//! | [`LocalApic`] | one processor's interrupt controller and timer, by memory-mapped registers (xAPIC) and by MSRs (x2APIC) |
//! | [`IoApic`] | 24 interrupt pins of a chipset |
//! | [`Message`] | an interrupt on its way to one or several local APICs; devices send them as MSIs |
//! | [`Bus`] | several local APICs and an I/O APIC; delivers messages between them |
//! | [`Moment`] | the time, which the caller supplies |
//!
//! Who runs a processor does this, with a [`Bus`]:
//!
//! 1. Hand every access to the controllers to [`Bus::read_msr`] and
//!    [`write_msr`](Bus::write_msr), [`read_local`](Bus::read_local) and
//!    [`write_local`](Bus::write_local), [`read_io_apic`](Bus::read_io_apic)
//!    and [`write_io_apic`](Bus::write_io_apic); device signals to
//!    [`set_line`](Bus::set_line) and [`send`](Bus::send). The answer names the
//!    processors that have something to do now.
//! 2. Call [`Bus::advance`] no later than [`Bus::next_event_ns`] says.
//! 3. Before a processor runs: look at its [`LocalApic::events`], and if it
//!    takes interrupts now, deliver what [`LocalApic::acknowledge`] returns.
//!
//! # Sources
//!
//! The AMD64 Architecture Programmer's Manual, volume 2, chapter 16
//! (`APM 24593`), the Intel Software Developer's Manual, volume 3A, chapter 11
//! (`SDM 3A`; chapter 10 before 2022), for MSIs, modes and the timer's deadline,
//! and the data sheets of the 82093AA I/O APIC and of the ICH9 chipset
//! (`82093AA`, `ICH9`). They are cited from memory; what is doubtful says so
//! again where it stands, with the words *from memory*.
//!
//! # What there is not
//!
//! System management interrupts are dropped. There are no CMCI and extended
//! local vectors, no focus processor, no arbitration and remote read registers,
//! no suppression of EOI broadcasts, no interrupt remapping.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod apic_base;
mod bus;
mod byte_set;
mod error_status;
mod general_protection;
mod interrupt_command;
mod io_apic;
mod local_apic;
mod local_vector;
mod logical_destination;
mod message;
mod moment;
mod msi;
mod priority;
mod redirection;
mod register;
mod register_file;
mod timer;
mod x2apic;
mod xapic;

#[cfg(test)]
mod conversation_tests;
#[cfg(test)]
mod samples;

pub use apic_base::{Mode, ProcessorRole};
pub use bus::{Bus, TooManyProcessors};
pub use byte_set::ByteSet;
pub use general_protection::GeneralProtection;
pub use io_apic::{IoApic, Line, Pin};
pub use local_apic::{Events, LocalApic, Outgoing};
pub use local_vector::LocalSource;
pub use message::{DeliveryMode, Destination, Message, Trigger};
pub use moment::Moment;
pub use msi::MsiError;
pub use x2apic::TSC_DEADLINE;
