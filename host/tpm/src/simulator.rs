//! The protocol of Microsoft's simulator: commands on one port, signals of the
//! platform on the next [TpmTcpProtocol.h of the reference implementation].
//!
//! All numbers are big-endian. Every request is answered with what it asks for
//! and then a zero; one that is not known with a one, after which the connection
//! is closed.

use rustix::io::Errno;
use tpm::PhysicalPresence;

use crate::appliance::{Appliance, LARGEST_COMMAND, Shared, StoreAccess, turn};
use crate::ending::Ending;
use crate::link::{Link, PATIENCE};

/// Answers after a request.
const DONE: [u8; 4] = 0_u32.to_be_bytes();
const REFUSED: [u8; 4] = 1_u32.to_be_bytes();

/// The largest command that is taken off the line; the device refuses it long
/// before.
const LARGEST_MESSAGE: usize = 1 << 20;

/// Numbers that no locality has [Part 1 §3.2, *from memory*].
const NO_LOCALITIES: std::ops::RangeInclusive<u8> = 5..=31;

/// Version of the protocol.
const VERSION: u32 = 1;
/// The platform's port is there, and physical presence can be signalled.
const ENDPOINT: u32 = 0x1 | 0x8;

/// Requests of both ports.
mod request {
    pub(super) const POWER_ON: u32 = 1;
    pub(super) const POWER_OFF: u32 = 2;
    pub(super) const PRESENCE_ON: u32 = 3;
    pub(super) const PRESENCE_OFF: u32 = 4;
    pub(super) const HASH_START: u32 = 5;
    pub(super) const HASH_DATA: u32 = 6;
    pub(super) const HASH_END: u32 = 7;
    pub(super) const SEND_COMMAND: u32 = 8;
    pub(super) const CANCEL_ON: u32 = 9;
    pub(super) const CANCEL_OFF: u32 = 10;
    pub(super) const NV_ON: u32 = 11;
    pub(super) const NV_OFF: u32 = 12;
    pub(super) const KEY_CACHE_ON: u32 = 13;
    pub(super) const KEY_CACHE_OFF: u32 = 14;
    pub(super) const HANDSHAKE: u32 = 15;
    pub(super) const RESET: u32 = 17;
    pub(super) const RESTART: u32 = 18;
    pub(super) const SESSION_END: u32 = 20;
    pub(super) const STOP: u32 = 21;
}

/// Serves the port for commands.
///
/// # Errors
///
/// The connection is broken.
pub(crate) fn serve_commands(link: &Link, shared: &Shared) -> Result<Ending, Errno> {
    loop {
        let Some(number) = next(link)? else { return Ok(Ending::Left) };
        let answer = match number {
            request::HASH_START => on(turn(shared).hash_start()),
            request::HASH_END => on(turn(shared).hash_end()),
            request::HASH_DATA => {
                let Some(data) = message(link)? else { return Ok(Ending::Left) };
                on(turn(shared).hash_data(&data))
            }
            request::SEND_COMMAND => {
                let mut locality = [0];
                if !link.receive_all(&mut locality, Some(PATIENCE))? {
                    return Ok(Ending::Left);
                }
                let Some(command) = message(link)? else { return Ok(Ending::Left) };
                if NO_LOCALITIES.contains(&locality[0]) {
                    return refuse(link);
                }
                // A device without power answers with nothing.
                let response = turn(shared).execute(link.number, locality[0], &command);
                let response = response.unwrap_or_default();
                let length = u32::try_from(response.len()).map_err(|_| Errno::OVERFLOW)?;
                [&length.to_be_bytes(), response.as_slice(), &DONE].concat()
            }
            request::HANDSHAKE => {
                let mut version = [0; 4];
                if !link.receive_all(&mut version, Some(PATIENCE))? {
                    return Ok(Ending::Left);
                }
                [VERSION.to_be_bytes(), ENDPOINT.to_be_bytes(), DONE].concat()
            }
            request::SESSION_END => return Ok(Ending::Left),
            request::STOP => return Ok(Ending::Stop),
            _ => return refuse(link),
        };
        link.send(&answer)?;
    }
}

/// Serves the port for signals of the platform.
///
/// # Errors
///
/// The connection is broken.
pub(crate) fn serve_platform(link: &Link, shared: &Shared) -> Result<Ending, Errno> {
    loop {
        let Some(number) = next(link)? else { return Ok(Ending::Left) };
        let done = match number {
            request::SESSION_END => return Ok(Ending::Left),
            request::STOP => return Ok(Ending::Stop),
            other => signal(other, &mut turn(shared)),
        };
        if !done {
            return refuse(link);
        }
        link.send(&DONE)?;
    }
}

/// Acts on a signal. False if there is none with this number, or if what it
/// asks for cannot be done.
fn signal(number: u32, appliance: &mut Appliance) -> bool {
    match number {
        // A device that has power keeps it.
        request::POWER_ON if appliance.is_on() => true,
        // The reference implementation restarts the processor with its memory;
        // here both lose power, as a reset of the platform is a TPM reset.
        request::POWER_ON | request::RESET | request::RESTART => match appliance.power_on() {
            Ok(()) => true,
            Err(error) => {
                appliance.journal().warn(&format!("the device does not switch on: {error}"));
                false
            }
        },
        request::POWER_OFF => {
            appliance.power_off();
            true
        }
        request::PRESENCE_ON => {
            appliance.set_presence(PhysicalPresence::Asserted);
            true
        }
        request::PRESENCE_OFF => {
            appliance.set_presence(PhysicalPresence::Absent);
            true
        }
        request::NV_ON => {
            appliance.set_store_access(StoreAccess::Granted);
            true
        }
        request::NV_OFF => {
            appliance.set_store_access(StoreAccess::Withheld);
            true
        }
        // Whoever has the turn has no command under way that could be
        // cancelled; no keys are made in advance.
        request::CANCEL_ON
        | request::CANCEL_OFF
        | request::KEY_CACHE_ON
        | request::KEY_CACHE_OFF => true,
        _ => false,
    }
}

/// The next request's number; none if the other side has left.
fn next(link: &Link) -> Result<Option<u32>, Errno> {
    let mut number = [0; 4];
    let whole = link.receive_all(&mut number, None)?;
    link.touch();
    link.acknowledge();
    Ok(whole.then_some(u32::from_be_bytes(number)))
}

/// Bytes behind their length. Of a message that is too large only so many are
/// kept that the device sees it. None if they do not come or are far too many.
fn message(link: &Link) -> Result<Option<Vec<u8>>, Errno> {
    let mut length = [0; 4];
    if !link.receive_all(&mut length, Some(PATIENCE))? {
        return Ok(None);
    }
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Errno::OVERFLOW)?;
    if length > LARGEST_MESSAGE {
        return Ok(None);
    }
    let mut bytes = vec![0; length.min(LARGEST_COMMAND + 1)];
    let whole = link.receive_all(&mut bytes, Some(PATIENCE))? && link.skip(length - bytes.len())?;
    Ok(whole.then_some(bytes))
}

fn on(done: bool) -> Vec<u8> {
    if done { DONE.to_vec() } else { REFUSED.to_vec() }
}

fn refuse(link: &Link) -> Result<Ending, Errno> {
    link.send(&REFUSED)?;
    Ok(Ending::Left)
}
