//! Serial port: a 16550 UART, output only, without interrupts.
//!
//! Register numbers and bits: [TI PC16550D data sheet, section 8]. The driver
//! reaches the registers through [`Registers`], so that it also works where
//! port I/O is not an instruction, and under test.

use core::sync::atomic::{AtomicBool, Ordering};

use crate::console::Console;

/// Eight consecutive byte-wide device registers.
pub trait Registers {
    /// Reads register `index`.
    fn read(&self, index: u8) -> u8;
    /// Writes register `index`.
    fn write(&self, index: u8, value: u8);
    /// Writes register `index` once for each of `values`, in order.
    fn write_all(&self, index: u8, values: &[u8]) {
        for value in values {
            self.write(index, *value);
        }
    }
}

/// Transmit holding register; divisor's low byte while [`DIVISOR_ACCESS`] is
/// set.
const DATA: u8 = 0;
/// Interrupt enable register; divisor's high byte while [`DIVISOR_ACCESS`] is
/// set.
const INTERRUPT_ENABLE: u8 = 1;
const FIFO_CONTROL: u8 = 2;
const LINE_CONTROL: u8 = 3;
const MODEM_CONTROL: u8 = 4;
/// Number of the line status register.
pub const LINE_STATUS: u8 = 5;

/// FIFO control: enable, and clear both directions.
const FIFO_ENABLE_AND_CLEAR: u8 = 0b111;
/// Line control: 8 data bits, no parity, 1 stop bit.
const EIGHT_BITS: u8 = 0b11;
/// Line control: registers 0 and 1 hold the divisor.
const DIVISOR_ACCESS: u8 = 1 << 7;
/// Modem control: data terminal ready, request to send.
const READY: u8 = 0b11;
/// Line status: the transmit holding register is empty.
pub const TRANSMITTER_EMPTY: u8 = 1 << 5;

/// Bytes that the transmitter takes once it says that it is empty.
const FIFO_SIZE: usize = 16;

/// Divides the usual 1.8432 MHz clock, already divided by 16, to 115200 baud.
const DIVISOR: u16 = 1;

/// Status reads before bytes are given up. At 115200 baud 16 bytes take 1.4
/// milliseconds and a port read about a microsecond, so a working UART stays far
/// below.
pub const MOST_STATUS_READS: u32 = 5000;

/// A 16550 behind `R`.
pub struct Uart<R> {
    registers: R,
    /// It has not become ready in time. Until it is, it is asked only once for
    /// each text, so that a device that never is costs little.
    is_stuck: AtomicBool,
}

impl<R> Uart<R> {
    /// The device with these registers.
    #[must_use]
    pub const fn new(registers: R) -> Self {
        Self { registers, is_stuck: AtomicBool::new(false) }
    }
}

impl<R: Registers> Uart<R> {
    /// Sets 115200 baud, 8N1, FIFOs on, interrupts off.
    pub fn configure(&self) {
        let [low, high] = DIVISOR.to_le_bytes();
        self.registers.write(INTERRUPT_ENABLE, 0);
        self.registers.write(LINE_CONTROL, DIVISOR_ACCESS);
        self.registers.write(DATA, low);
        self.registers.write(INTERRUPT_ENABLE, high);
        self.registers.write(LINE_CONTROL, EIGHT_BITS);
        self.registers.write(FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
        self.registers.write(MODEM_CONTROL, READY);
    }

    fn can_send(&self) -> bool {
        let reads = if self.is_stuck.load(Ordering::Relaxed) { 1 } else { MOST_STATUS_READS };
        let is_ready =
            (0..reads).any(|_| self.registers.read(LINE_STATUS) & TRANSMITTER_EMPTY != 0);
        self.is_stuck.store(!is_ready, Ordering::Relaxed);
        is_ready
    }
}

impl<R: Registers> Console for Uart<R> {
    fn write(&self, bytes: &[u8]) {
        for part in bytes.chunks(FIFO_SIZE) {
            if !self.can_send() {
                return;
            }
            self.registers.write_all(DATA, part);
        }
    }
}

#[cfg(test)]
mod tests;
