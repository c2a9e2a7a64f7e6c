//! The platform simulator's bare-metal shell: runs guests with SVM inside QEMU.
//!
//! QEMU's software processors know AMD's virtualisation (SVM) but no SEV-SNP.
//! This program is the kernel of such a machine and the hypervisor of a guest
//! inside it: it intercepts what SEV-SNP changes and lets `simulator/machine`,
//! a pure model, say what the processor would have done.
//!
//! With a launch file as loader module it launches the guest in there and runs
//! it ([`run`]). Without, it tests what the SVM of the QEMU it runs in delivers
//! ([`self_test`]).
//!
//! # The way through a start
//!
//! 1. `entry.rs`: 32-bit entry by the PVH convention, long mode with five page
//!    table levels, stack; then [`start`].
//! 2. `console.rs`: messages go to the first serial port from here on.
//! 3. `segments.rs`, `trap.rs`: the processor's tables; an exception from here
//!    on is reported with all registers.
//! 4. `interrupts.rs`, `local_apic.rs`: nothing interrupts but what is asked
//!    for.
//! 5. `memory.rs`: free memory, from the loader's start information.
//! 6. `svm.rs`: the processor is checked and SVM switched on.
//! 7. `run.rs`, or `self_test.rs` with `exit_loop.rs`; both stand on `vcpu.rs`,
//!    `nested_memory.rs` and `communication.rs`.
//! 8. `exit.rs`: the machine ends with a status.
//!
//! All memory is mapped where it is: virtual addresses are physical ones.
//!
//! # Unsafe code
//!
//! This crate may hold some, as `kernel/hal` may. The invariants that SAFETY
//! comments name (`INV-HV-…`) stand in `docs/src/soundness.md`.
#![no_std]
#![no_main]

extern crate alloc;

mod clock;
mod communication;
mod console;
mod device_memory;
mod device_ports;
mod entry;
mod exit;
mod exit_counts;
mod exit_loop;
mod extended_state;
mod guest_ram;
mod heap;
mod identity_map;
mod instruction;
mod interrupts;
mod io_apic;
mod local_apic;
mod memory;
mod nested_memory;
mod page;
mod panic;
mod pci_configuration;
mod permission_maps;
mod port;
mod reporter;
mod run;
mod segments;
mod self_test;
mod start;
mod svm;
mod trap;
mod vcpu;
mod views;
mod wall_clock;
