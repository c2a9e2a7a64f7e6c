//! Tests of ranges: sizes, places, moves.

use super::super::sample_machine::{SampleFunction, SampleMachine};
use super::super::window;
use super::*;

const FUNCTION: Function = Function::from_bits(8);

fn place(function: SampleFunction) -> (Result<BaseAddresses, NoRoom>, SampleMachine) {
    let mut machine = SampleMachine::new([(8, function)]);
    let found = BaseAddresses::place(FUNCTION, &mut Places::all(), &mut machine);
    (found, machine)
}

fn register(machine: &SampleMachine, offset: u8) -> u32 {
    machine.functions[&8].register(offset)
}

fn plain() -> SampleFunction {
    SampleFunction::new(0x1af4, 0x1042, 1)
}

#[test]
fn each_range_gets_a_place_of_its_own() -> Result<(), NoRoom> {
    let (found, machine) = place(SampleFunction::virtio());
    let found = found?;
    assert_eq!(register(&machine, 0x14), 0xc000_0000);
    assert_eq!((register(&machine, 0x20), register(&machine, 0x24)), (0xc000_400c, 0));
    assert!(found.hold(0xc000_0000, 8) && found.hold(0xc000_0fff, 1));
    assert!(!found.hold(0xc000_0ffd, 4) && !found.hold(0xc000_1000, 1));
    assert!(found.hold(0xc000_4000, 1) && found.hold(0xc000_7ff8, 8));
    assert!(!found.hold(0xc000_3fff, 1) && !found.hold(0xc000_8000, 1));
    assert!(!found.hold(u64::MAX, 8));
    Ok(())
}

#[test]
fn small_ranges_do_not_share_a_page() -> Result<(), NoRoom> {
    let function = plain().writable(0x10, !0xf).writable(0x14, !0xff);
    let (found, machine) = place(function);
    let found = found?;
    assert_eq!((register(&machine, 0x10), register(&machine, 0x14)), (0xc000_0000, 0xc000_1000));
    assert!(found.hold(0xc000_000f, 1) && !found.hold(0xc000_0010, 1));
    Ok(())
}

#[test]
fn ports_are_taken_away() -> Result<(), NoRoom> {
    let function = plain().with(0x10, 0xc041).writable(0x10, 0xffff_ffe0).writable(0x14, !0xfff);
    let (found, machine) = place(function);
    let found = found?;
    assert_eq!(register(&machine, 0x10), 1 & 0x1f);
    assert!(found.hidden.has(0x10) && !found.hidden.has(0x14));
    assert!(found.hold(0xc000_0000, 1) && !found.hold(0xc040, 1));
    Ok(())
}

#[test]
fn there_may_be_no_room() {
    let huge = plain().with(0x10, 4).writable(0x10, 0).writable(0x14, u32::MAX);
    let (found, _) = place(huge);
    assert_eq!(found, Err(NoRoom { function: FUNCTION, bytes: 1 << 32 }));
    // The first fits, the second does not.
    let large = plain().writable(0x10, 0xe000_0000).writable(0x14, 0xe000_0000);
    let (found, machine) = place(large);
    assert_eq!(found, Err(NoRoom { function: FUNCTION, bytes: 1 << 29 }));
    assert_eq!(register(&machine, 0x10), 0xc000_0000);
}

#[test]
fn a_range_is_where_the_device_says() -> Result<(), NoRoom> {
    let (found, mut machine) = place(SampleFunction::virtio());
    let mut found = found?;
    machine.write(FUNCTION, 0x20, PortIoWidth::Four, 0xd000_0000);
    machine.write(FUNCTION, 0x14, PortIoWidth::Two, u32::MAX);
    found.look_up(FUNCTION, &mut machine);
    assert!(found.hold(0xd000_3fff, 1) && !found.hold(0xc000_4000, 1));
    assert!(found.hold(0xc000_f000, 4) && !found.hold(0xc000_0000, 4));
    machine.write(FUNCTION, 0x24, PortIoWidth::Four, 1);
    found.look_up(FUNCTION, &mut machine);
    assert!(found.hold(0x1_d000_0000, 4) && !found.hold(0xd000_0000, 4));
    Ok(())
}

#[test]
fn places_end_where_the_window_ends() {
    let mut places = Places::all();
    assert_eq!(places.take(FUNCTION, 1 << 29), Ok(window::START));
    assert_eq!(places.take(FUNCTION, 1 << 28), Ok(0xe000_0000));
    assert_eq!(places.take(FUNCTION, 1 << 27), Ok(0xf000_0000));
    assert_eq!(places.take(FUNCTION, 1 << 26), Ok(0xf800_0000));
    assert!(places.take(FUNCTION, 1 << 26).is_err());
    assert_eq!(places.take(FUNCTION, 1 << 21), Ok(0xfc00_0000));
}
