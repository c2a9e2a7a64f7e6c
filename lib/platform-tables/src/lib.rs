//! ACPI tables that describe a guest's machine.
//!
//! A confidential guest cannot trust tables that its host makes at start:
//! tables hold programs that run in the guest's kernel. These are made with
//! the image, or by the module, and so belong to what is measured. Only
//! [`madt`] comes alone as well: it holds no program, and guests ask a loader
//! for it.
//!
//! The machine is always the same, but for the number of its processors:
//! QEMU's q35, as far as a headless guest needs it.
//!
//! | what | where |
//! |---|---|
//! | local APICs | 0xfee0_0000, with the ids 0, 1, 2, … |
//! | IOAPIC | 0xfec0_0000, global interrupts 0 to 23 |
//! | power-management registers | ports 0x600 to 0x60b; timer of 24 bits at 0x608 |
//! | switching off | sleep type 0 |
//! | reset | value 6 to port 0xcf9 |
//! | PCI | bus 0 to 255 through ports 0xcf8 and 0xcfc; memory 0xc000_0000 to 0xfebf_ffff |
//! | PCI interrupt lines | global interrupts 16 to 23, level-triggered, high when active |
//! | serial port | ports 0x3f8 to 0x3ff, interrupt 4 |
//!
//! Devices signal by their lines: the tables tell the guest not to use
//! message-signalled interrupts.
//!
//! | module | table |
//! |---|---|
//! | `tables` | root pointer and root table; where each table lies |
//! | `fixed_hardware` | FADT: fixed registers, switching off, reset |
//! | `interrupts` | MADT: processors and interrupt controllers |
//! | `devices` | DSDT: PCI, its interrupt lines, serial port |
//!
//! Specification: [ACPI 6.5]. That q35 is as described was read from the
//! tables and devices of QEMU 10.0.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod devices;
mod fixed_hardware;
mod identity;
mod interrupts;
mod tables;

pub use interrupts::madt;
pub use tables::{ALIGNMENT, Error, Tables, build};
