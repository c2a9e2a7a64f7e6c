//! The events, one file for each group.
//!
//! Each function serves one event: it takes the request and, of the host, just
//! what it needs, and gives the registers of the answer. Which fields an answer
//! marks as valid is therefore what its function returns, and nothing more.

pub(super) mod ap_creation;
pub(super) mod apic_ids;
pub(super) mod cpuid;
pub(super) mod debug_registers;
pub(super) mod device_memory;
pub(super) mod doorbell;
pub(super) mod guest_request;
pub(super) mod hypercall;
pub(super) mod interrupts;
pub(super) mod jump_table;
pub(super) mod page_state;
pub(super) mod port_io;
pub(super) mod special_registers;
pub(super) mod termination;
pub(super) mod time;
