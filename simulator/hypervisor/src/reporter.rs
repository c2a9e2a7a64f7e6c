//! Messages to whoever started this machine: lines of JSON on QEMU's debug
//! console.
//!
//! The guest has the first serial port to itself, so everything that the
//! simulator says goes here [QEMU hw/char/debugcon.c]. The types stand in
//! [`abi_simulator::report`].

use abi_simulator::report::Report;
use serial::Registers;

use crate::port::Ports;

// SAFETY: INV-HV-PORT-1: ports 0xe9 to 0xf0 of a PC belong to no device but
// the debug console, which accesses no memory.
static DEBUG_CONSOLE: Ports = unsafe { Ports::new(0xe9) };

/// Sends a message.
pub(crate) fn send(report: &Report) {
    report.to_line().bytes().for_each(|byte| DEBUG_CONSOLE.write(0, byte));
}
