//! Tests of delivery: whom messages reach, and once.

extern crate std;

use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::message::{Destination, Trigger};
use crate::samples::{SOFTWARE_ENABLED, START, TIME_STAMP_HZ, X2APIC_BASE, fixed};

/// A bus whose local APICs are in xAPIC mode, enabled by software.
fn xapic_bus(ids: &[u32]) -> Bus {
    let mut bus = Bus::new(ids, TIME_STAMP_HZ).unwrap();
    for processor in positions(&bus) {
        assert!(bus.write_local(processor, 0xf0, SOFTWARE_ENABLED, START).is_empty());
    }
    bus
}

/// A bus whose local APICs are in x2APIC mode, enabled by software.
fn x2apic_bus(ids: &[u32]) -> Bus {
    let mut bus = xapic_bus(ids);
    for processor in positions(&bus) {
        assert!(bus.write_msr(processor, Msr::APIC_BASE, X2APIC_BASE, START).unwrap().is_empty());
    }
    bus
}

fn positions(bus: &Bus) -> impl Iterator<Item = u8> + use<> {
    0..u8::try_from(bus.local_apics.len()).unwrap()
}

/// The members of a set, ascending.
fn members(set: &ByteSet) -> Vec<u8> {
    let mut members: Vec<u8> = set.iter().collect();
    members.reverse();
    members
}

/// The processors where `vector` is requested.
fn requested(bus: &Bus, vector: u8) -> Vec<u8> {
    positions(bus).filter(|i| bus.local_apic(*i).requested().contains(vector)).collect()
}

fn pin(number: u8) -> Pin {
    Pin::new(number).unwrap()
}

/// Sets up a pin to send `vector` to the local APIC with number `id`.
fn program(bus: &mut Bus, number: u8, low: u32, id: u8) {
    for (index, value) in [(1, u32::from(id) << 24), (0, low)] {
        bus.write_io_apic(0x00, 0x10 + 2 * u32::from(number) + index);
        assert!(bus.write_io_apic(0x10, value).is_empty());
    }
}

#[test]
fn size_is_bounded() {
    let ids: Vec<u32> = (0..257).collect();
    assert_eq!(Bus::new(&ids, TIME_STAMP_HZ).unwrap_err(), TooManyProcessors(257));
    let mut bus = Bus::new(&ids[..256], TIME_STAMP_HZ).unwrap();
    let nmi = Message { delivery_mode: DeliveryMode::Nmi, ..fixed(0, 0) };
    let everyone = bus.send(&Message { destination: Destination::All, ..nmi });
    assert_eq!(everyone.iter().count(), 256);
}

#[test]
fn first_processor_starts_the_machine() {
    let mut bus = Bus::new(&[4, 5], TIME_STAMP_HZ).unwrap();
    assert_eq!(bus.read_msr(0, Msr::APIC_BASE, START), Ok(0xfee0_0900));
    assert_eq!(bus.read_msr(1, Msr::APIC_BASE, START), Ok(0xfee0_0800));
}

#[test]
fn logical_destinations_of_xapic() {
    let mut bus = xapic_bus(&[0, 1, 2]);
    for processor in 0..3 {
        bus.write_local(processor, 0xd0, 1 << (24 + processor), START);
    }
    let message = Message { destination: Destination::Logical(0b101), ..fixed(0, 0x40) };
    assert_eq!(members(&bus.send(&message)), [0, 2]);
    assert_eq!(requested(&bus, 0x40), [0, 2]);
}

#[test]
fn logical_destinations_of_x2apic() {
    let mut bus = x2apic_bus(&[0, 1, 16, 17]);
    let message = Message { destination: Destination::Logical(0x1_0003), ..fixed(0, 0x40) };
    assert_eq!(members(&bus.send(&message)), [2, 3]);
}

#[test]
fn shorthands() {
    let mut bus = x2apic_bus(&[0, 1, 2]);
    let mut command = |value| bus.write_msr(1, Msr(0x830), value, START).unwrap();
    assert_eq!(members(&command(0x4_0041)), [1]);
    // The sender still has work of its own.
    assert_eq!(members(&command(0xc_0042)), [0, 1, 2]);
    assert_eq!(members(&command(0x8_0043)), [0, 1, 2]);
    assert_eq!(requested(&bus, 0x41), [1]);
    assert_eq!(requested(&bus, 0x42), [0, 2]);
    assert_eq!(requested(&bus, 0x43), [0, 1, 2]);
}

#[test]
fn lowest_priority_reaches_one() {
    let mut bus = x2apic_bus(&[0, 1, 2, 3]);
    bus.local_apic_mut(0).set_cr8(5).unwrap();
    bus.local_apic_mut(1).set_cr8(2).unwrap();
    bus.local_apic_mut(3).set_cr8(2).unwrap();
    // Not enabled by software: no candidate, though its priority is lowest.
    bus.write_msr(2, Msr(0x80f), 0xff, START).unwrap();
    let message = Message {
        destination: Destination::All,
        delivery_mode: DeliveryMode::LowestPriority,
        ..fixed(0, 0x60)
    };
    assert_eq!(members(&bus.send(&message)), [1]);
    // An interrupt in service raises the priority.
    assert_eq!(bus.local_apic_mut(1).acknowledge(), Some(0x60));
    assert_eq!(members(&bus.send(&message)), [3]);
    assert_eq!(requested(&bus, 0x60), [3]);
}

