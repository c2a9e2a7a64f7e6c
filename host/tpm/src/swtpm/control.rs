//! The control channel: power, locality, launches, state.
//!
//! What is announced as a capability works; all are. State is read at any time and
//! replaced while the device is stopped: first the permanent state, then the
//! volatile one that belongs to it, as QEMU does when it loads a snapshot or a
//! guest comes from another host. The blobs hold secrets in the clear, as the state
//! folder does.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;
use tpm::identity::{
    FIRMWARE_VERSION, MANUFACTURER, MODEL, SPECIFICATION_LEVEL, SPECIFICATION_REVISION,
};
use zeroize::Zeroizing;

use super::request::{Parsed, Request, parse};
use crate::appliance::{Appliance, LARGEST_COMMAND, Shared, turn};
use crate::ending::Ending;
use crate::link::{Heard, Link, PATIENCE};

/// Results [TPM Main Specification Part 2 §16].
const SUCCESS: u32 = 0;
const BAD_PARAMETER: u32 = 3;
const FAIL: u32 = 9;
const BAD_ORDINAL: u32 = 0xA;
const BAD_LOCALITY: u32 = 0x3D;

/// PTM_CAP_*: all but a header around commands on the data channel (bit 15).
const CAPABILITIES: u64 = 0b1_0111_1111_1111_1111;

/// Localities of a PC client.
const LOCALITIES: u8 = 5;
/// Localities that may say that no launch was measured [PC Client PTP §6.5.2.3,
/// *from memory*].
const LAUNCHERS: [u8; 2] = [3, 4];

/// PTM_BLOB_TYPE_*.
const PERMANENT: u32 = 1;
const VOLATILE: u32 = 2;
const SAVED: u32 = 3;
/// PTM_STATE_FLAG_ENCRYPTED.
const ENCRYPTED: u32 = 2;
/// The largest state that is taken.
const LARGEST_STATE: usize = 16 << 20;
/// It is received in parts of so many bytes.
const STATE_PART: usize = 64 << 10;

/// Parts of the information that can be asked for.
const SPECIFICATION: u64 = 1;
const ATTRIBUTES: u64 = 2;

/// What the channel works on.
pub(crate) struct Context<'a> {
    pub(crate) shared: &'a Shared,
    /// Where commands of the data channel come from.
    pub(crate) locality: &'a AtomicU8,
    /// Serves a socket as a data channel.
    pub(crate) adopt: &'a dyn Fn(OwnedFd),
}

/// Answers requests until the other side leaves or asks for the end.
///
/// # Errors
///
/// The connection is broken.
pub(crate) fn serve(link: &Link, context: &Context<'_>) -> Result<Ending, Errno> {
    // Room for any request and some of the data that follow it.
    let mut buffer = Zeroizing::new(vec![0; LARGEST_COMMAND]);
    loop {
        let (heard, descriptor) = link.receive_with_descriptor(&mut buffer)?;
        let Heard::Bytes(mut length) = heard else { return Ok(Ending::Left) };
        link.touch();
        let answer = loop {
            match parse(buffer.get(..length).unwrap_or_default()) {
                Parsed::Whole(Request::HashData(count), begun) => {
                    break Some(hash(link, context, begun, count)?);
                }
                Parsed::Whole(Request::SetState { flags, kind, length }, begun) => {
                    break Some(set_state(link, context, (flags, kind, length), begun)?);
                }
                Parsed::Whole(Request::SetDataDescriptor, _) => {
                    break Some(adopt(context, descriptor));
                }
                Parsed::Whole(Request::Shutdown, _) => {
                    turn(context.shared).power_off();
                    link.send(&result(SUCCESS))?;
                    return Ok(Ending::Stop);
                }
                Parsed::Whole(request, _) => {
                    break Some(answer(request, &mut turn(context.shared), context.locality));
                }
                Parsed::Unknown(_) => break Some(result(BAD_ORDINAL)),
                Parsed::Incomplete => {
                    let rest = buffer.get_mut(length..).unwrap_or_default();
                    match link.receive(rest, Some(PATIENCE))? {
                        Heard::Bytes(count) => length += count,
                        Heard::Nothing => break Some(result(BAD_PARAMETER)),
                        Heard::End => break None,
                    }
                }
            }
        };
        let Some(answer) = answer else { return Ok(Ending::Left) };
        link.send(&answer)?;
    }
}

fn result(code: u32) -> Vec<u8> {
    code.to_be_bytes().to_vec()
}

