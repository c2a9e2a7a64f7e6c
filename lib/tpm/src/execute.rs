//! How a command goes through the device [Part 1 §18; Part 3 §5].

use alloc::vec::Vec;

use crate::authorization::{self, Authorization};
use crate::call::Call;
use crate::commands::properties::MAX_COMMAND;
use crate::dispatch::dispatch;
use crate::machine::Machine;
use crate::request::Request;
use crate::response_area;
use crate::response_code::ResponseCode;
use crate::table::{Command, Traits};
use crate::vendor::VendorCommands;
use crate::wire::codec::{Reader, Wire};
use crate::wire::structure::Name;

/// TPM_ST_NO_SESSIONS.
const NO_SESSIONS: u16 = 0x8001;
/// TPM_ST_SESSIONS.
const SESSIONS: u16 = 0x8002;
/// TPM_ST_RSP_COMMAND: the tag of the answer to a tag that is none.
const RESPONSE_TO_BAD_TAG: u16 = 0x00C4;
/// Tag, size and code.
const HEADER: usize = 10;
/// The least that an authorization takes.
const MIN_AUTHORIZATION: usize = 9;

/// Executes one command and gives the response's bytes.
pub(crate) fn execute(machine: &mut Machine<'_, '_>, locality: u8, bytes: &[u8]) -> Vec<u8> {
    match run(machine, locality, bytes) {
        Ok(response) => response,
        Err(code) => refusal(machine, code),
    }
}

/// A response that is only a code. Failure of the device itself is remembered.
pub(crate) fn refusal(machine: &mut Machine<'_, '_>, code: ResponseCode) -> Vec<u8> {
    if code == ResponseCode::FAILURE {
        machine.state.failed = true;
    }
    let tag = if code == ResponseCode::BAD_TAG { RESPONSE_TO_BAD_TAG } else { NO_SESSIONS };
    response(tag, code, &[])
}

/// The answer to a command of the vendor's own.
pub(crate) fn answer_vendor(
    machine: &mut Machine<'_, '_>,
    vendor: &mut dyn VendorCommands,
    code: u32,
    parameters: &[u8],
) -> Vec<u8> {
    let answer = if machine.state.failed {
        Err(ResponseCode::FAILURE)
    } else if machine.state.started {
        vendor.execute(code, parameters)
    } else {
        Err(ResponseCode::INITIALIZE)
    };
    match answer {
        Ok(body) if body.len() <= MAX_COMMAND - HEADER => {
            response(NO_SESSIONS, ResponseCode::SUCCESS, &body)
        }
        Ok(_) => response(NO_SESSIONS, ResponseCode::SIZE, &[]),
        Err(code) => response(NO_SESSIONS, code, &[]),
    }
}

