//! Registers, descriptors, page-table entries and exception codes of x86-64.
//!
//! Data only: nothing here executes an instruction. The kernel (`kernel/hal`)
//! loads these values into a processor, the image builder (`host/image`)
//! writes them into images, and `abi-snp` and `abi-svm` use them for the register
//! fields of save areas. Long mode is the only mode that is described.
//!
//! One file per subject: [`PageTableEntry`] and its levels, the control
//! registers ([`Cr0`], [`Cr4`], [`Efer`], [`Rflags`]), segments
//! ([`SegmentAttributes`], [`SegmentDescriptor`]), [`GateDescriptor`],
//! [`TaskStateSegment`], [`ExceptionVector`], [`Msr`], and what registers hold
//! after a reset ([`reset`]).
//!
//! The sources are the AMD64 Architecture Programmer's Manual, volume 2
//! (`APM 24593`), and the Intel Software Developer's Manual, volume 3A
//! (`SDM 3A`). Integers are little-endian.
#![no_std]
#![forbid(unsafe_code)]

mod control;
mod exception;
mod flag_names;
mod gate;
mod msr;
mod open_enum;
mod page_table;
pub mod reset;
mod segment;
mod task_state;

pub use control::{Cr0, Cr4, Efer, Rflags};
pub use exception::{ExceptionVector, PageFaultError};
pub use gate::{GateDescriptor, InterruptStack};
pub use msr::Msr;
pub use page_table::{EntryFlags, Level, PageTableEntry, SIZE_1G, SIZE_2M, SIZE_4K, TABLE_ENTRIES};
pub use segment::{
    DescriptorTablePointer, SegmentAttributes, SegmentDescriptor, SegmentRegister, SegmentSelector,
    TssDescriptor,
};
pub use task_state::TaskStateSegment;

const _: () = assert!(cfg!(target_endian = "little"), "the layouts are little-endian");
