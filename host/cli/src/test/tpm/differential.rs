//! The same commands for our device and for swtpm: equal response codes, and
//! equal bytes where they are determined.
//!
//! Sequences are made from numbers, so each can be made again. A sequence ends
//! at its first difference, after which the devices are no longer in the same
//! state; both are then replaced.
//!
//! | file | what |
//! |---|---|
//! | `dice` | choices from a number |
//! | `model` | what a sequence knows of the devices |
//! | `step` | one command |
//! | `compare` | what has to be the same in two responses |
//! | `client` | a client's end of a session with HMACs |
//! | `platform`, `nv`, `policy`, `session`, `object`, `statement`, `certificate`, `known_keys` | commands of each kind |
//! | `mutation` | commands that are wrong on purpose |
//! | `difference` | a command that was answered differently |
//! | `known` | differences that are meant |

mod certificate;
mod client;
mod compare;
mod dice;
mod difference;
mod known;
mod known_keys;
mod model;
mod mutation;
mod nv;
mod object;
mod platform;
mod policy;
mod session;
mod statement;
mod step;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use svsm_tpm::message::{Command, Response};

use crate::jobs::Counts;
use crate::log::Log;
use crate::project::Project;
use crate::setup::TpmProgramFiles;
use crate::test::depth::Depth;
use crate::tpm::{Emulator, InProcess, Peer};
use compare::Compare;
use dice::Dice;
use difference::Difference;
use model::{INDICES, LOCKOUT, Model, PLATFORM};
use step::Step;

/// Commands of a sequence.
const LENGTH: usize = 60;
/// Sequences.
const SEQUENCES: u64 = 60;
const ALL_SEQUENCES: u64 = 2000;

/// TPM_CC_*.
const STARTUP: u32 = 0x144;
const SHUTDOWN: u32 = 0x145;
const UNDEFINE: u32 = 0x122;
const CLEAR: u32 = 0x126;
const SET_LIMITS: u32 = 0x13A;
const FAILURE: u32 = 0x101;

/// Compares many sequences.
///
/// # Errors
///
/// swtpm is missing and cannot be had, or it gives no responses.
pub(super) fn test(project: &Project, depth: Depth, log: &mut Log) -> Result<Counts> {
    let programs = project.toolbox.tpm_programs()?;
    let sequences = match depth {
        Depth::Ordinary => SEQUENCES,
        Depth::Thorough => ALL_SEQUENCES,
    };
    let mut pair = None;
    let mut counts = Counts::default();
    let mut tally = Tally::default();
    for number in 0..sequences {
        let sides = match pair.take() {
            Some(sides) => sides,
            None => Pair::start(&programs, log)?,
        };
        let (sides, end) = play(number, sides, &mut tally)?;
        match end {
            End::Same => {
                counts.passed += 1;
                pair = Some(sides);
            }
            End::Known => counts.passed += 1,
            End::Different(difference) => {
                counts.failed += 1;
                log.say(&format!("sequence {number}: {}", difference.show()))?;
            }
        }
    }
    log.say(&format!("{} commands in {sequences} sequences", tally.commands))?;
    for (what, times) in tally.differences {
        log.say(&format!("{times:>5} times: {what}"))?;
    }
    Ok(counts)
}

/// What all sequences came to.
#[derive(Default)]
struct Tally {
    commands: usize,
    /// How often there was each difference.
    differences: BTreeMap<String, usize>,
}

impl Tally {
    fn count(&mut self, difference: &Difference) {
        let what = match known::reason(difference) {
            Some(reason) => format!("known: {reason}"),
            None => format!("not known: {}", difference.summary()),
        };
        *self.differences.entry(what).or_default() += 1;
    }
}

/// The two devices, in the same state.
struct Pair {
    ours: InProcess,
    theirs: Emulator,
    /// Their state. Dropped after them.
    _folder: tempfile::TempDir,
}

impl Pair {
    fn start(programs: &TpmProgramFiles, log: &Log) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot create a folder")?;
        let theirs = Emulator::start(programs, folder.path(), log)?;
        Ok(Self { ours: InProcess::new()?, theirs, _folder: folder })
    }

    fn execute(&mut self, commands: &[Vec<u8>; 2]) -> Result<[Vec<u8>; 2]> {
        Ok([self.ours.execute(&commands[0])?, self.theirs.execute(&commands[1])?])
    }

    fn restart(&mut self) -> Result<()> {
        self.ours.restart()?;
        self.theirs.restart()
    }
}

