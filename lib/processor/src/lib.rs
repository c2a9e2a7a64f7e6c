//! What a processor needs to run supervisor code, as plain data.
//!
//! The tables that the processor reads by itself, and the registers that it
//! leaves behind when it enters an exception handler. Whoever owns a processor
//! (the kernel's `hal`, the platform simulator's `hypervisor`) executes the
//! instructions that load the tables and writes the entry points that build a
//! [`TrapFrame`]; all that can be computed and tested without them is here.
//!
//! | file | subject |
//! |---|---|
//! | [`Segments`] | descriptor table, task state |
//! | [`ExceptionStack`] | where exceptions are taken that need a stack of their own |
//! | [`InterruptTable`] | one gate per vector |
//! | [`TrapFrame`], [`Report`] | registers of interrupted code, and how they are shown |
#![no_std]
#![forbid(unsafe_code)]

mod error_code;
mod interrupt_table;
mod segments;
mod table_pointer;
mod trap_frame;

pub use interrupt_table::{InterruptTable, Stubs};
pub use segments::{
    CODE, CODE_SELECTOR, DATA, DATA_SELECTOR, ExceptionStack, Segments, StackTop,
    TASK_STATE_SELECTOR,
};
pub use trap_frame::{Report, TrapFrame};
