//! AMD SEV-SNP: instructions, the protocol with the host, and the start.
//!
//! What passes between guest and host is described in `abi_snp::ghcb`, with all
//! checks of the host's answers; here are the instructions that carry it.
//!
//! | file | what |
//! |---|---|
//! | `exit` | VMGEXIT with a value in the GHCB MSR |
//! | `guest_registers` | registers that every such guest has |
//! | `msr_protocol` | requests by the MSR alone, and the last one: termination |
//! | `ghcb` | requests by the page |
//! | `page_state` | pages become private or shared |
//! | `page_conversion` | the same for memory that is given out |
//! | `ports` | I/O ports, as the console's driver wants them |
//! | `reverse_map` | PVALIDATE, RMPADJUST |
//! | `negotiation` | what the host speaks and offers |
//! | `status` | what protection this guest runs with |
//! | `cpuid` | the CPUID page |
//! | `communication` | #VC |
//! | `doorbell` | #HV |
//! | `doorbell_controller`, `timer` | interrupt controller and timer under restricted injection |
//! | `clock` | how fast the time stamp counter runs |
//! | `first_ghcb` | the first processor's page, from private to shared |
//! | `secrets` | the secrets page |
//! | `guest_request` | messages to the security processor |
//! | `registers` | registers of the interrupt controller, and time |
//! | `processors` | other processors |
//! | `levels` | privilege levels below the module's |
//! | `region` | the module's own memory becomes usable |
//! | `start` | all this in order |
//!
//! # One request at a time
//!
//! Register and page belong to the request that is under way. A request runs
//! with interrupts masked, so a handler can come in between only by an exception
//! that the request's own few instructions raise: a page that the host has
//! taken away, or an event that it injects without right. Those end the machine,
//! by a handler that may use both as it likes, since the interrupted request is
//! never continued. A machine check or a double fault ends the machine, too. So
//! no request has to put the page aside for another one.

mod clock;
mod communication;
mod cpuid;
mod doorbell;
mod doorbell_controller;
mod exit;
mod first_ghcb;
mod ghcb;
mod guest_registers;
mod guest_request;
mod levels;
mod msr_protocol;
mod negotiation;
mod page_conversion;
mod page_state;
mod ports;
mod processors;
mod region;
mod registers;
mod reverse_map;
mod secrets;
mod start;
mod status;
mod timer;

pub(crate) use communication::handle as handle_communication;
pub(crate) use cpuid::query as cpuid;
pub(crate) use doorbell::{call, serve as serve_events, wait};
pub use guest_request::MessageCarrier;
pub(crate) use levels::{
    adjust, announce_save_area, has_levels, make_private, rest, run_level, set_validation,
};
pub(crate) use msr_protocol::terminate;
pub(crate) use page_conversion::SnpPages;
pub(crate) use ports::{CONSOLE, mark};
pub(crate) use processors::{
    enter as enter_processor, has_secure_tsc, identifiers as processor_identifiers,
    prepare as prepare_processor, set_time_stamp_parameters, start as start_processor,
};
pub use reverse_map::Validated;
pub(crate) use reverse_map::{NotAdjusted, Validation};
pub(crate) use secrets::take as take_secrets;
pub(crate) use start::start;
pub(crate) use status::features;
pub(crate) use timer::{is_there as has_timer, set_timer};
