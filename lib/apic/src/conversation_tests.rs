//! What an operating system does with the controllers, from start-up on.
//!
//! The sequences follow the manuals' recipes, which Linux uses: a processor's
//! local APIC is switched to x2APIC mode and enabled, other processors are
//! started with INIT and two start-up interrupts [SDM 3A §9.4.4.1], a clock
//! with deadlines ticks, and devices interrupt.

extern crate std;

use std::vec::Vec;

use abi_x86::Msr;

use crate::bus::Bus;
use crate::byte_set::ByteSet;
use crate::io_apic::{Line, Pin};
use crate::message::Message;
use crate::samples::{START, TIME_STAMP_HZ, X2APIC_BASE, at};
use crate::x2apic::TSC_DEADLINE;

const TASK_PRIORITY: Msr = Msr(0x808);
const EOI: Msr = Msr(0x80b);
const SPURIOUS: Msr = Msr(0x80f);
const IN_SERVICE: u32 = 0x810;
const ERROR_STATUS: Msr = Msr(0x828);
const COMMAND: Msr = Msr(0x830);
const TIMER: Msr = Msr(0x832);
const LINT0: Msr = Msr(0x835);
const LINT1: Msr = Msr(0x836);
const ERROR: Msr = Msr(0x837);

const TIMER_VECTOR: u8 = 0xec;

fn processors(set: ByteSet) -> Vec<u8> {
    set.iter().collect()
}

/// Sets a processor's local APIC up, as each of them does for itself.
fn set_up(bus: &mut Bus, processor: u8) {
    let base = bus.read_msr(processor, Msr::APIC_BASE, START).unwrap();
    let mut write = |msr, value| {
        bus.write_msr(processor, msr, value, START).unwrap();
    };
    write(Msr::APIC_BASE, base | X2APIC_BASE);
    write(TASK_PRIORITY, 0x10);
    write(SPURIOUS, 0x1ff);
    write(LINT0, 0x1_0700);
    write(LINT1, 0x400);
    write(ERROR, 0xfe);
    write(ERROR_STATUS, 0);
    write(TIMER, 0x4_0000 | u64::from(TIMER_VECTOR));
    for word in 0..8 {
        assert_eq!(bus.read_msr(processor, Msr(IN_SERVICE + word), START), Ok(0));
    }
}

#[test]
fn processors_start_each_other() {
    let mut bus = Bus::new(&[0, 1, 2], TIME_STAMP_HZ).unwrap();
    set_up(&mut bus, 0);
    set_up(&mut bus, 1);
    // INIT, asserted; taken back; start-up interrupts for page 0x9a.
    let to_1 = 1 << 32;
    let init = bus.write_msr(0, COMMAND, to_1 | 0xc500, START).unwrap();
    assert_eq!(processors(init), [1]);
    assert!(bus.write_msr(0, COMMAND, to_1 | 0x8500, START).unwrap().is_empty());
    let startup = bus.write_msr(0, COMMAND, to_1 | 0x69a, START).unwrap();
    assert_eq!(processors(startup), [1]);
    assert!(bus.write_msr(0, COMMAND, to_1 | 0x69a, START).unwrap().is_empty());

    let started = bus.local_apic_mut(1);
    assert!(started.take_init());
    assert_eq!(started.take_startup(), Some(0x9a));
    assert!(!started.has_work());
    assert!(!bus.local_apic(2).has_work() && !bus.local_apic(0).has_work());
    // The second start-up interrupt of a running processor stays and is for the
    // caller to ignore.
    let late = bus.write_msr(0, COMMAND, to_1 | 0x69a, START).unwrap();
    assert_eq!(processors(late), [1]);
    assert_eq!(bus.local_apic_mut(1).take_startup(), Some(0x9a));

    // INIT has reset it: it sets itself up and answers to interrupts.
    assert!(bus.write_msr(0, COMMAND, to_1 | 0xfd, START).unwrap().is_empty());
    set_up(&mut bus, 1);
    assert_eq!(processors(bus.write_msr(0, COMMAND, to_1 | 0xfd, START).unwrap()), [1]);
    assert_eq!(bus.local_apic_mut(1).acknowledge(), Some(0xfd));
}

