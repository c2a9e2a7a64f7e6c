//! Steps about PCRs, hashes, hierarchies and capabilities.

use svsm_tpm::message::{Command, Response, sized};

use super::compare::Compare;
use super::dice::Dice;
use super::model::{ENDORSEMENT, LOCKOUT, Model, NULL, OWNER, PLATFORM};
use super::step::Step;

/// TPM_ALG_* of hashes, and one that is none.
pub(super) const HASHES: [u16; 5] = [0x0004, 0x000B, 0x000C, 0x000D, 0x0013];
/// Sizes of their digests.
pub(super) const fn digest_size(hash: u16) -> usize {
    match hash {
        0x0004 => 20,
        0x000C => 48,
        0x000D => 64,
        _ => 32,
    }
}

/// A selection of PCRs (TPML_PCR_SELECTION).
pub(super) fn selection(dice: &mut Dice) -> Vec<u8> {
    let count = dice.below(3);
    let mut bytes = u32::try_from(count).expect("few").to_be_bytes().to_vec();
    for _ in 0..count {
        bytes.extend(dice.pick(&HASHES[..4]).to_be_bytes());
        bytes.push(3);
        let mut select = dice.exactly(3);
        // Few at a time, so that an answer has them all.
        select.iter_mut().for_each(|byte| *byte &= 0x49);
        bytes.extend(select);
    }
    bytes
}

/// The next step.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    match dice.below(17) {
        0 => extend(dice),
        1 => Step::new(&Command::new(0x17E).parameters(&selection(dice)), Compare::AfterCounter),
        2 => {
            let pcr = dice.pick(&[0, 16, 17, 20, 21, 23, 24]);
            Step::new(&Command::new(0x13D).authorized(pcr, b""), Compare::Exact)
        }
        3 => {
            let pcr = dice.pick(&[1, 16, 17, 22, 25, NULL]);
            let event = Command::new(0x13C).authorized(pcr, b"");
            Step::new(&event.parameters(&sized(&dice.bytes(64))), Compare::Exact)
        }
        4 => hash(dice),
        5 => sequence_start(dice),
        6 => {
            let handle = model.hash(dice);
            let update = Command::new(0x15C).authorized(handle, b"pw");
            Step::new(&update.parameters(&sized(&dice.bytes(200))), Compare::Exact)
        }
        7 => {
            let handle = model.hash(dice);
            let complete = Command::new(0x13E).authorized(handle, b"pw");
            let complete = complete.parameters(&sized(&dice.bytes(200)));
            let hierarchy = dice.pick(&[OWNER, ENDORSEMENT, PLATFORM, NULL]).to_be_bytes();
            Step::new(&complete.parameters(&hierarchy), Compare::First)
                .learn(move |model, _| model.forget(handle))
        }
        8 => {
            let size = dice.pick(&[0_u16, 1, 20, 32, 48, 64, 65, u16::MAX]);
            Step::new(&Command::new(0x17B).parameters(&size.to_be_bytes()), Compare::Length)
        }
        9 => {
            let stir = Command::new(0x146).parameters(&sized(&dice.bytes(140)));
            Step::new(&stir, Compare::Exact)
        }
        10 => capability(dice),
        11 => owner_password(model, dice),
        12 => hierarchy_control(model, dice),
        13 => lockout(dice),
        14 => primary_policy(model, dice),
        15 => audit(model, dice),
        _ => self_test(dice),
    }
}

fn extend(dice: &mut Dice) -> Step {
    let pcr = dice.pick(&[0, 5, 16, 17, 20, 23, 24, NULL]);
    let count = dice.below(3);
    let mut digests = u32::try_from(count).expect("few").to_be_bytes().to_vec();
    for _ in 0..count {
        let hash = dice.pick(&HASHES);
        digests.extend(hash.to_be_bytes());
        digests.extend(dice.exactly(digest_size(hash)));
    }
    Step::new(&Command::new(0x182).authorized(pcr, b"").parameters(&digests), Compare::Exact)
}

fn hash(dice: &mut Dice) -> Step {
    let data = sized(&dice.bytes(1030));
    let hash = dice.pick(&HASHES).to_be_bytes();
    let hierarchy = dice.pick(&[OWNER, ENDORSEMENT, PLATFORM, NULL, LOCKOUT]).to_be_bytes();
    let command = Command::new(0x17D).parameters(&data).parameters(&hash).parameters(&hierarchy);
    Step::new(&command, Compare::First)
}

fn sequence_start(dice: &mut Dice) -> Step {
    let hash = dice.pick(&[0x0004, 0x000B, 0x000C, 0x000D, 0x0010, 0x0013_u16]);
    let start = Command::new(0x186).parameters(&sized(b"pw")).parameters(&hash.to_be_bytes());
    Step::new(&start, Compare::Exact).learn(|model, [ours, _]| {
        model.hashes.extend(Response::parse(ours).and_then(|response| response.handle()));
    })
}