fn response(tag: u16, code: ResponseCode, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(HEADER + body.len()).expect("responses are bounded by MAX_COMMAND");
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    tag.write(&mut bytes);
    size.write(&mut bytes);
    code.0.write(&mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

fn run(machine: &mut Machine<'_, '_>, locality: u8, bytes: &[u8]) -> Result<Vec<u8>, ResponseCode> {
    let mut reader = Reader::new(bytes);
    let (tag, command) = read_header(&mut reader, bytes.len())?;
    check_mode(machine, command)?;
    let handles = read_handles(machine, command, &mut reader)?;
    let names: Vec<Name> = handles.iter().map(|handle| machine.name(*handle)).collect();
    let mut authorizations = if tag == SESSIONS {
        read_authorizations(machine, command, &handles, &mut reader)?
    } else if command.authorizations() > 0 {
        return Err(ResponseCode::AUTH_MISSING);
    } else {
        Vec::new()
    };
    let request = Request { command, names: &names, parameters: reader.rest(), locality };
    authorization::check(machine, &request, &mut authorizations)?;
    let audit_hash = machine.state.audit.hash;
    let command_audit =
        machine.state.audit.commands.contains(&command.code).then(|| request.hash(audit_hash));
    let session_audit = response_area::audit_hashes(machine, &request, &authorizations);
    let mut parameters = reader.rest().to_vec();
    authorization::decrypt(machine, &authorizations, &mut parameters)?;
    let call = Call { handles: &handles, parameters: &parameters, locality };
    let mut reply = dispatch(machine, command.code, &call)?;
    response_area::note_exclusive(machine, command, &authorizations);
    let mut body = reply.handle.map(|handle| handle.to_bytes()).unwrap_or_default();
    if tag == NO_SESSIONS {
        body.extend_from_slice(&reply.parameters);
    } else {
        let area = response_area::answer(
            machine,
            command.code,
            &authorizations,
            &session_audit,
            &mut reply.parameters,
        )?;
        u32::try_from(reply.parameters.len())
            .expect("responses are bounded by MAX_COMMAND")
            .write(&mut body);
        body.extend_from_slice(&reply.parameters);
        body.extend_from_slice(&area);
    }
    // As it is sent, first parameter encrypted or not. The command that chooses
    // another hash begins nothing with it.
    if let Some(hash) = command_audit.filter(|_| machine.state.audit.hash == audit_hash) {
        let answer = response_area::response_hash(command.code, &reply.parameters, audit_hash);
        machine.state.audit.record(&hash, &answer);
    }
    if let Some(handle) = reply.ended {
        machine.state.sequences.remove(&handle);
    }
    zeroize::Zeroize::zeroize(parameters.as_mut_slice());
    Ok(response(tag, ResponseCode::SUCCESS, &body))
}

fn read_header(
    reader: &mut Reader<'_>,
    length: usize,
) -> Result<(u16, &'static Command), ResponseCode> {
    let short = |_| ResponseCode::COMMAND_SIZE;
    let tag = u16::read(reader).map_err(short)?;
    if tag != NO_SESSIONS && tag != SESSIONS {
        return Err(ResponseCode::BAD_TAG);
    }
    let size = u32::read(reader).map_err(short)?;
    if usize::try_from(size) != Ok(length) || length > MAX_COMMAND {
        return Err(ResponseCode::COMMAND_SIZE);
    }
    let code = u32::read(reader).map_err(short)?;
    Ok((tag, Command::find(code).ok_or(ResponseCode::COMMAND_CODE)?))
}

/// Whether the command can be answered in the device's mode.
fn check_mode(machine: &Machine<'_, '_>, command: &Command) -> Result<(), ResponseCode> {
    // A device that fails says so even before its start [Part 1 §12.4].
    if machine.state.failed {
        let answered = command.traits.contains(Traits::IN_FAILURE);
        return if answered { Ok(()) } else { Err(ResponseCode::FAILURE) };
    }
    if machine.state.started == command.traits.contains(Traits::STARTUP) {
        return Err(ResponseCode::INITIALIZE);
    }
    Ok(())
}

fn read_handles(
    machine: &Machine<'_, '_>,
    command: &Command,
    reader: &mut Reader<'_>,
) -> Result<Vec<u32>, ResponseCode> {
    let mut handles = Vec::new();
    for (row, number) in command.handles.iter().zip(1..) {
        let handle = u32::read(reader).map_err(|error| error.handle(number))?;
        row.kind.check(handle).map_err(|error| error.handle(number))?;
        handles.push(handle);
    }
    for (handle, number) in handles.iter().zip(1..) {
        machine.check_reference(*handle).map_err(|error| {
            if error == ResponseCode::REFERENCE_H0 {
                ResponseCode::reference_handle(number)
            } else {
                error.handle(number)
            }
        })?;
    }
    Ok(handles)
}

fn read_authorizations(
    machine: &Machine<'_, '_>,
    command: &'static Command,
    handles: &[u32],
    reader: &mut Reader<'_>,
) -> Result<Vec<Authorization>, ResponseCode> {
    let size = u32::read(reader)?;
    let size = usize::try_from(size).map_err(|_| ResponseCode::SIZE)?;
    if size < MIN_AUTHORIZATION {
        return Err(ResponseCode::SIZE);
    }
    let area = reader.bytes(size).map_err(|_| ResponseCode::SIZE)?;
    if command.traits.contains(Traits::NO_SESSIONS) {
        return Err(ResponseCode::AUTH_CONTEXT);
    }
    authorization::read(machine, command, handles, area)
}