/// A successful result with a body.
fn success(parts: &[&[u8]]) -> Vec<u8> {
    [&SUCCESS.to_be_bytes(), parts.concat().as_slice()].concat()
}

/// Answers a request that nothing follows.
fn answer(request: Request, appliance: &mut Appliance, locality: &AtomicU8) -> Vec<u8> {
    let needs_power = matches!(
        request,
        Request::GetEstablished
            | Request::ResetEstablished(_)
            | Request::HashStart
            | Request::HashEnd
            | Request::Cancel
    );
    if needs_power && !appliance.is_on() {
        return result(BAD_ORDINAL);
    }
    match request {
        Request::GetCapability => CAPABILITIES.to_be_bytes().to_vec(),
        Request::Init => init(appliance),
        Request::Stop => {
            appliance.power_off();
            result(SUCCESS)
        }
        // One byte, and three that fill the structure.
        Request::GetEstablished => success(&[&[u8::from(appliance.is_established()), 0, 0, 0]]),
        Request::ResetEstablished(from) if LAUNCHERS.contains(&from) => {
            appliance.reset_established();
            result(SUCCESS)
        }
        Request::SetLocality(new) if new < LOCALITIES => {
            locality.store(new, Ordering::Relaxed);
            result(SUCCESS)
        }
        Request::ResetEstablished(_) | Request::SetLocality(_) => result(BAD_LOCALITY),
        Request::HashStart => {
            appliance.hash_start();
            result(SUCCESS)
        }
        Request::HashEnd => {
            appliance.hash_end();
            result(SUCCESS)
        }
        // Whoever holds the turn has no command under way.
        Request::Cancel => result(SUCCESS),
        // The folder is locked from start to end.
        Request::LockStorage => result(SUCCESS),
        Request::StoreVolatile => match appliance.keep_volatile_state() {
            Ok(true) => result(SUCCESS),
            Ok(false) => result(BAD_ORDINAL),
            Err(_) => result(FAIL),
        },
        // No keys: the state is not encrypted.
        Request::GetConfig => success(&[&[0; 4]]),
        // The size is always the same. Another one may only be asked for while the
        // device is stopped or was not used.
        Request::SetBufferSize(wanted) if wanted != 0 && is_at_work(appliance) => {
            result(BAD_ORDINAL)
        }
        Request::SetBufferSize(_) => {
            let size = (LARGEST_COMMAND as u32).to_be_bytes();
            success(&[&size, &size, &size])
        }
        Request::GetInfo { flags, offset } => get_info(flags, offset),
        Request::GetState { kind, offset } => get_state(appliance, kind, offset),
        Request::HashData(_)
        | Request::SetState { .. }
        | Request::SetDataDescriptor
        | Request::Shutdown => {
            unreachable!("requests that bytes, descriptors or the end follow are taken before")
        }
    }
}

/// Whether the device has power and was used since it got it.
const fn is_at_work(appliance: &Appliance) -> bool {
    appliance.is_on() && appliance.is_used()
}

/// Switches the device on, off before if it is on. One that was not used since it
/// was switched on stays as it is: the program begins with power, and what it goes
/// on from then is there once.
fn init(appliance: &mut Appliance) -> Vec<u8> {
    if appliance.is_on() && !is_at_work(appliance) {
        return result(SUCCESS);
    }
    match appliance.power_on() {
        Ok(()) => result(SUCCESS),
        Err(error) => {
            appliance.journal().warn(&format!("the device does not switch on: {error}"));
            result(FAIL)
        }
    }
}

fn adopt(context: &Context<'_>, descriptor: Option<OwnedFd>) -> Vec<u8> {
    match descriptor {
        Some(descriptor) => {
            (context.adopt)(descriptor);
            result(SUCCESS)
        }
        None => result(BAD_PARAMETER),
    }
}

/// Gives data to the hash sequence as they come.
fn hash(link: &Link, context: &Context<'_>, begun: &[u8], count: u32) -> Result<Vec<u8>, Errno> {
    let mut left = usize::try_from(count).map_err(|_| Errno::OVERFLOW)?;
    let begun = begun.get(..left).unwrap_or(begun);
    let mut on = turn(context.shared).hash_data(begun);
    left -= begun.len();
    let mut data = [0; LARGEST_COMMAND];
    while left > 0 {
        let wanted = left.min(data.len());
        let part = data.get_mut(..wanted).unwrap_or_default();
        if !link.receive_all(part, Some(PATIENCE))? {
            return Ok(result(FAIL));
        }
        on = turn(context.shared).hash_data(part);
        left -= wanted;
    }
    Ok(result(if on { SUCCESS } else { BAD_ORDINAL }))
}