/// How a sequence ended.
enum End {
    /// The devices are in the same state.
    Same,
    /// They are not, as is known.
    Known,
    /// They are not, or one of them said something else.
    Different(Difference),
}

/// Plays the sequence with this number.
fn play(number: u64, mut sides: Pair, tally: &mut Tally) -> Result<(Pair, End)> {
    let mut dice = Dice::new(number);
    let mut model = Model::default();
    // In order, because what a power cut leaves differs between devices. Whoever
    // has not started since the last one refuses, and has nothing to leave.
    sides.execute(&with_kind(SHUTDOWN, 0).commands)?;
    sides.restart()?;
    let clear = Step::new(&Command::new(CLEAR).authorized(PLATFORM, b""), Compare::Exact);
    // Devices come with other limits of guessing.
    let limits = [32_u32, 1000, 1000].map(u32::to_be_bytes).concat();
    let limits = Command::new(SET_LIMITS).authorized(LOCKOUT, b"").parameters(&limits);
    let limits = Step::new(&limits, Compare::Exact);
    let mut next = vec![limits];
    // Clearing leaves what belongs to the platform.
    next.extend(INDICES.map(|index| {
        Step::new(&Command::new(UNDEFINE).authorized(PLATFORM, b"").handle(index), Compare::Exact)
    }));
    next.extend([clear, with_kind(STARTUP, 0)]);
    let mut commands = Vec::new();
    for _ in 0..LENGTH {
        let (one, mutated) = match next.pop() {
            Some(one) => (one, false),
            None if dice.once_in(40) => {
                // Power is cut only after an orderly shutdown: what is lost
                // otherwise differs between devices, as it may.
                next.push(with_kind(STARTUP, dice.pick(&[0, 1])));
                next.push(with_kind(SHUTDOWN, dice.pick(&[0, 1])));
                continue;
            }
            None => mutation::perhaps(draw(&model, &mut dice), &mut dice),
        };
        let is_shutdown = one.commands[0].get(8..10) == Some(&[1, 0x45]) && !mutated;
        let responses = sides.execute(&one.commands)?;
        if is_shutdown {
            sides.restart()?;
            model.restart();
        }
        tally.commands += 1;
        let [ours, theirs] = &responses;
        let same = one.agrees([ours, theirs]);
        let succeeded =
            |response: &[u8]| Response::parse(response).is_some_and(|one| one.code == 0);
        let success = succeeded(ours);
        if !same {
            // Whoever answers with a failure answers nothing else afterwards.
            let failed = Response::parse(theirs).is_some_and(|one| one.code == FAILURE);
            let either = success || succeeded(theirs) || failed;
            commands.extend(one.commands.into_iter().next());
            let difference = Difference { commands, responses };
            tally.count(&difference);
            match known::reason(&difference) {
                // Neither device has changed anything.
                Some(_) if !either => commands = difference.commands,
                Some(_) => return Ok((sides, End::Known)),
                None => return Ok((sides, End::Different(difference))),
            }
            continue;
        }
        if let Some(learn) = one.learn.filter(|_| success && !mutated) {
            learn(&mut model, [ours, theirs]);
        }
        commands.extend(one.commands.into_iter().next());
    }
    Ok((sides, End::Same))
}

/// TPM2_Startup or TPM2_Shutdown: clear (0) or with state (1).
fn with_kind(code: u32, kind: u16) -> Step {
    Step::new(&Command::new(code).parameters(&kind.to_be_bytes()), Compare::Exact)
}

/// The next step, of any kind.
fn draw(model: &Model, dice: &mut Dice) -> Step {
    if dice.once_in(5)
        && let Some(step) = policy::use_one(model, dice)
    {
        return step;
    }
    match dice.below(16) {
        0..=2 => platform::step(model, dice),
        3 | 4 => nv::step(model, dice),
        5 | 6 => policy::step(model, dice),
        7 | 8 => session::step(model, dice),
        9 => certificate::step(model, dice),
        10 | 11 => statement::step(model, dice),
        _ => object::step(model, dice),
    }
}

#[cfg(test)]
mod tests;
