//! What the device is and has [Part 3 §30].

use alloc::vec::Vec;

use crate::algorithm_list::told;
use crate::call::{Call, Reply};
use crate::commands::properties::{MAX_CAP_BUFFER, properties};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::pcr::{is_guarded, rules};
use crate::state::timer::TIMERS;
use crate::table::COMMANDS;
use crate::wire::algorithm::CurveId;
use crate::wire::codec::Wire;
use crate::wire::handle::{
    ENDORSEMENT, FIRST_HMAC_SESSION, FIRST_TIMER, HandleType, LAST_TIMER, LOCKOUT, NULL, OWNER,
    PASSWORD, PLATFORM, PLATFORM_NV,
};
use crate::wire::pcr::{PCR_COUNT, SELECT_SIZE};

/// The part of a handle below its type.
const NUMBER: u32 = 0x00FF_FFFF;

/// Bytes of the entries that one answer lists, whatever is asked for
/// (MAX_CAP_DATA: TPM_PT_MAX_CAP_BUFFER less the capability and the count)
/// [Part 2 §10.9]. Linux asks for all commands in one answer.
const MAX_DATA: usize = MAX_CAP_BUFFER as usize - 8;

const ALGORITHMS: u32 = 0;
const HANDLES: u32 = 1;
const COMMAND_LIST: u32 = 2;
const PRESENCE_COMMANDS: u32 = 3;
const AUDIT_COMMANDS: u32 = 4;
const PCRS: u32 = 5;
const PROPERTIES: u32 = 6;
const PCR_PROPERTIES: u32 = 7;
const CURVES: u32 = 8;
const POLICIES: u32 = 9;
const TIMER_STATES: u32 = 10;

/// TPM2_GetCapability [Part 3 §30.2].
pub(crate) fn get(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (capability, first, count): (u32, u32, u32) = call.parameters()?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut data = Vec::new();
    let more = match capability {
        ALGORITHMS => {
            let told = told(machine.state.algorithm_set);
            let entries = told.into_iter().map(|(number, attributes)| {
                let mut bytes = number.to_bytes();
                attributes.write(&mut bytes);
                (u32::from(number), bytes)
            });
            list(entries, first, count, &mut data)
        }
        HANDLES => {
            let handles = handles(machine, first)?;
            list(
                handles.into_iter().map(|handle| (handle & NUMBER, handle.to_bytes())),
                first & NUMBER,
                count,
                &mut data,
            )
        }
        COMMAND_LIST => {
            let entries =
                COMMANDS.iter().map(|command| (command.code, command.attributes().to_bytes()));
            list(entries, first, count, &mut data)
        }
        PRESENCE_COMMANDS => {
            let commands = machine.state.presence_commands.iter();
            list(commands.map(|code| (*code, code.to_bytes())), first, count, &mut data)
        }
        CURVES => {
            let curves =
                CurveId::ALL.iter().map(|curve| (u32::from(curve.number()), curve.to_bytes()));
            list(curves, first, count, &mut data)
        }
        AUDIT_COMMANDS => {
            let commands = machine.state.audit.commands.iter();
            list(commands.map(|code| (*code, code.to_bytes())), first, count, &mut data)
        }
        PCRS => {
            if first != 0 {
                return Err(ResponseCode::VALUE.parameter(2));
            }
            let banks = machine.state.pcrs.allocation();
            list(banks.map(|bank| (0, bank.to_bytes())), 0, usize::MAX, &mut data)
        }
        PROPERTIES => {
            let entries = properties(machine).into_iter().map(|(property, value)| {
                let mut bytes = property.to_bytes();
                value.write(&mut bytes);
                (property, bytes)
            });
            list(entries, first, count, &mut data)
        }
        PCR_PROPERTIES => list(pcr_properties().into_iter(), first, count, &mut data),
        POLICIES => {
            if HandleType::of(first) != Some(HandleType::Permanent) {
                return Err(ResponseCode::VALUE.parameter(2));
            }
            list(policies(machine).into_iter(), first, count, &mut data)
        }
        TIMER_STATES => {
            if !(FIRST_TIMER..=LAST_TIMER).contains(&first) {
                return Err(ResponseCode::VALUE.parameter(2));
            }
            list(timers(machine).into_iter(), first, count, &mut data)
        }
        _ => return Err(ResponseCode::VALUE.parameter(1)),
    };
    let mut reply = Reply::EMPTY.with(&more).with(&capability);
    reply.parameters.extend(data);
    Ok(reply)
}

