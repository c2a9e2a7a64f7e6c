//! The kernel's only `unsafe` code.
//!
//! Everything that the compiler cannot check lives here: the first
//! instructions, the tables the processor reads, special instructions, device
//! registers. What this crate offers to the rest of the kernel is safe to use
//! in any way that compiles; `docs/src/soundness.md` lists the invariants that
//! the SAFETY comments name.
//!
//! # The way through a start
//!
//! 1. `entry/pvh.rs`: 32-bit entry of a plain virtual machine. It only
//!    establishes the state that `abi/boot` promises at the 64-bit entry; other
//!    platforms begin there.
//! 2. `entry/start.rs`: 64-bit entry. Chooses the platform, loads the
//!    processor's tables (`segments.rs`, `trap/`), checks the boot block, lets
//!    the platform make memory usable (`snp/start.rs`) and calls the function
//!    that the kernel binary named with `entry!`. `memory/` makes allocators of
//!    what the image leaves free.
//! 3. The kernel runs; `println!` writes to the platform's console.
//! 4. `stop` says why and ends the machine, also after a panic (`panic.rs`)
//!    or an exception (`trap/handler.rs`).
//!
//! # Platforms
//!
//! What differs between platforms stands behind small traits in `platform.rs`.
//! A new platform is one more file below `platform/` and one line in
//! `platform/current.rs`.
//!
//! # Two targets
//!
//! Whatever only exists on the bare machine is compiled for `target_os =
//! "none"`. The rest (formatting, encodings) also compiles for the developer's
//! machine, where its tests run. What needs no instruction at all lies in
//! libraries: `processor` (tables and trap frames), `serial` (console).
#![no_std]
#![cfg_attr(
    not(target_os = "none"),
    allow(dead_code, unused_imports, reason = "users are only compiled for the bare machine")
)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests may panic")
)]

extern crate alloc;

#[cfg(target_os = "none")]
mod away;
#[cfg(target_os = "none")]
mod backtrace;
#[cfg(target_os = "none")]
mod broadcast;
#[cfg(target_os = "none")]
mod control_registers;
#[cfg(target_os = "none")]
pub mod cpuid;
#[cfg(target_os = "none")]
mod entry;
#[cfg(target_os = "none")]
mod exception_stack;
#[cfg(target_os = "none")]
pub mod guest;
#[cfg(target_os = "none")]
pub mod image;
#[cfg(target_os = "none")]
mod kernel_memory;
#[cfg(target_os = "none")]
mod kernel_text;
#[cfg(target_os = "none")]
pub mod measuring;
#[cfg(target_os = "none")]
mod msr;
mod native;
#[cfg(target_os = "none")]
mod panic;
#[cfg(target_os = "none")]
mod platform;
#[cfg(target_os = "none")]
mod port;
#[cfg(target_os = "none")]
mod print;
#[cfg(target_os = "none")]
pub mod processor;
mod processor_requests;
#[cfg(target_os = "none")]
mod processor_start;
#[cfg(target_os = "none")]
mod processor_table;
#[cfg(target_os = "none")]
pub mod processors;
#[cfg(target_os = "none")]
mod protection;
#[cfg(target_os = "none")]
mod raise_events;
#[cfg(target_os = "none")]
mod recoverable;
#[cfg(target_os = "none")]
mod segments;
#[cfg(target_os = "none")]
mod shootdown;
#[cfg(target_os = "none")]
mod snp;
#[cfg(target_os = "none")]
pub mod stack_use;
#[cfg(target_os = "none")]
mod stop;
#[cfg(target_os = "none")]
mod trap;

mod carry_error;
pub mod extended_state;
pub mod heap;
mod injection;
#[cfg(target_os = "none")]
mod interrupt_handlers;
#[cfg(target_os = "none")]
pub mod interrupts;
mod local_apic;
pub mod memory;
mod out_of_memory;
pub mod security_processor;
mod shared_slot;
mod start_error;
mod stop_reason;
pub mod sync;
mod take_once;
pub mod thread;
pub mod time;
mod timer_ticks;
mod translations;
#[cfg(target_os = "none")]
mod window_places;

#[doc(hidden)]
pub use abi_boot;
#[cfg(target_os = "none")]
pub use native::memory_map as start_memory_map;
pub use out_of_memory::OutOfMemory;
#[cfg(target_os = "none")]
pub use print::print;
#[cfg(target_os = "none")]
pub use recoverable::Fault;
pub use start_error::StartError;
#[cfg(target_os = "none")]
pub use stop::stop;
pub use stop_reason::StopReason;
