//! Steps about sessions and policies.

use svsm_tpm::message::{Command, Response, sized, take_sized};
use tpm_crypto::hash::HashAlgorithm;

use super::client::CONTINUE;
use super::compare::Compare;
use super::dice::Dice;
use super::model::{ENDORSEMENT, INDICES, LOCKOUT, Model, NULL, OWNER, PLATFORM};
use super::platform::{HASHES, digest_size, selection};
use super::statement::{signature, ticket};
use super::step::Step;

/// TPM_SE_*.
const POLICY: u8 = 1;
const TRIAL: u8 = 3;

/// The next step.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    let session = model.session(dice);
    let on = |code| Command::new(code).handle(session);
    let exact = |command: Command| Step::new(&command, Compare::Exact);
    match dice.below(28) {
        0 | 1 => start(dice),
        2 | 3 => exact(on(0x189)).learn(move |model, [ours, _]| {
            let mut body =
                Response::parse(ours).and_then(|answer| answer.parameters()).unwrap_or_default();
            model.policies.extend(take_sized(&mut body).map(<[u8]>::to_vec));
            model.told = Some(session);
        }),
        4 => exact(on(0x180)),
        5 => exact(on(0x16B)),
        6 => exact(on(0x18C)),
        7 => {
            let code = dice.pick(&[0x15E, 0x15E, 0x17B, 0x14E, 0x120, 0x999_u32]);
            exact(on(0x16C).parameters(&code.to_be_bytes()))
        }
        8 => {
            let locality = dice.pick(&[0, 1, 3, 0x10, 0x1F, 32, 40, 255]);
            exact(on(0x16F).parameters(&[locality]))
        }
        9 | 10 => {
            let size = dice.pick(&[0, 0, 0, 20, 32, 48]);
            let digest = sized(&dice.exactly(size));
            exact(on(0x17F).parameters(&digest).parameters(&selection(dice)))
        }
        11 => or(model, session, dice),
        12 => {
            let code = dice.pick(&[0x16E, 0x170, 0x190]);
            let size = dice.pick(&[32, 32, 20, 48, 0]);
            exact(on(code).parameters(&sized(&dice.exactly(size))))
        }
        13 => exact(on(0x18F).parameters(&[dice.pick(&[0, 1, 1, 2])])),
        14 => exact(on(0x187)),
        15 => secret(model, session, dice),
        16 => {
            // The names of the object and of its new parent.
            let name = |dice: &mut Dice| {
                let size = dice.pick(&[0, 34, 34, 66, 70]);
                sized(&dice.exactly(size))
            };
            let names = [name(dice), name(dice)].concat();
            exact(on(0x188).parameters(&names).parameters(&[dice.pick(&[0, 1, 2])]))
        }
        17 => compare_nv(model, session, dice),
        18 => {
            // Operands that hold or do not, whatever the time is.
            let operand = sized(&dice.pick(&[[0; 8], [0xFF; 8]]));
            let offset = 0_u16.to_be_bytes();
            let operation = dice.pick(&[2_u16, 4, 6, 8, 12]).to_be_bytes();
            let command = on(0x16D).parameters(&operand).parameters(&offset);
            exact(command.parameters(&operation))
        }
        19 => {
            // Words of others, which are not true.
            let size = dice.pick(&[0, 7, 8, 8, 9]);
            let timeout = vec![dice.pick(&[0, 0x7F]); size];
            let command_hash = dice.pick(&[0, 0, 32, 20]);
            let (command_hash, reference) = (dice.exactly(command_hash), dice.bytes(70));
            let name = dice.exactly(34);
            let tag = dice.pick(&[0x8023, 0x8025, 0x8021, 0x8099]);
            let ticket = ticket(tag, dice);
            let words = [timeout, command_hash, reference, name].map(|word| sized(&word)).concat();
            exact(on(0x172).parameters(&words).parameters(&ticket))
        }
        20 => {
            let known = (!model.policies.is_empty() && dice.once_in(2))
                .then(|| model.policies[dice.below(model.policies.len())].clone());
            let approved = known.unwrap_or_else(|| vec![0; 32]);
            let size = dice.pick(&[34, 34, 33, 2, 0]);
            let hash = dice.pick(&[0x000B_u16, 0x000B, 0x000C, 0x0013]).to_be_bytes();
            let mut name = [&hash[..], &dice.exactly(32)].concat();
            name.truncate(size);
            let words = [sized(&approved), sized(&dice.bytes(40)), sized(&name)].concat();
            let ticket = ticket(0x8022, dice);
            exact(on(0x16A).parameters(&words).parameters(&ticket))
        }
        21 => {
            let index = dice.pick(&INDICES);
            let by = dice.pick(&[OWNER, PLATFORM, index]);
            let password = if by == index { b"nv".to_vec() } else { model.password(by, dice) };
            let command = Command::new(0x192).authorized(by, &password).handle(index);
            exact(command.handle(session))
        }
        22 => {
            let key = model.object(dice);
            let nonce = if dice.once_in(6) { dice.exactly(16) } else { Vec::new() };
            let command_hash = dice.pick(&[0, 0, 32, 20]);
            let words = [nonce, dice.exactly(command_hash), dice.bytes(40)];
            let words = words.map(|word| sized(&word)).concat();
            let expiration = dice.pick(&[0_u32, 0, 100, 0xFFFF_FF00]).to_be_bytes();
            let command = Command::new(0x160).handle(key).handle(session);
            let command = command.parameters(&words).parameters(&expiration);
            // The name of a key differs, and so what it makes of the policy.
            Step::new(&command.parameters(&signature(dice)), Compare::Code)
                .learn(move |model, _| model.forget(session))
        }
        23 | 24 => adopt(model, dice),
        25 | 26 => authorize(model, session, dice),
        _ => {
            let flush = Command::new(0x165).parameters(&session.to_be_bytes());
            exact(flush).learn(move |model, _| model.forget(session))
        }
    }
}