/// Writes up to `count` entries from number `first` on, behind their count, and
/// says whether more follow.
fn list(
    entries: impl Iterator<Item = (u32, Vec<u8>)>,
    first: u32,
    count: usize,
    out: &mut Vec<u8>,
) -> bool {
    let mut rest =
        entries.filter(|(number, _)| *number >= first).map(|(_, bytes)| bytes).peekable();
    let mut listed = Vec::new();
    let mut number: u32 = 0;
    while (number as usize) < count
        && let Some(entry) = rest.next_if(|entry| listed.len() + entry.len() <= MAX_DATA)
    {
        listed.extend(entry);
        number += 1;
    }
    number.write(out);
    out.extend(listed);
    rest.peek().is_some()
}

fn handles(machine: &Machine<'_, '_>, first: u32) -> Result<Vec<u32>, ResponseCode> {
    let state = &*machine.state;
    Ok(match first >> 24 {
        0x00 => (0..PCR_COUNT).collect(),
        0x01 => state.nv.all().map(|(handle, _)| *handle).collect(),
        // Loaded sessions of both kinds, listed by their numbers.
        0x02 => state.sessions.loaded().collect(),
        // Saved ones, whose kind is not told.
        0x03 => {
            let numbers = state.sessions.saved().0.into_iter().map(|session| session.number);
            numbers.map(|number| FIRST_HMAC_SESSION | number).collect()
        }
        0x40 => [OWNER, NULL, PASSWORD, LOCKOUT, ENDORSEMENT, PLATFORM, PLATFORM_NV]
            .into_iter()
            .chain(TIMERS)
            .collect(),
        0x80 => {
            let mut all: Vec<u32> = state.sequences.keys().copied().collect();
            all.extend(state.objects.transient.keys());
            all.sort_unstable();
            all
        }
        0x81 => state.objects.persistent().keys().copied().collect(),
        _ if HandleType::of(first).is_none() => return Err(ResponseCode::HANDLE.parameter(2)),
        _ => Vec::new(),
    })
}

/// TPMS_TAGGED_PCR_SELECT for each TPM_PT_PCR [Part 2 §6.14].
fn pcr_properties() -> Vec<(u32, Vec<u8>)> {
    type Has = fn(u32) -> bool;
    let mut all: Vec<(u32, Has)> = alloc::vec![(0x00, (|pcr| rules(pcr).saved) as Has)];
    for locality in 0..5_u32 {
        let (extend, reset): (Has, Has) = match locality {
            0 => (|pcr| rules(pcr).extend & 1 != 0, |pcr| rules(pcr).reset & 1 != 0),
            1 => (|pcr| rules(pcr).extend & 2 != 0, |pcr| rules(pcr).reset & 2 != 0),
            2 => (|pcr| rules(pcr).extend & 4 != 0, |pcr| rules(pcr).reset & 4 != 0),
            3 => (|pcr| rules(pcr).extend & 8 != 0, |pcr| rules(pcr).reset & 8 != 0),
            _ => (|pcr| rules(pcr).extend & 16 != 0, |pcr| rules(pcr).reset & 16 != 0),
        };
        all.push((1 + 2 * locality, extend));
        all.push((2 + 2 * locality, reset));
    }
    all.push((0x11, |pcr| rules(pcr).uncounted));
    all.push((0x12, |pcr| rules(pcr).dynamic));
    all.push((0x13, is_guarded));
    all.push((0x14, is_guarded));
    all.into_iter()
        .map(|(property, has)| {
            let bits =
                (0..PCR_COUNT).filter(|pcr| has(*pcr)).fold(0_u32, |bits, pcr| bits | (1 << pcr));
            let mut bytes = property.to_bytes();
            bytes.push(3);
            bytes.extend(bits.to_le_bytes().into_iter().take(SELECT_SIZE));
            (property, bytes)
        })
        .collect()
}

/// TPMS_TAGGED_POLICY for each permanent handle that can have a policy; without
/// one its algorithm is TPM_ALG_NULL [Part 2 §10.8.4, §10.9.12].
fn policies(machine: &Machine<'_, '_>) -> Vec<(u32, Vec<u8>)> {
    [OWNER, LOCKOUT, ENDORSEMENT, PLATFORM]
        .into_iter()
        .chain(TIMERS)
        .map(|handle| {
            let (hash, policy) = machine.policy(handle).unzip();
            let mut bytes = handle.to_bytes();
            hash.write(&mut bytes);
            bytes.extend_from_slice(policy.as_deref().unwrap_or_default());
            (handle, bytes)
        })
        .collect()
}

/// TPMS_ACT_DATA of each timer [Part 2 §10.8.5]. That a signal was
/// preserved over a start is never told: power was lost in between.
fn timers(machine: &Machine<'_, '_>) -> Vec<(u32, Vec<u8>)> {
    let now_ms = machine.state.time.time;
    machine
        .state
        .timers
        .all()
        .map(|timer| {
            let mut bytes = timer.handle.to_bytes();
            timer.remaining(now_ms).write(&mut bytes);
            u32::from(timer.is_signaled()).write(&mut bytes);
            (timer.handle, bytes)
        })
        .collect()
}
