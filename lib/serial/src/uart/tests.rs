//! The driver against a register model.

extern crate std;

use core::cell::{Cell, RefCell};
use std::vec::Vec;

use super::*;

/// Keeps what is sent; is empty again after `busy_reads` status reads, and then
/// takes as many bytes as its buffer has room for.
#[derive(Default)]
struct Model {
    busy_reads: u32,
    reads_left: Cell<u32>,
    room: Cell<usize>,
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
            None => {
                self.room.set(FIFO_SIZE);
                TRANSMITTER_EMPTY
            }
        }
    }

    fn write(&self, index: u8, value: u8) {
        let divisor_access = self.line_control.get() & DIVISOR_ACCESS != 0;
        match (index, divisor_access) {
            (DATA, true) => self.divisor.set([value, self.divisor.get()[1]]),
            (INTERRUPT_ENABLE, true) => self.divisor.set([self.divisor.get()[0], value]),
            (DATA, false) => {
                let room = self.room.get().checked_sub(1);
                self.room.set(room.expect("sent while the transmitter was full"));
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
    Uart::new(&model).configure();
    assert_eq!(model.divisor.get(), [1, 0]);
    assert_eq!(model.line_control.get(), EIGHT_BITS);
    assert_eq!(model.interrupt_enable.get(), 0);
    assert!(model.sent.borrow().is_empty());
}

#[test]
fn waits_for_the_transmitter() {
    let model = Model { busy_reads: 100, ..Model::default() };
    let uart = Uart::new(&model);
    let text: Vec<u8> = (0..=u8::MAX).collect();
    uart.write(&text);
    for byte in *b"abc" {
        uart.write(&[byte]);
    }
    assert_eq!(model.sent.take(), [&text[..], b"abc"].concat());
}

#[test]
fn gives_up_on_a_stuck_transmitter() {
    let model = Model { busy_reads: u32::MAX, ..Model::default() };
    let uart = Uart::new(&model);
    uart.write(b"0123456789abcdef");
    uart.write(b"g");
    assert_eq!(model.sent.take(), b"0123456789abcdef");
    assert_eq!(model.reads_left.get(), u32::MAX - MOST_STATUS_READS);
    uart.write(b"h");
    assert_eq!(model.reads_left.get(), u32::MAX - MOST_STATUS_READS - 1);
    // It recovers.
    model.reads_left.set(0);
    uart.write(b"i");
    assert_eq!(model.sent.take(), b"i");
}
