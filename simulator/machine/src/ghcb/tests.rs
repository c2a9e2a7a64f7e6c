//! The server, seen from a guest.

mod ap_creation;
mod devices;
mod guest_requests;
mod instructions;
mod levels;
mod msr_protocol;
mod page_checks;
mod page_states;
mod properties;
mod restricted_injection;
