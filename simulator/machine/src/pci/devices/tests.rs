//! Tests of what a guest has and what it has not.

use alloc::vec::Vec;

use super::super::header::EXPANSION_ROM;
use super::super::sample_machine::{SampleFunction, SampleMachine};
use super::*;

const LPC: u8 = 0x1f << 3;
const AHCI: u8 = LPC | 2;

/// A q35 with virtio devices in slots 3 and 4.
fn machine() -> SampleMachine {
    SampleMachine::new([
        (0, SampleFunction::new(0x8086, 0x29c0, 6).with(0x60, 0xb000_0001).writable(0x60, !0)),
        (0x18, SampleFunction::virtio()),
        (0x20, SampleFunction::virtio()),
        (LPC, SampleFunction::new(0x8086, 0x2918, 6).with(4, 7).with(0xc, 0x80_0000)),
        (AHCI, SampleFunction::new(0x8086, 0x2922, 1).with(4, 0x10_0407).writable(0x24, !0xfff)),
    ])
}

fn find() -> (Devices, SampleMachine) {
    let mut machine = machine();
    let devices = Devices::find(&mut machine).unwrap_or(Devices { shown: Vec::new() });
    machine.writes.clear();
    (devices, machine)
}

#[test]
fn virtio_and_the_host_bridge_are_there() {
    let (devices, mut machine) = find();
    let found = (0..=u8::MAX).filter(|bits| {
        devices.read(Function::from_bits(*bits), IDENTITY, &mut machine) != u32::MAX
    });
    assert!(found.eq([0, 0x18, 0x20]));
}

#[test]
fn memory_answers_at_places_of_its_own() {
    let (devices, mut machine) = find();
    let starts = [0x18, 0x20].map(|bits| {
        let function = Function::from_bits(bits);
        assert_eq!(devices.read(function, COMMAND, &mut machine) as u16, MEMORY);
        devices.read(function, 0x20, &mut machine) & !0xf
    });
    assert_eq!(starts, [0xc000_4000, 0xc000_c000]);
    for start in starts {
        assert!(devices.register(start.into(), 4).is_some());
    }
    assert_eq!(devices.register(0xfebd_1000, 4), None);
}

#[test]
fn other_devices_are_switched_off_but_bridges() {
    let (_, machine) = find();
    assert_eq!(machine.functions[&AHCI].register(COMMAND), 0x10_0400);
    assert_eq!(machine.functions[&LPC].register(COMMAND), 7);
}

#[test]
fn what_is_hidden_is_neither_read_nor_written() {
    let (mut devices, mut machine) = find();
    for bits in (0..=u8::MAX).filter(|bits| ![0x18, 0x20].contains(bits)) {
        for offset in (0..=0xfc).step_by(4) {
            let function = Function::from_bits(bits);
            if bits != 0 {
                assert_eq!(devices.read(function, offset, &mut machine), u32::MAX);
            }
            devices.write(function, offset, PortIoWidth::Four, 0, &mut machine);
        }
    }
    assert_eq!(machine.writes, []);
}

#[test]
fn hidden_registers_are_zero_and_keep_what_they_have() {
    let (mut devices, mut machine) = find();
    let function = Function::from_bits(0x18);
    for offset in [EXPANSION_ROM, 0x98, 0x9c, 0xa0] {
        for (byte, width) in [(0, PortIoWidth::Four), (2, PortIoWidth::Two), (3, PortIoWidth::One)]
        {
            devices.write(function, offset + byte, width, u32::MAX, &mut machine);
        }
        assert_eq!(devices.read(function, offset, &mut machine), 0);
    }
    assert_eq!(machine.writes, []);
    // The list leads past MSI-X.
    assert_eq!(devices.read(function, 0x34, &mut machine), 0x84);
}

#[test]
fn a_guest_moves_memory_and_switches_it_off() {
    let (mut devices, mut machine) = find();
    let function = Function::from_bits(0x18);
    let mut write = |devices: &mut Devices, offset, width, value| {
        devices.write(function, offset, width, value, &mut machine);
    };
    // It asks for the size, and puts it back.
    write(&mut devices, 0x20, PortIoWidth::Four, u32::MAX);
    assert_eq!(devices.register(0xc000_4000, 4), None);
    write(&mut devices, 0x20, PortIoWidth::Four, 0xe000_0000);
    assert!(devices.register(0xe000_0000, 4).is_some());
    for (command, answers) in [(0, false), (4, false), (6, true)] {
        write(&mut devices, COMMAND, PortIoWidth::Two, command);
        assert_eq!(devices.register(0xe000_3ffc, 4).is_some(), answers);
    }
    write(&mut devices, COMMAND, PortIoWidth::One, 0);
    assert_eq!(devices.register(0xe000_3ffc, 4), None);
}

#[test]
fn memory_outside_the_window_is_out_of_reach() {
    let (mut devices, mut machine) = find();
    let function = Function::from_bits(0x18);
    for start in [0_u32, 0x7000_0000, 0xbfff_c000, 0xfec0_0000, 0xfee0_0000, 0xffff_c000] {
        devices.write(function, 0x20, PortIoWidth::Four, start, &mut machine);
        assert_eq!(devices.register(start.into(), 4), None, "{start:#x}");
    }
    devices.write(function, 0x20, PortIoWidth::Four, 0xc010_0000, &mut machine);
    devices.write(function, 0x24, PortIoWidth::Four, 1, &mut machine);
    for address in [0xc010_0000, 0x1_c010_0000] {
        assert_eq!(devices.register(address, 4), None);
    }
}

#[test]
fn only_modern_virtio_is_shown() {
    for (vendor, device, shown) in [
        (0x1af4, 0x1040, true),
        (0x1af4, 0x107f, true),
        (0x1af4, 0x1001, false),
        (0x1af4, 0x1110, false),
        (0x1b36, 0x1041, false),
    ] {
        let mut machine = SampleMachine::new([(0x18, SampleFunction::new(vendor, device, 2))]);
        let devices = Devices::find(&mut machine);
        let function = Function::from_bits(0x18);
        let identity = devices.map(|devices| devices.read(function, IDENTITY, &mut machine));
        assert_eq!(identity.map(|identity| identity != u32::MAX), Ok(shown), "{device:#x}");
    }
}

#[test]
fn functions_count_only_where_the_first_says_so() {
    let first = SampleFunction::virtio();
    for (header, shown) in [(0, false), (0x80_0000, true)] {
        let mut machine = SampleMachine::new([
            (0x18, first.clone().with(HEADER_KIND, header)),
            (0x1f, SampleFunction::virtio()),
        ]);
        let devices = Devices::find(&mut machine);
        let read = |bits| {
            let function = Function::from_bits(bits);
            devices.clone().map(|devices| devices.read(function, IDENTITY, &mut machine.clone()))
        };
        assert_eq!(read(0x18), Ok(0x1042_1af4));
        assert_eq!(read(0x1f), Ok(if shown { 0x1042_1af4 } else { u32::MAX }));
    }
}
