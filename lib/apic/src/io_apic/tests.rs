//! Tests of the I/O APIC: registers, edges, levels, ends.

extern crate std;

use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::message::{DeliveryMode, Destination};

const LEVEL: u32 = 1 << 15;
const MASKED: u32 = 1 << 16;

fn pin(number: u8) -> Pin {
    Pin::new(number).unwrap()
}

/// Writes the low half of a pin's entry.
fn write_low(io_apic: &mut IoApic, number: u8, value: u32) {
    io_apic.write(0x00, (0x10 + 2 * number).into());
    io_apic.write(0x10, value);
}

fn read_low(io_apic: &mut IoApic, number: u8) -> u32 {
    io_apic.write(0x00, (0x10 + 2 * number).into());
    io_apic.read(0x10)
}

/// The vectors of all messages that are ready.
fn sent(io_apic: &mut IoApic) -> Vec<u8> {
    core::iter::from_fn(|| io_apic.take_message()).map(|message| message.vector).collect()
}

#[test]
fn registers() {
    let mut io_apic = IoApic::new();
    io_apic.write(0x00, 1);
    assert_eq!((io_apic.read(0x00), io_apic.read(0x10)), (1, 0x0017_0020));
    io_apic.write(0x10, u32::MAX);
    assert_eq!(io_apic.read(0x10), 0x0017_0020);
    io_apic.write(0x00, 0);
    io_apic.write(0x10, u32::MAX);
    assert_eq!(io_apic.read(0x10), 0x0f00_0000);
    io_apic.write(0x00, 2);
    assert_eq!(io_apic.read(0x10), 0x0f00_0000);
    for number in 0..Pin::COUNT {
        assert_eq!(read_low(&mut io_apic, number), MASKED);
        write_low(&mut io_apic, number, u32::MAX);
        assert_eq!(read_low(&mut io_apic, number), 0x0001_afff);
        io_apic.write(0x00, (0x11 + 2 * number).into());
        io_apic.write(0x10, u32::MAX);
        assert_eq!(io_apic.read(0x10), 0xff00_0000);
    }
    for index in [3, 0xf, 0x40, 0xff] {
        io_apic.write(0x00, index);
        io_apic.write(0x10, u32::MAX);
        assert_eq!(io_apic.read(0x10), 0, "{index:#x}");
    }
    for offset in [0x04, 0x20, 0x40, u16::MAX] {
        io_apic.write(offset, 0);
        assert_eq!(io_apic.read(offset), 0);
    }
    assert_eq!(Pin::new(24), None);
}

#[test]
fn entry_becomes_a_message() {
    let mut io_apic = IoApic::new();
    write_low(&mut io_apic, 4, 0x34 | 1 << 11 | 1 << 8);
    io_apic.write(0x00, 0x19);
    io_apic.write(0x10, 0x0500_0000);
    io_apic.set_line(pin(4), Line::Active);
    let expected = Message {
        destination: Destination::Logical(5),
        delivery_mode: DeliveryMode::LowestPriority,
        vector: 0x34,
        trigger: Trigger::Edge,
    };
    assert_eq!(read_low(&mut io_apic, 4) & DELIVERY_STATUS, DELIVERY_STATUS);
    assert_eq!(io_apic.take_message(), Some(expected));
    assert_eq!(read_low(&mut io_apic, 4) & DELIVERY_STATUS, 0);
    assert_eq!(io_apic.take_message(), None);
}

#[test]
fn edges_are_sent_once_each() {
    let mut io_apic = IoApic::new();
    write_low(&mut io_apic, 2, 0x30);
    io_apic.set_line(pin(2), Line::Active);
    io_apic.set_line(pin(2), Line::Active);
    assert_eq!(sent(&mut io_apic), [0x30]);
    io_apic.end_of_interrupt(0x30);
    assert_eq!(sent(&mut io_apic), []);
    io_apic.set_line(pin(2), Line::Inactive);
    io_apic.set_line(pin(2), Line::Active);
    assert_eq!(sent(&mut io_apic), [0x30]);
    // An edge on a masked pin is lost.
    write_low(&mut io_apic, 2, MASKED | 0x30);
    io_apic.set_line(pin(2), Line::Inactive);
    io_apic.set_line(pin(2), Line::Active);
    write_low(&mut io_apic, 2, 0x30);
    assert_eq!(sent(&mut io_apic), []);
}

#[test]
fn levels_are_sent_again_until_inactive() {
    let mut io_apic = IoApic::new();
    io_apic.set_line(pin(9), Line::Active);
    write_low(&mut io_apic, 9, LEVEL | MASKED | 0x40);
    assert_eq!(sent(&mut io_apic), []);
    write_low(&mut io_apic, 9, LEVEL | 0x40);
    for _ in 0..3 {
        assert_eq!(sent(&mut io_apic), [0x40]);
        assert_eq!(read_low(&mut io_apic, 9) & REMOTE_IRR, REMOTE_IRR);
        io_apic.end_of_interrupt(0x41);
        assert_eq!(sent(&mut io_apic), []);
        io_apic.write(0x40, 0x40);
    }
    io_apic.set_line(pin(9), Line::Inactive);
    assert_eq!(sent(&mut io_apic), []);
    assert_eq!(read_low(&mut io_apic, 9) & REMOTE_IRR, 0);
}

#[test]
fn pins_may_share_a_vector() {
    let mut io_apic = IoApic::new();
    for number in [10, 11] {
        write_low(&mut io_apic, number, LEVEL | 0x40);
        io_apic.set_line(pin(number), Line::Active);
    }
    assert_eq!(sent(&mut io_apic), [0x40, 0x40]);
    io_apic.set_line(pin(10), Line::Inactive);
    io_apic.end_of_interrupt(0x40);
    assert_eq!(sent(&mut io_apic), [0x40]);
}