fn get_state(appliance: &mut Appliance, kind: u32, offset: u32) -> Vec<u8> {
    let state = match kind {
        PERMANENT => appliance.permanent_state(),
        VOLATILE => appliance.volatile_state(),
        // What TPM2_Shutdown saves is part of the permanent state.
        SAVED => Ok(Zeroizing::default()),
        _ => return result(BAD_PARAMETER),
    };
    let Ok(state) = state else { return result(FAIL) };
    let rest = usize::try_from(offset).ok().and_then(|offset| state.get(offset..));
    let Some(rest) = rest else { return result(BAD_PARAMETER) };
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    success(&[&[0; 4], &number(state.len()), &number(rest.len()), rest])
}

fn set_state(
    link: &Link,
    context: &Context<'_>,
    (flags, kind, length): (u32, u32, u32),
    begun: &[u8],
) -> Result<Vec<u8>, Errno> {
    let length = usize::try_from(length).map_err(|_| Errno::OVERFLOW)?;
    let begun = begun.get(..length).unwrap_or(begun);
    let usable = flags & ENCRYPTED == 0
        && length <= LARGEST_STATE
        && (matches!(kind, PERMANENT | VOLATILE) || (kind == SAVED && length == 0));
    if !usable {
        let whole = link.skip(length - begun.len())?;
        return Ok(result(if whole { BAD_PARAMETER } else { FAIL }));
    }
    // Empty: what TPM2_Shutdown saves is part of the permanent state.
    if kind == SAVED {
        return Ok(result(SUCCESS));
    }
    let Some(state) = receive_state(link, length, begun)? else { return Ok(result(FAIL)) };
    let mut appliance = turn(context.shared);
    let replaced = match kind {
        VOLATILE => appliance.replace_volatile_state(&state),
        _ => appliance.replace_permanent_state(&state),
    };
    Ok(result(match replaced {
        Ok(()) => SUCCESS,
        Err(error) => {
            appliance.journal().warn(&format!("the state is not replaced: {error}"));
            FAIL
        }
    }))
}

/// Receives a state of this length, of which a part has come. None if the rest
/// does not come. It takes no more room than has come: a length is soon said.
fn receive_state(
    link: &Link,
    length: usize,
    begun: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, Errno> {
    let mut parts = vec![Zeroizing::new(begun.to_vec())];
    let mut left = length - begun.len();
    while left > 0 {
        let mut part = Zeroizing::new(vec![0; left.min(STATE_PART)]);
        if !link.receive_all(&mut part, Some(PATIENCE))? {
            return Ok(None);
        }
        left -= part.len();
        parts.push(part);
    }
    // With its final capacity from the start: growing would leave copies behind.
    let mut state = Zeroizing::new(Vec::with_capacity(length));
    parts.iter().for_each(|part| state.extend_from_slice(part));
    Ok(Some(state))
}

/// What swtpm tells about a TPM, in its words.
fn get_info(flags: u64, offset: u32) -> Vec<u8> {
    let text = information(flags);
    // The text ends with a zero byte, which counts.
    let text = [text.as_bytes(), &[0]].concat();
    let rest = usize::try_from(offset).ok().and_then(|offset| text.get(offset..));
    let Some(rest) = rest else { return result(BAD_PARAMETER) };
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    success(&[&number(text.len()), &number(rest.len()), rest])
}

fn information(flags: u64) -> String {
    let mut parts = Vec::new();
    if flags & SPECIFICATION != 0 {
        parts.push(format!(
            r#""TPMSpecification":{{"family":"2.0","level":{SPECIFICATION_LEVEL},"revision":{SPECIFICATION_REVISION}}}"#
        ));
    }
    if flags & ATTRIBUTES != 0 {
        let manufacturer: String = MANUFACTURER.iter().map(|byte| format!("{byte:02X}")).collect();
        let model = String::from_utf8_lossy(&MODEL).trim_end_matches('\0').to_owned();
        let [version, _] = FIRMWARE_VERSION;
        parts.push(format!(
            r#""TPMAttributes":{{"manufacturer":"id:{manufacturer}","version":"id:{version:08X}","model":"{model}"}}"#
        ));
    }
    format!("{{{}}}", parts.join(","))
}