fn start(dice: &mut Dice) -> Step {
    let kind = dice.pick(&[POLICY, POLICY, POLICY, TRIAL, 2]);
    let hash = dice.pick(&[0x000B, 0x000B, 0x000B, 0x0004, 0x000C, 0x0013_u16]);
    let nonce = dice.pick(&[16, 16, 16, 32, 15, 65]);
    let parameters = [
        sized(&dice.exactly(nonce)),
        sized(&[]),
        vec![kind],
        0x0010_u16.to_be_bytes().to_vec(),
        hash.to_be_bytes().to_vec(),
    ];
    let handles = Command::new(0x176).handle(NULL).handle(NULL);
    let step = Step::new(&handles.parameters(&parameters.concat()), Compare::Handle);
    step.learn(|model, [ours, _]| {
        model.sessions.extend(Response::parse(ours).and_then(|response| response.handle()));
    })
}

/// Makes what a session was told last the owner's policy.
fn adopt(model: &Model, dice: &mut Dice) -> Step {
    let policy = model.policies.last().cloned().unwrap_or_default();
    let hash = match policy.len() {
        20 => 0x0004,
        32 => 0x000B,
        48 => 0x000C,
        _ => 0x0010_u16,
    };
    let command = Command::new(0x12E).authorized(OWNER, &model.password(OWNER, dice));
    Step::new(&command.parameters(&sized(&policy)).parameters(&hash.to_be_bytes()), Compare::Exact)
}

/// Uses the session that told its policy last, or now and then another one: again
/// and again, for a policy is good for one use only.
fn authorize(model: &Model, session: u32, dice: &mut Dice) -> Step {
    let session = model.told.filter(|_| !dice.once_in(6)).unwrap_or(session);
    let attributes = if dice.once_in(5) { 0 } else { CONTINUE };
    // What policies with a password ask for, nothing, or an HMAC that does not hold.
    let shown = match dice.below(6) {
        0 => dice.bytes(33),
        1..=3 => model.owner_password.clone(),
        _ => Vec::new(),
    };
    let entity = dice.pick(&[OWNER, OWNER, OWNER, LOCKOUT]);
    // The clock's rate stays, or the policy goes.
    let (code, parameters): (u32, &[u8]) =
        dice.pick(&[(0x130, &[0]), (0x130, &[0]), (0x12E, &[0, 0, 0, 0x10])]);
    let command = Command::new(code).handle(entity).session(session, &[], attributes, &shown);
    // The response has a nonce of each device's own.
    Step::new(&command.parameters(parameters), Compare::Code).learn(move |model, _| {
        if attributes == 0 {
            model.forget(session);
        }
    })
}