#[test]
fn switching_to_edge_and_back_ends_an_interrupt() {
    let mut io_apic = IoApic::new();
    write_low(&mut io_apic, 9, LEVEL | 0x40);
    io_apic.set_line(pin(9), Line::Active);
    assert_eq!(sent(&mut io_apic), [0x40]);
    write_low(&mut io_apic, 9, MASKED | 0x40);
    write_low(&mut io_apic, 9, LEVEL | 0x40);
    assert_eq!(sent(&mut io_apic), [0x40]);
}

#[test]
fn only_interrupts_with_a_vector_are_level_triggered() {
    let mut io_apic = IoApic::new();
    write_low(&mut io_apic, 2, LEVEL | 4 << 8);
    io_apic.set_line(pin(2), Line::Active);
    let message = io_apic.take_message().unwrap();
    assert_eq!((message.delivery_mode, message.trigger), (DeliveryMode::Nmi, Trigger::Edge));
    assert_eq!((io_apic.take_message(), read_low(&mut io_apic, 2) & REMOTE_IRR), (None, 0));
}

#[test]
fn reserved_delivery_modes_send_nothing() {
    let mut io_apic = IoApic::new();
    for (number, mode) in [(2, 3), (3, 6)] {
        write_low(&mut io_apic, number, LEVEL | mode << 8 | 0x40);
        io_apic.set_line(pin(number), Line::Active);
    }
    write_low(&mut io_apic, 4, 0x44);
    io_apic.set_line(pin(4), Line::Active);
    assert_eq!(sent(&mut io_apic), [0x44]);
}

#[test]
fn held_line_tells_its_end() {
    let mut io_apic = IoApic::new();
    io_apic.hold_line(pin(16));
    // Masked and edge-triggered, as after reset: it waits.
    assert_eq!((sent(&mut io_apic), io_apic.take_ended()), (Vec::new(), None));
    write_low(&mut io_apic, 16, LEVEL | 0x50);
    assert_eq!((sent(&mut io_apic), io_apic.take_ended()), (std::vec![0x50], None));
    io_apic.end_of_interrupt(0x50);
    assert_eq!(io_apic.take_ended(), Some(pin(16)));
    assert_eq!((sent(&mut io_apic), io_apic.take_ended()), (Vec::new(), None));
    // An edge has no end: it is told at once.
    write_low(&mut io_apic, 16, 0x50);
    io_apic.hold_line(pin(16));
    assert_eq!((sent(&mut io_apic), io_apic.take_ended()), (std::vec![0x50], Some(pin(16))));
}

#[derive(Clone, Debug)]
enum Step {
    Line(Pin, Line),
    End(u8),
    Entry(u8, u32),
}

fn step() -> impl Strategy<Value = Step> {
    let line = prop_oneof![Just(Line::Active), Just(Line::Inactive)];
    prop_oneof![
        4 => (0u8..24, line).prop_map(|(number, line)| Step::Line(pin(number), line)),
        4 => (0u8..24).prop_map(|number| Step::End(0x40 + number)),
        1 => (0u8..24, any::<bool>()).prop_map(|(number, masked)| {
            Step::Entry(number, LEVEL | u32::from(masked) << 16 | (0x40 + u32::from(number)))
        }),
    ]
}

proptest! {
    /// A level-triggered pin sends exactly while it is active, unmasked and
    /// without an interrupt that has not ended.
    #[test]
    fn levels_follow_the_line(steps in prop::collection::vec(step(), 0..200)) {
        let mut io_apic = IoApic::new();
        let mut active = [false; 24];
        let mut masked = [false; 24];
        let mut outstanding = [false; 24];
        for number in 0..24 {
            write_low(&mut io_apic, number, LEVEL | (0x40 + u32::from(number)));
        }
        for step in steps {
            match step {
                Step::Line(pin, line) => {
                    io_apic.set_line(pin, line);
                    active[usize::from(pin.number())] = line == Line::Active;
                }
                Step::End(vector) => {
                    io_apic.end_of_interrupt(vector);
                    outstanding[usize::from(vector - 0x40)] = false;
                }
                Step::Entry(number, value) => {
                    write_low(&mut io_apic, number, value);
                    masked[usize::from(number)] = value & MASKED != 0;
                }
            }
            let expected: Vec<u8> = (0u8..24)
                .filter(|number| {
                    let number = usize::from(*number);
                    active[number] && !masked[number] && !outstanding[number]
                })
                .map(|number| 0x40 + number)
                .collect();
            for vector in &expected {
                outstanding[usize::from(vector - 0x40)] = true;
            }
            prop_assert_eq!(sent(&mut io_apic), expected);
        }
    }

    /// Any accesses: taking messages comes to an end.
    #[test]
    fn any_accesses(steps in prop::collection::vec(
        (any::<u8>(), any::<u32>(), 0u8..24, any::<bool>()), 0..100,
    )) {
        let mut io_apic = IoApic::new();
        for (index, value, number, is_held) in steps {
            io_apic.write(0x00, (index & 0x3f).into());
            io_apic.write(0x10, value);
            if is_held {
                io_apic.hold_line(pin(number));
            } else {
                let line = if value & 1 == 0 { Line::Active } else { Line::Inactive };
                io_apic.set_line(pin(number), line);
            }
            prop_assert!(sent(&mut io_apic).len() <= 24);
        }
    }
}
