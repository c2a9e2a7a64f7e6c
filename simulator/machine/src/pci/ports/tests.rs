//! Tests of the two registers, and of everything that a guest can do with them.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::sample_machine::{SampleFunction, SampleMachine};
use super::*;

use PortIoWidth::{Four, One, Two};

fn machine() -> SampleMachine {
    SampleMachine::new([
        (0, SampleFunction::new(0x8086, 0x29c0, 6)),
        (0x18, SampleFunction::virtio()),
        (0xfa, SampleFunction::new(0x8086, 0x2922, 1).writable(0x24, !0xfff)),
    ])
}

fn find() -> Result<(Pci, SampleMachine), NoRoom> {
    let mut machine = machine();
    let pci = Pci::find(&mut machine)?;
    machine.writes.clear();
    Ok((pci, machine))
}

#[test]
fn the_address_is_written_as_a_whole() -> Result<(), NoRoom> {
    let (mut pci, mut machine) = find()?;
    // How Linux asks whether there is such a mechanism.
    pci.write_port(0xcfb, One, 1, &mut machine);
    assert_eq!(pci.read_port(0xcf8, Four, &mut machine), 0);
    pci.write_port(0xcf8, Four, ENABLED, &mut machine);
    assert_eq!(pci.read_port(0xcf8, Four, &mut machine), ENABLED);
    for (port, width, ones) in [(0xcf8, One, 0xff), (0xcf8, Two, 0xffff), (0xcfa, Two, 0xffff)] {
        pci.write_port(port, width, 0, &mut machine);
        assert_eq!(pci.read_port(port, width, &mut machine), ones);
    }
    assert_eq!(pci.read_port(0xcf8, Four, &mut machine), ENABLED);
    assert_eq!(machine.writes, []);
    Ok(())
}

#[test]
fn registers_are_read_in_every_width() -> Result<(), NoRoom> {
    let (mut pci, mut machine) = find()?;
    pci.write_port(0xcf8, Four, ENABLED | 0x1800, &mut machine);
    for (port, width, value) in [
        (0xcfc, Four, 0x1042_1af4),
        (0xcfc, Two, 0x1af4),
        (0xcfd, Two, 0x421a),
        (0xcfe, Two, 0x1042),
        (0xcff, One, 0x10),
        // Beyond the register.
        (0xcfd, Four, u32::MAX),
        (0xcff, Two, 0xffff),
    ] {
        assert_eq!(pci.read_port(port, width, &mut machine), value, "{port:#x} {width:?}");
    }
    Ok(())
}

#[test]
fn writes_keep_their_width() -> Result<(), NoRoom> {
    let (mut pci, mut machine) = find()?;
    pci.write_port(0xcf8, Four, ENABLED | 0x1800 | 0x3c, &mut machine);
    pci.write_port(0xcfc, One, 0x0b, &mut machine);
    pci.write_port(0xcff, Two, 0x0b, &mut machine);
    assert_eq!(machine.writes, [(0x18, 0x3c, 0x0b)]);
    Ok(())
}

#[test]
fn only_bus_0_is_there() -> Result<(), NoRoom> {
    let (mut pci, mut machine) = find()?;
    for address in [0x1800, ENABLED | 0x1_1800, ENABLED | 0xff_1800, ENABLED | 0xfa00] {
        pci.write_port(0xcf8, Four, address, &mut machine);
        assert_eq!(pci.read_port(0xcfc, Four, &mut machine), u32::MAX, "{address:#x}");
        pci.write_port(0xcfc, Four, 0, &mut machine);
    }
    assert_eq!(machine.writes, []);
    Ok(())
}

#[test]
fn ports_of_pci() {
    assert!((0..=u16::MAX).filter(|port| Pci::has(*port)).eq(0xcf8..=0xcff));
}

#[test]
fn device_registers_are_aligned() -> Result<(), NoRoom> {
    let (pci, _) = find()?;
    for length in 0..=9 {
        let at = |offset| pci.device_register(Gpa(0xc000_4000 + offset), length);
        let fits = [1, 2, 4, 8].contains(&length);
        assert_eq!(at(0).map(|register| register.width() as usize), fits.then_some(length));
        assert_eq!(at(length as u64).map(DeviceRegister::address).is_some(), fits);
        assert_eq!(at(1).is_some(), length == 1);
    }
    Ok(())
}

fn width() -> impl Strategy<Value = PortIoWidth> {
    prop_oneof![Just(One), Just(Two), Just(Four)]
}

proptest! {
    #[test]
    fn a_guest_reaches_its_own_devices_and_the_window_only(
        accesses in prop::collection::vec(
            (
                prop_oneof![Just(0xcf8_u16), 0xcf8..=0xcff_u16],
                width(),
                prop_oneof![
                    any::<u32>(),
                    // Registers of the three functions, and of one that is not.
                    (prop_oneof![Just(0_u32), Just(0x18), Just(0xfa), Just(0x20)], 0..64_u32)
                        .prop_map(|(bits, index)| ENABLED | bits << 8 | index << 2),
                ],
            ),
            0..60,
        ),
        addresses in prop::collection::vec(any::<u64>(), 8),
    ) {
        let (mut pci, mut machine) =
            find().map_err(|error| TestCaseError::fail(alloc::format!("{error}")))?;
        for (port, width, value) in accesses {
            let read = pci.read_port(port, width, &mut machine);
            prop_assert!(width == Four || read < 1 << (8 * width as u32));
            pci.write_port(port, width, value & (u32::MAX >> (32 - 8 * width as u32)), &mut machine);
        }
        prop_assert!(machine.writes.iter().all(|(bits, ..)| *bits == 0x18));
        let virtio = &machine.functions[&0x18];
        let starts: Vec<u64> = [0x14, 0x20].map(|at| u64::from(virtio.register(at) & !0xf)).into();
        for address in addresses.into_iter().chain(starts) {
            if let Some(register) = pci.device_register(Gpa(address & !7), 8) {
                prop_assert!((0xc000_0000..=0xfebf_fff8).contains(&register.address()));
                prop_assert!(virtio.register(4) & 2 != 0);
            }
        }
    }
}
