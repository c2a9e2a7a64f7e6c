//! The driver against a register model.

extern crate std;

use core::cell::{Cell, RefCell};
use std::vec::Vec;

use super::*;

/// Keeps what is sent; becomes ready again after `busy_reads` status reads.
#[derive(Default)]
struct Model {
    busy_reads: u32,
    reads_left: Cell<u32>,
    line_control: Cell<u8>,
    divisor: Cell<[u8; 2]>,
    interrupt_enable: Cell<u8>,
    sent: RefCell<Vec<u8>>,
}

impl Registers for &Model {
    fn read(&self, index: u8) -> u8 {
        assert_eq!(index, LINE_STATUS);
        match self.reads_left.get().checked_sub(1) {
            Some(left) => {
                self.reads_left.set(left);
                0
            }
            None => TRANSMITTER_EMPTY,
        }
    }

    fn write(&self, index: u8, value: u8) {
        let divisor_access = self.line_control.get() & DIVISOR_ACCESS != 0;
        match (index, divisor_access) {
            (DATA, true) => self.divisor.set([value, self.divisor.get()[1]]),
            (INTERRUPT_ENABLE, true) => self.divisor.set([self.divisor.get()[0], value]),
            (DATA, false) => {
                assert_eq!(self.reads_left.get(), 0, "sent while the transmitter was busy");
                self.sent.borrow_mut().push(value);
                self.reads_left.set(self.busy_reads);
            }
            (INTERRUPT_ENABLE, false) => self.interrupt_enable.set(value),
            (LINE_CONTROL, _) => self.line_control.set(value),
            (FIFO_CONTROL | MODEM_CONTROL, _) => {}
            _ => panic!("write to register {index}"),
        }
    }
}

#[test]
fn configures_speed_and_frame() {
    let model = Model { interrupt_enable: Cell::new(0xff), ..Model::default() };
    Uart(&model).configure();
    assert_eq!(model.divisor.get(), [1, 0]);
    assert_eq!(model.line_control.get(), EIGHT_BITS);
    assert_eq!(model.interrupt_enable.get(), 0);
    assert!(model.sent.borrow().is_empty());
}

#[test]
fn waits_for_the_transmitter() {
    let model = Model { busy_reads: 100, ..Model::default() };
    let uart = Uart(&model);
    for byte in *b"abc" {
        uart.write_byte(byte);
    }
    assert_eq!(model.sent.take(), b"abc");
}

#[test]
fn gives_up_on_a_stuck_transmitter() {
    let model = Model { busy_reads: u32::MAX, ..Model::default() };
    let uart = Uart(&model);
    uart.write_byte(b'a');
    uart.write_byte(b'b');
    assert_eq!(model.sent.take(), b"a");
    assert_eq!(model.reads_left.get(), u32::MAX - MOST_STATUS_READS);
}
