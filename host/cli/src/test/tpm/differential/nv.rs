//! Steps about NV indices.

use svsm_tpm::message::{Command, sized};

use super::compare::Compare;
use super::dice::Dice;
use super::model::{INDICES, Model, OWNER, PLATFORM};
use super::platform::HASHES;
use super::step::Step;

/// PPWRITE, OWNERWRITE, AUTHWRITE, POLICYWRITE; PPREAD, OWNERREAD, AUTHREAD,
/// POLICYREAD.
const READ_AND_WRITE: u32 = 0x000F_000F;
/// TPM_NT_*, in place.
const TYPES: [u32; 7] = [0x00, 0x10, 0x20, 0x40, 0x80, 0x90, 0x30];
/// Other attributes that an index may be defined with, and some it may not.
const OTHERS: [u32; 12] = [
    POLICY_DELETE,
    0x0800,      // WRITELOCKED
    0x1000,      // WRITEALL
    0x2000,      // WRITEDEFINE
    0x4000,      // WRITE_STCLEAR
    0x8000,      // GLOBALLOCK
    0x0200_0000, // NO_DA
    0x0400_0000, // ORDERLY
    0x0800_0000, // CLEAR_STCLEAR
    0x2000_0000, // WRITTEN
    0x8000_0000, // READ_STCLEAR
    0x0010_0000, // reserved
];
const AUTH_WRITE: u32 = 0x0004;
const NO_DA: u32 = 0x0200_0000;
const ORDERLY: u32 = 0x0400_0000;
const POLICY_DELETE: u32 = 0x0400;
const PLATFORM_CREATE: u32 = 0x4000_0000;

/// The next step.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    let index = dice.pick(&INDICES);
    let by = dice.pick(&[OWNER, OWNER, PLATFORM, index]);
    // The password of all indices.
    let own: &[u8] = if dice.once_in(12) { b"no" } else { b"nv" };
    let password = if by == index { own.to_vec() } else { model.password(by, dice) };
    let access = |code| Command::new(code).authorized(by, &password).handle(index);
    match dice.below(13) {
        0..=2 => define(index, model, dice),
        3 => Step::new(&access(0x122), Compare::Exact),
        4 | 5 => {
            let offset = dice.pick(&[0_u16, 0, 1, 8, 40]).to_be_bytes();
            let length = dice.pick(&[0, 1, 8, 8, 32, 40]);
            let mut data = dice.exactly(length);
            if length == 8 && dice.once_in(2) {
                // Of a PIN: no failures so far, and a few are allowed.
                data = vec![0, 0, 0, 0, 0, 0, 0, 3];
            }
            let data = sized(&data);
            Step::new(&access(0x137).parameters(&data).parameters(&offset), Compare::Exact)
        }
        6 | 7 => {
            let size = dice.pick(&[0_u16, 1, 8, 8, 20, 32, 40, 2000]).to_be_bytes();
            let offset = dice.pick(&[0_u16, 0, 0, 1, 8]).to_be_bytes();
            Step::new(&access(0x14E).parameters(&size).parameters(&offset), Compare::Exact)
        }
        8 => Step::new(&Command::new(0x169).handle(index), Compare::Exact),
        9 => match dice.below(3) {
            0 => Step::new(&access(0x135).parameters(&dice.exactly(8)), Compare::Exact),
            1 => Step::new(&access(0x136).parameters(&sized(&dice.bytes(40))), Compare::Exact),
            // A counter begins behind the highest there ever was.
            _ => Step::new(&access(0x134), Compare::Exact),
        },
        10 => Step::new(&access(0x138), Compare::Exact),
        11 => Step::new(&access(0x14F), Compare::Exact),
        _ => {
            let by = dice.pick(&[OWNER, PLATFORM]);
            let command = Command::new(0x132).authorized(by, &model.password(by, dice));
            Step::new(&command, Compare::Exact)
        }
    }
}

fn define(index: u32, model: &Model, dice: &mut Dice) -> Step {
    let by = dice.pick(&[OWNER, OWNER, PLATFORM]);
    let mut attributes = READ_AND_WRITE | dice.pick(&TYPES);
    if (by == PLATFORM) != dice.once_in(8) {
        attributes |= PLATFORM_CREATE;
    }
    for _ in 0..dice.below(3) {
        attributes |= dice.pick(&OTHERS);
    }
    // A PIN is not written with its own value, and guesses at it are counted in it.
    if attributes & 0xE0 == 0x80 && !dice.once_in(6) {
        attributes = (attributes & !AUTH_WRITE) | NO_DA;
    }
    if dice.once_in(6) {
        attributes &= !dice.word();
    }
    // Such an index of the platform could not be removed for the next sequence.
    if attributes & PLATFORM_CREATE != 0 {
        attributes &= !POLICY_DELETE;
    }
    // What counters with that attribute leave behind differs.
    if attributes & 0xF0 == 0x10 {
        attributes &= !ORDERLY;
    }
    let size = match attributes & 0xF0 {
        0x10 | 0x20 | 0x80 | 0x90 if !dice.once_in(8) => 8,
        0x40 if !dice.once_in(8) => 32,
        _ => dice.pick(&[0_u16, 8, 20, 40, 2048, 2049]),
    };
    let policy = if dice.once_in(6) { dice.bytes(40) } else { Vec::new() };
    let hash = if dice.once_in(6) { dice.pick(&HASHES) } else { 0x000B };
    let public = [
        index.to_be_bytes().to_vec(),
        hash.to_be_bytes().to_vec(),
        attributes.to_be_bytes().to_vec(),
        sized(&policy),
        size.to_be_bytes().to_vec(),
    ];
    let command = Command::new(0x12A).authorized(by, &model.password(by, dice));
    let command = command.parameters(&sized(b"nv")).parameters(&sized(&public.concat()));
    Step::new(&command, Compare::Exact)
}