#[test]
fn processors_start_each_other_in_xapic_mode() {
    let mut bus = Bus::new(&[0, 1], TIME_STAMP_HZ).unwrap();
    for low in [0xc500, 0x8500, 0x69a, 0x69a] {
        bus.write_local(0, 0x310, 1 << 24, START);
        bus.write_local(0, 0x300, low, START);
        assert_eq!(bus.read_local(0, 0x300, START), low);
    }
    assert!(bus.local_apic_mut(1).take_init());
    assert_eq!(bus.local_apic_mut(1).take_startup(), Some(0x9a));
    assert!(!bus.local_apic(1).has_work());
}

#[test]
fn clock_ticks_by_deadlines() {
    let mut bus = Bus::new(&[0, 1], TIME_STAMP_HZ).unwrap();
    set_up(&mut bus, 0);
    set_up(&mut bus, 1);
    assert_eq!(bus.next_event_ns(START), None);
    let mut now = START;
    for _ in 0..10 {
        // The next tick is a millisecond away; the other's is later.
        bus.write_msr(0, TSC_DEADLINE, now.time_stamp + 2_000_000, now).unwrap();
        bus.write_msr(1, TSC_DEADLINE, now.time_stamp + 2_000_002, now).unwrap();
        let next = bus.next_event_ns(now).unwrap();
        assert_eq!(next, now.nanoseconds + 1_000_000);
        assert!(bus.advance(at(next - 1)).is_empty());
        now = at(next);
        assert_eq!(processors(bus.advance(now)), [0]);
        assert_eq!(bus.local_apic_mut(0).acknowledge(), Some(TIMER_VECTOR));
        assert_eq!(bus.read_msr(0, TSC_DEADLINE, now), Ok(0));
        assert!(bus.write_msr(0, EOI, 0, now).unwrap().is_empty());
        now = at(next + 1);
        assert_eq!(processors(bus.advance(now)), [1]);
        assert_eq!(bus.local_apic_mut(1).acknowledge(), Some(TIMER_VECTOR));
        bus.write_msr(1, EOI, 0, now).unwrap();
    }
}

#[test]
fn devices_interrupt_above_the_clock_or_wait() {
    let mut bus = Bus::new(&[0], TIME_STAMP_HZ).unwrap();
    set_up(&mut bus, 0);
    // The clock ticks, and in its handler a disk interrupts with a lower class.
    bus.write_msr(0, TSC_DEADLINE, 10, START).unwrap();
    assert_eq!(processors(bus.advance(at(5))), [0]);
    assert_eq!(bus.local_apic_mut(0).acknowledge(), Some(TIMER_VECTOR));
    let disk = Message::from_msi(0xfee0_0000, 0x4031).unwrap();
    assert_eq!(processors(bus.send(&disk)), [0]);
    let serial = Pin::new(4).unwrap();
    for (index, value) in [(0x18, 0x30), (0x19, 0)] {
        bus.write_io_apic(0x00, index);
        bus.write_io_apic(0x10, value);
    }
    assert_eq!(processors(bus.set_line(serial, Line::Active)), [0]);
    assert_eq!(bus.local_apic_mut(0).acknowledge(), None);
    // Its end lets them through, the higher vector first.
    for vector in [0x31, 0x30] {
        assert_eq!(processors(bus.write_msr(0, EOI, 0, at(6)).unwrap()), [0]);
        assert_eq!(bus.local_apic_mut(0).acknowledge(), Some(vector));
    }
    assert!(bus.write_msr(0, EOI, 0, at(7)).unwrap().is_empty());
    assert!(bus.local_apic(0).in_service().is_empty());
}