/// A policy session authorizes, again and again: what the owner's policy asks for
/// is said for each use. None without a session.
pub(super) fn use_one(model: &Model, dice: &mut Dice) -> Option<Step> {
    let session = *model.sessions.last()?;
    let (limit, code) = (0x16C_u32.to_be_bytes(), 0x130_u32.to_be_bytes());
    Some(match dice.below(4) {
        0 => {
            let policy = HashAlgorithm::Sha256.digest(&[&[0; 32], &limit, &code]);
            let command = Command::new(0x12E).authorized(OWNER, &model.password(OWNER, dice));
            let command = command.parameters(&sized(policy.as_bytes())).parameters(&[0, 0x0B]);
            Step::new(&command, Compare::Exact)
        }
        1 => {
            let command = Command::new(0x16C).handle(session).parameters(&code);
            Step::new(&command, Compare::Exact)
        }
        _ => {
            let attributes = if dice.once_in(8) { 0 } else { CONTINUE };
            let command = Command::new(0x130).handle(OWNER).session(session, &[], attributes, &[]);
            // The response has a nonce of each device's own.
            Step::new(&command.parameters(&[0]), Compare::Code).learn(move |model, _| {
                if attributes == 0 {
                    model.forget(session);
                }
            })
        }
    })
}

fn or(model: &Model, session: u32, dice: &mut Dice) -> Step {
    let count = dice.pick(&[1, 2, 2, 3, 8, 9]);
    let mut digests = u32::try_from(count).expect("few").to_be_bytes().to_vec();
    for _ in 0..count {
        let known = (!model.policies.is_empty() && !dice.once_in(4))
            .then(|| model.policies[dice.below(model.policies.len())].clone());
        let size = digest_size(dice.pick(&HASHES));
        digests.extend(sized(&known.unwrap_or_else(|| dice.exactly(size))));
    }
    Step::new(&Command::new(0x171).handle(session).parameters(&digests), Compare::Exact)
}

fn secret(model: &Model, session: u32, dice: &mut Dice) -> Step {
    let entity = dice.pick(&[OWNER, ENDORSEMENT, PLATFORM, NULL, LOCKOUT, 16]);
    let command = Command::new(0x151).authorized(entity, &model.password(entity, dice));
    let nonce = if dice.once_in(6) { dice.exactly(16) } else { Vec::new() };
    let command_hash = dice.pick(&[0, 0, 32, 20]);
    let parameters = [
        sized(&nonce),
        sized(&dice.exactly(command_hash)),
        sized(&dice.bytes(70)),
        dice.pick(&[0_u32, 0, 100, 0xFFFF_FF00]).to_be_bytes().to_vec(),
    ];
    let command = command.handle(session).parameters(&parameters.concat());
    // The ticket of an expiration is each device's own.
    Step::new(&command, Compare::Code)
}

fn compare_nv(model: &Model, session: u32, dice: &mut Dice) -> Step {
    let index = dice.pick(&INDICES);
    let by = dice.pick(&[OWNER, PLATFORM, index]);
    let password = if by == index { b"nv".to_vec() } else { model.password(by, dice) };
    let command = Command::new(0x149).authorized(by, &password).handle(index).handle(session);
    let size = dice.pick(&[0, 1, 8, 40]);
    let parameters = [
        sized(&dice.exactly(size)),
        dice.pick(&[0_u16, 0, 4, 50]).to_be_bytes().to_vec(),
        u16::try_from(dice.below(14)).expect("small").to_be_bytes().to_vec(),
    ];
    Step::new(&command.parameters(&parameters.concat()), Compare::Exact)
}
