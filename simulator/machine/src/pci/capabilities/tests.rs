//! Tests of the list that a guest follows.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::sample_machine::{SampleFunction, SampleMachine};
use super::*;

const FUNCTION: Function = Function::from_bits(8);

/// A function with these capabilities: place, kind and the rest of the first
/// register.
fn function(list: &[(u8, u8, u16)]) -> SampleFunction {
    let mut function = SampleFunction::new(0x1af4, 0x1042, 1);
    let mut places = list.iter().map(|(place, ..)| u32::from(*place)).chain([0]);
    function = function.with(CAPABILITIES, places.next().unwrap_or(0));
    for ((place, kind, rest), next) in list.iter().zip(places) {
        function = function.with(*place, u32::from(*rest) << 16 | next << 8 | u32::from(*kind));
    }
    function
}

/// The places and kinds that one finds who follows the list.
fn seen(list: &[(u8, u8, u16)]) -> Vec<(u8, u8)> {
    let mut machine = SampleMachine::new([(8, function(list))]);
    let capabilities = Capabilities::of(FUNCTION, &mut machine);
    let mut found = vec![];
    let read = |machine: &mut SampleMachine, register| {
        capabilities.filter(register, machine.read(FUNCTION, register))
    };
    let mut place = read(&mut machine, CAPABILITIES) as u8;
    while place != 0 && found.len() <= list.len() {
        let [kind, next, ..] = read(&mut machine, place).to_le_bytes();
        assert!(!capabilities.hidden.has(place));
        found.push((place, kind));
        place = next;
    }
    found
}

#[test]
fn the_list_skips_message_signalled_interrupts() {
    assert_eq!(seen(&[(0x98, MSI_X, 1), (0x84, 9, 0), (0x70, 9, 0)]), [(0x84, 9), (0x70, 9)]);
    assert_eq!(seen(&[(0x84, 9, 0), (0x98, MSI_X, 1), (0x70, 9, 0)]), [(0x84, 9), (0x70, 9)]);
    assert_eq!(seen(&[(0x84, 9, 0), (0x98, MSI, 1)]), [(0x84, 9)]);
    assert_eq!(seen(&[(0x98, MSI_X, 1), (0x50, MSI, 0)]), []);
    assert_eq!(seen(&[]), []);
}

#[test]
fn all_registers_of_what_is_skipped_are_hidden() {
    for (kind, control, count) in
        [(MSI_X, 0, 3), (MSI, 0, 3), (MSI, 1 << 7, 4), (MSI, 1 << 8, 5), (MSI, 0x180, 6)]
    {
        let mut machine = SampleMachine::new([(8, function(&[(0x60, kind, control)]))]);
        let hidden = Capabilities::of(FUNCTION, &mut machine).hidden;
        for register in (0..=0xfc).step_by(4) {
            let expected = (0x60..0x60 + 4 * count).contains(&register);
            assert_eq!(hidden.has(register), expected, "{kind:#x} {control:#x} {register:#x}");
        }
    }
}

#[test]
fn other_bytes_stay() {
    let list = [(0x40, 9, 0x1234), (0x98, MSI_X, 1), (0x70, 9, 0)];
    let mut machine = SampleMachine::new([(8, function(&list))]);
    let capabilities = Capabilities::of(FUNCTION, &mut machine);
    assert_eq!(capabilities.filter(0x40, 0x1234_9809), 0x1234_7009);
    assert_eq!(capabilities.filter(CAPABILITIES, 0xabcd_ef40), 0xabcd_ef40);
    assert_eq!(capabilities.filter(0x44, 0xabcd_ef40), 0xabcd_ef40);
}

#[test]
fn a_list_in_a_circle_ends() {
    let machine = function(&[(0x40, 9, 0), (0x50, 9, 0)]).with(0x50, 0x4009);
    let mut machine = SampleMachine::new([(8, machine)]);
    let capabilities = Capabilities::of(FUNCTION, &mut machine);
    assert_eq!(capabilities.filter(0x50, 0x4009), 9);
    // One that leads into the header ends before it.
    let machine = function(&[(0x40, 9, 0)]).with(0x40, 0x1009);
    let mut machine = SampleMachine::new([(8, machine)]);
    let capabilities = Capabilities::of(FUNCTION, &mut machine);
    assert_eq!(capabilities.filter(0x40, 0x1009), 9);
}

proptest! {
    #[test]
    fn what_is_seen_is_what_is_there_but_for_the_hidden(
        places in prop::sample::subsequence((2..8_u8).map(|i| i * 0x20).collect::<Vec<_>>(), 0..6)
            .prop_shuffle(),
        kinds in prop::collection::vec(prop_oneof![Just(MSI), Just(MSI_X), 1..0x20_u8], 6),
        control: u16,
    ) {
        let list: Vec<_> =
            places.iter().zip(&kinds).map(|(place, kind)| (*place, *kind, control)).collect();
        let expected: Vec<_> = list
            .iter()
            .map(|(place, kind, _)| (*place, *kind))
            .filter(|(_, kind)| ![MSI, MSI_X].contains(kind))
            .collect();
        prop_assert_eq!(seen(&list), expected);
    }

    #[test]
    fn nothing_a_device_says_hangs_or_panics(registers in prop::collection::vec(any::<u32>(), 64)) {
        let mut function = SampleFunction::new(0x1af4, 0x1042, 1);
        for (index, value) in (0..64).zip(registers) {
            function = function.with(4 * index, value);
        }
        let mut machine = SampleMachine::new([(8, function)]);
        let capabilities = Capabilities::of(FUNCTION, &mut machine);
        prop_assert!(capabilities.links.len() <= 49);
    }
}
