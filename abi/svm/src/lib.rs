//! SVM structures: how a hypervisor and an AMD processor talk about a guest.
//!
//! | type | what |
//! |---|---|
//! | [`Vmcb`] | the page that VMRUN takes: [`ControlArea`], then [`SaveArea`] |
//! | [`EventIntercepts`], [`InstructionIntercepts`], [`ExceptionIntercepts`] | what makes the guest exit |
//! | [`ExitCode`] | why it did, with [`IoExit`] and [`NestedFault`] for details |
//! | [`Event`] | an exception or interrupt to inject, or one that was cut short |
//! | [`VirtualInterrupts`] | virtual interrupt controls |
//! | [`permission_map`] | where a port's or register's bits lie in the permission maps |
//!
//! Data only: `simulator/hypervisor` executes the instructions. Guests whose
//! registers are encrypted have another save area, `abi_snp::Vmsa`.
//!
//! Source: the AMD64 Architecture Programmer's Manual, volume 2 (`APM 24593`),
//! chapter 15 and appendices B and C. Integers are little-endian; offsets in
//! assertions are hexadecimal.
#![no_std]
#![forbid(unsafe_code)]

mod control_area;
mod event;
mod exit_code;
mod exit_information;
mod features;
mod intercepts;
pub mod permission_map;
mod save_area;
mod virtual_interrupts;
mod vmcb;

pub use control_area::{ControlArea, InterruptShadow, NestedControl, TlbControl};
pub use event::{Event, EventKind};
pub use exit_code::ExitCode;
pub use exit_information::{IoDirection, IoExit, NestedFault};
pub use features::{SvmFeatures, VmCr};
pub use intercepts::{EventIntercepts, ExceptionIntercepts, InstructionIntercepts};
pub use save_area::SaveArea;
pub use virtual_interrupts::VirtualInterrupts;
pub use vmcb::Vmcb;