/// Those capabilities that are the same for all devices in the same state.
fn capability(dice: &mut Dice) -> Step {
    // PERMANENT, STARTUP_CLEAR, HR_*, LOCKOUT_*: single properties.
    let properties = [0x100, 0x112, 0x113, 0x201, 0x204, 0x206, 0x20E, 0x20F, 0x210, 0x211];
    let (capability, first, count) = match dice.below(6) {
        0 => (1, dice.pick(&[0, 0x0100_0000, 0x0200_0000, 0x0300_0000]), 64),
        // Behind these come timers, which only one of the two has.
        1 if dice.once_in(3) => (1, 0x4000_0000, 6),
        1 => (1, dice.pick(&[0x8000_0000, 0x8100_0000, 0x9000_0000]), dice.below(5)),
        2 => (5, dice.pick(&[0, 0, 1]), 1),
        3 => (6, dice.pick(&properties), 1),
        4 => (4, 0, 127),
        _ => (dice.pick(&[7, 0x100]), 0, 127),
    };
    let count = u32::try_from(count).expect("small");
    let words = [capability, first, count].map(u32::to_be_bytes).concat();
    Step::new(&Command::new(0x17A).parameters(&words), Compare::Exact)
}

fn owner_password(model: &Model, dice: &mut Dice) -> Step {
    let password = dice.pick(&[&b""[..], b"owner", b"owner\0\0", &[7; 33], &[7; 70]]).to_vec();
    let command = Command::new(0x129).authorized(OWNER, &model.password(OWNER, dice));
    let step = Step::new(&command.parameters(&sized(&password)), Compare::Exact);
    // Zeros at the end do not count.
    let end = password.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let password = password[..end].to_vec();
    step.learn(move |model, _| model.owner_password = password)
}

fn hierarchy_control(model: &Model, dice: &mut Dice) -> Step {
    // The platform would be gone until the restart.
    let enable = dice.pick(&[OWNER, ENDORSEMENT, NULL, 0x4000_000D]);
    let by = dice.pick(&[PLATFORM, PLATFORM, OWNER, ENDORSEMENT]);
    let state = if dice.once_in(4) { 0 } else { dice.pick(&[1, 1, 1, 2]) };
    let command = Command::new(0x121).authorized(by, &model.password(by, dice));
    let command = command.parameters(&enable.to_be_bytes()).parameters(&[state]);
    Step::new(&command, Compare::Exact).learn(move |model, _| {
        if state == 0 {
            // What it held is flushed, and not all of that is known here.
            model.objects.clear();
            model.parents.clear();
        }
    })
}

fn lockout(dice: &mut Dice) -> Step {
    if dice.once_in(2) {
        return Step::new(&Command::new(0x139).authorized(LOCKOUT, b""), Compare::Exact);
    }
    let words = [dice.pick(&[3_u32, 10, 31]), 1000, 1000].map(u32::to_be_bytes).concat();
    let command = Command::new(0x13A).authorized(LOCKOUT, b"").parameters(&words);
    Step::new(&command, Compare::Exact)
}

fn primary_policy(model: &Model, dice: &mut Dice) -> Step {
    let handle = dice.pick(&[OWNER, ENDORSEMENT, PLATFORM, LOCKOUT, NULL]);
    let hash = dice.pick(&[0x000B, 0x000C, 0x0010, 0x0013_u16]);
    let size = dice.pick(&[0, 0, 32, 48]);
    // One that a session may fulfil.
    let known = (!model.policies.is_empty() && dice.once_in(2))
        .then(|| model.policies[dice.below(model.policies.len())].clone());
    let hash = known.as_ref().map_or(hash, |policy| match policy.len() {
        20 => 0x0004,
        48 => 0x000C,
        _ => 0x000B,
    });
    let policy = sized(&known.unwrap_or_else(|| dice.exactly(size)));
    let command = Command::new(0x12E).authorized(handle, &model.password(handle, dice));
    let command = command.parameters(&policy).parameters(&hash.to_be_bytes());
    Step::new(&command, Compare::Exact)
}

fn audit(model: &Model, dice: &mut Dice) -> Step {
    let hash = dice.pick(&[0x0010, 0x000B, 0x000C_u16]);
    let list = |dice: &mut Dice| match dice.below(3) {
        0 => vec![0; 4],
        1 => [1_u32, dice.pick(&[0x17B, 0x17D, 0x140, 0x145, 0x99])].map(u32::to_be_bytes).concat(),
        _ => [2_u32, 0x153, 0x157].map(u32::to_be_bytes).concat(),
    };
    let command = Command::new(0x140).authorized(OWNER, &model.password(OWNER, dice));
    let command = command.parameters(&hash.to_be_bytes());
    let command = command.parameters(&list(dice)).parameters(&list(dice));
    Step::new(&command, Compare::Exact)
}

fn self_test(dice: &mut Dice) -> Step {
    match dice.below(4) {
        0 => Step::new(&Command::new(0x143).parameters(&[dice.pick(&[0, 1, 2])]), Compare::Exact),
        1 => Step::new(&Command::new(0x17C), Compare::Code),
        2 => Step::new(&Command::new(0x181), Compare::Code),
        _ => {
            let curve = dice.pick(&[3_u16, 4, 5, 0x20, 0, 0x30]);
            Step::new(&Command::new(0x178).parameters(&curve.to_be_bytes()), Compare::Exact)
        }
    }
}
