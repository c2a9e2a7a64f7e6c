//! Messages to whoever started this machine: lines of JSON on QEMU's debug
//! console.
//!
//! The guest has the first serial port to itself, so everything that the
//! simulator says during a run goes here [QEMU hw/char/debugcon.c]. The types
//! stand in [`abi_simulator::report`]; a fault is told without any memory for
//! it.

use core::fmt::{self, Write};

use abi_simulator::report::Report;
use serial::Registers;

use crate::port::Ports;

/// Sends a message.
pub(crate) fn send(report: &Report) {
    write(&report.to_line());
}

/// Sends the end of the run by a fault of the simulator: the same line as for
/// `Report::Ended` with `End::Fault`.
pub(crate) fn send_fault(text: fmt::Arguments<'_>) {
    write("\n{\"report\":\"ended\",\"end\":{\"kind\":\"fault\",\"text\":\"");
    // An error can only come from a `Display` that reports one by itself; the
    // text then ends early.
    let _ = Escaped.write_fmt(text);
    write("\"}}\n");
}

fn write(text: &str) {
    text.bytes().for_each(|byte| Ports::DEBUG_CONSOLE.write(0, byte));
}

/// Text within a string of JSON [RFC 8259 §7].
struct Escaped;

impl Write for Escaped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => {
                    Ports::DEBUG_CONSOLE.write(0, b'\\');
                    Ports::DEBUG_CONSOLE.write(0, byte);
                }
                0..=0x1f => {
                    write("\\u00");
                    Ports::DEBUG_CONSOLE.write(0, DIGITS[usize::from(byte >> 4)]);
                    Ports::DEBUG_CONSOLE.write(0, DIGITS[usize::from(byte & 0xf)]);
                }
                _ => Ports::DEBUG_CONSOLE.write(0, byte),
            }
        }
        Ok(())
    }
}
