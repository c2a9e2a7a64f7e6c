//! Commands that are wrong on purpose: most of a device's rules are about what
//! it refuses, and in which order.

use super::compare::Compare;
use super::dice::Dice;
use super::step::Step;

/// Tag, size and code.
const HEADER: usize = 10;
/// One in so many commands is changed.
const RATE: usize = 5;

/// A step, now and then changed so that only its response code can be compared.
/// Says whether it was.
pub(super) fn perhaps(step: Step, dice: &mut Dice) -> (Step, bool) {
    let [ours, theirs] = &step.commands;
    if ours != theirs || !dice.once_in(RATE) {
        return (step, false);
    }
    let mut command = ours.clone();
    change(&mut command, dice);
    let commands = [command.clone(), command];
    (Step::raw(commands, Compare::Code), true)
}

fn change(command: &mut Vec<u8>, dice: &mut Dice) {
    let length = command.len();
    match dice.below(6) {
        // A bit or a byte behind the header.
        0 | 1 if length > HEADER => {
            let place = HEADER + dice.below(length - HEADER);
            let change = if dice.once_in(2) { 1 << dice.below(8) } else { 0xFF };
            command[place] ^= change;
        }
        // An end that is missing or too long.
        2 if length > HEADER => command.truncate(HEADER + dice.below(length - HEADER)),
        3 => command.extend(dice.exactly(1)),
        // Another tag.
        4 => {
            let tag = dice.pick(&[0x8001_u16, 0x8002, 0x00C1]).to_be_bytes();
            command[..2].copy_from_slice(&tag);
        }
        // A handle of another kind.
        _ if length >= HEADER + 4 => {
            let handle = dice.pick(&[
                0_u32,
                24,
                0x0150_0000,
                0x0200_0000,
                0x0300_0000,
                0x4000_0000,
                0x4000_0001,
                0x4000_0007,
                0x4000_0009,
                0x4000_000A,
                0x4000_000C,
                0x8000_0000,
                0x8000_0005,
                0x8100_0000,
                0x9000_0000,
            ]);
            command[HEADER..HEADER + 4].copy_from_slice(&handle.to_be_bytes());
        }
        _ => command.extend([0; 4]),
    }
    let length = u32::try_from(command.len()).expect("commands are short").to_be_bytes();
    command[2..6].copy_from_slice(&length);
}