#[test]
fn level_triggered_pin_comes_again_after_eoi() {
    let mut bus = x2apic_bus(&[0, 1]);
    program(&mut bus, 9, 1 << 15 | 0x49, 1);
    assert_eq!(members(&bus.set_line(pin(9), Line::Active)), [1]);
    for _ in 0..3 {
        assert_eq!(bus.local_apic_mut(1).acknowledge(), Some(0x49));
        assert!(bus.set_line(pin(9), Line::Active).is_empty());
        assert_eq!(members(&bus.write_msr(1, Msr(0x80b), 0, START).unwrap()), [1]);
    }
    assert_eq!(bus.local_apic_mut(1).acknowledge(), Some(0x49));
    bus.set_line(pin(9), Line::Inactive);
    assert!(bus.write_msr(1, Msr(0x80b), 0, START).unwrap().is_empty());
    assert_eq!(requested(&bus, 0x49), []);
}

#[test]
fn held_pin_ends_with_eoi() {
    let mut bus = xapic_bus(&[0]);
    program(&mut bus, 16, 1 << 15 | 0x51, 0);
    assert_eq!(members(&bus.hold_line(pin(16))), [0]);
    bus.local_apic_mut(0).acknowledge();
    assert_eq!(bus.take_ended(), None);
    assert!(bus.write_local(0, 0xb0, 0, START).is_empty());
    assert_eq!(bus.take_ended(), Some(pin(16)));
}

#[test]
fn lowering_the_priority_is_told() {
    let mut bus = xapic_bus(&[0]);
    bus.write_local(0, 0x80, 0x60, START);
    bus.send(&fixed(0, 0x50));
    assert!(!bus.local_apic(0).has_work());
    assert_eq!(members(&bus.write_local(0, 0x80, 0, START)), [0]);
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn there_is_no_third_of_two_processors() {
    let bus = xapic_bus(&[0, 1]);
    let _ = bus.local_apic(2);
}

proptest! {
    /// In physical mode each message reaches the processor it names, no other,
    /// and is there once.
    #[test]
    fn no_message_is_lost_or_duplicated(
        ids in prop::collection::hash_set(0u32..0xfe, 1..20),
        is_x2apic: bool,
        messages in prop::collection::vec((any::<prop::sample::Index>(), 16u8..), 0..100),
        stray in 0u32..0xfe,
    ) {
        let ids: Vec<u32> = ids.into_iter().collect();
        let mut bus = if is_x2apic { x2apic_bus(&ids) } else { xapic_bus(&ids) };
        let mut expected = std::vec![ByteSet::EMPTY; ids.len()];
        for (target, vector) in messages {
            let target = target.index(ids.len());
            let notified = bus.send(&fixed(ids[target], vector));
            let is_new = expected[target].insert(vector);
            prop_assert_eq!(notified.contains(target as u8), is_new);
            prop_assert_eq!(notified.iter().count(), usize::from(is_new));
        }
        if !ids.contains(&stray) {
            prop_assert!(bus.send(&fixed(stray, 0x40)).is_empty());
        }
        for (processor, expected) in positions(&bus).zip(&expected) {
            prop_assert_eq!(bus.local_apic(processor).requested(), expected);
            let local = bus.local_apic_mut(processor);
            let mut taken = ByteSet::EMPTY;
            while let Some(vector) = local.highest_deliverable() {
                prop_assert_eq!(local.acknowledge(), Some(vector));
                prop_assert!(taken.insert(vector));
                local.write_register(0xb0, 0, START);
                let _ = local.write_msr(Msr(0x80b), 0, START);
            }
            prop_assert_eq!(&taken, expected);
        }
    }

    /// A logical message in flat format reaches exactly those with a common
    /// bit, whatever the delivery; with lowest priority exactly one of them.
    #[test]
    fn flat_destinations(
        logical_ids in prop::collection::vec(any::<u8>(), 1..8),
        destination in 0u32..0xff,
        delivery_mode in prop_oneof![
            Just(DeliveryMode::Fixed), Just(DeliveryMode::LowestPriority), Just(DeliveryMode::Nmi)
        ],
    ) {
        let ids: Vec<u32> = (0..logical_ids.len() as u32).collect();
        let mut bus = xapic_bus(&ids);
        for (processor, logical_id) in positions(&bus).zip(&logical_ids) {
            bus.write_local(processor, 0xd0, u32::from(*logical_id) << 24, START);
        }
        let message = Message {
            destination: Destination::Logical(destination),
            delivery_mode,
            vector: 0x40,
            trigger: Trigger::Edge,
        };
        let mut expected: Vec<u8> = positions(&bus)
            .filter(|i| u32::from(logical_ids[usize::from(*i)]) & destination != 0)
            .collect();
        if delivery_mode == DeliveryMode::LowestPriority {
            expected.truncate(1);
        }
        prop_assert_eq!(members(&bus.send(&message)), expected);
    }
}
