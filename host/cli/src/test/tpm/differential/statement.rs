//! Steps about statements, credentials, keys that move, and words of others that
//! are not true.
//!
//! Most of what succeeds differs between devices: times, keys, random secrets.
//! What is refused, and how, does not.

use svsm_tpm::message::{Command, sized};

use super::compare::Compare;
use super::dice::Dice;
use super::model::{ENDORSEMENT, INDICES, LOCKOUT, Model, NULL, OWNER, PASSWORD, PLATFORM};
use super::platform::selection;
use super::step::Step;

/// The next step.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    let object = model.object(dice);
    let command = match dice.below(14) {
        0 => {
            let scheme = scheme(dice);
            signed(0x158, model, dice).parameters(&[scheme, selection(dice)].concat())
        }
        1 => {
            let scheme = scheme(dice);
            let first = Command::new(0x148).authorized(object, PASSWORD);
            signer(first, model, dice).parameters(&[nonce(dice), scheme].concat())
        }
        2 => {
            let ticket = ticket(0x8021, dice);
            let digest = sized(&dice.exactly(32));
            let parameters = [nonce(dice), digest, scheme(dice), ticket].concat();
            signer(Command::new(0x14A), model, dice).handle(object).parameters(&parameters)
        }
        3 => {
            let code = dice.pick(&[0x14C, 0x133]);
            let first = Command::new(code).authorized(ENDORSEMENT, b"");
            signer(first, model, dice).parameters(&[nonce(dice), scheme(dice)].concat())
        }
        4 => {
            let index = dice.pick(&INDICES);
            let by = dice.pick(&[index, index, OWNER, PLATFORM]);
            let password = if by == index { b"nv".to_vec() } else { model.password(by, dice) };
            let range = [dice.pick(&[0_u16, 8, 8, 40, 2000]), dice.pick(&[0, 0, 1, 30])];
            let range = range.map(u16::to_be_bytes).concat();
            let parameters = [nonce(dice), scheme(dice), range].concat();
            let command = signer(Command::new(0x184), model, dice).authorized(by, &password);
            command.handle(index).parameters(&parameters)
        }
        5 => {
            let name = dice.pick(&[0, 34, 34, 70]);
            let (credential, name) = (dice.bytes(40), dice.exactly(name));
            let parameters = [sized(&credential), sized(&name)].concat();
            Command::new(0x168).handle(object).parameters(&parameters)
        }
        6 => {
            let (blob, secret) = (dice.bytes(80), dice.bytes(90));
            let key = model.parent(dice);
            let command = Command::new(0x147).authorized(object, PASSWORD);
            let command = command.authorized(key, PASSWORD);
            command.parameters(&[sized(&blob), sized(&secret)].concat())
        }
        7 => {
            let parent = parent_or_none(model, dice);
            // Not with a password.
            let command = Command::new(0x14B).authorized(object, PASSWORD).handle(parent);
            command.parameters(&[0, 0, 0, 0x10])
        }
        8 => {
            let old = parent_or_none(model, dice);
            let password: &[u8] = if old == NULL { b"" } else { PASSWORD };
            let new = parent_or_none(model, dice);
            let seed = if dice.once_in(2) { Vec::new() } else { dice.bytes(80) };
            let (private, name) = (dice.bytes(90), dice.exactly(34));
            let parameters = [sized(&private), sized(&name), sized(&seed)].concat();
            Command::new(0x152).authorized(old, password).handle(new).parameters(&parameters)
        }
        9 => {
            let parent = model.parent(dice);
            let size = dice.pick(&[0, 5, 32, 33]);
            let auth = sized(&dice.exactly(size));
            Command::new(0x150).authorized(object, PASSWORD).handle(parent).parameters(&auth)
        }
        10 => {
            // Disabled, nothing could be cleared for the next sequence.
            let by = dice.pick(&[LOCKOUT, PLATFORM]);
            Command::new(0x127).authorized(by, b"").parameters(&[dice.pick(&[0, 2])])
        }
        11 => {
            let index = dice.pick(&INDICES);
            if dice.once_in(2) {
                let command = Command::new(0x13B).authorized(index, b"nv");
                command.parameters(&sized(b"other"))
            } else {
                Command::new(0x11F).authorized(index, b"nv").authorized(PLATFORM, b"")
            }
        }
        12 => Command::new(0x163).handle(object),
        _ => {
            let size = dice.pick(&[20, 32, 32, 48]);
            let digest = sized(&dice.exactly(size));
            let signature = signature(dice);
            Command::new(0x177).handle(object).parameters(&[digest, signature].concat())
        }
    };
    Step::new(&command, Compare::Code)
}

fn parent_or_none(model: &Model, dice: &mut Dice) -> u32 {
    if dice.once_in(2) { NULL } else { model.parent(dice) }
}

/// A signature that is none.
pub(super) fn signature(dice: &mut Dice) -> Vec<u8> {
    let algorithm = dice.pick(&[0x14_u16, 0x16, 0x18, 0x1A, 0x1C, 5, 0x15, 0x10]);
    let hash = dice.pick(&[0x000B_u16, 0x000B, 0x000C, 0x0013]);
    let rest = match algorithm {
        0x14 | 0x16 => sized(&dice.exactly(256)),
        5 => dice.exactly(if hash == 0x000C { 48 } else { 32 }),
        _ => [sized(&dice.exactly(32)), sized(&dice.exactly(32))].concat(),
    };
    [&algorithm.to_be_bytes()[..], &hash.to_be_bytes(), &rest].concat()
}

/// A ticket that is not this device's, or none.
pub(super) fn ticket(tag: u16, dice: &mut Dice) -> Vec<u8> {
    let hierarchy = dice.pick(&[OWNER, ENDORSEMENT, PLATFORM, NULL, LOCKOUT]).to_be_bytes();
    let size = dice.pick(&[0, 32, 64]);
    [&tag.to_be_bytes()[..], &hierarchy, &sized(&dice.exactly(size))].concat()
}

fn nonce(dice: &mut Dice) -> Vec<u8> {
    sized(&dice.bytes(40))
}

fn scheme(dice: &mut Dice) -> Vec<u8> {
    let schemes: [&[u8]; 6] = [
        &[0, 0x10],
        &[0, 0x10],
        &[0, 0x14, 0, 0x0B],
        &[0, 0x16, 0, 0x0C],
        &[0, 0x18, 0, 0x0B],
        &[0, 5, 0, 0x0B],
    ];
    dice.pick(&schemes).to_vec()
}

/// A statement without anything but a nonce in front of the scheme.
fn signed(code: u32, model: &Model, dice: &mut Dice) -> Command {
    let nonce = nonce(dice);
    signer(Command::new(code), model, dice).parameters(&nonce)
}

/// With a key that signs, or nobody.
fn signer(command: Command, model: &Model, dice: &mut Dice) -> Command {
    if dice.once_in(4) {
        command.authorized(NULL, b"")
    } else {
        command.authorized(model.object(dice), PASSWORD)
    }
}
