//! The data channel: a command goes in, its response comes out, nothing around
//! them.
//!
//! A command ends where its header says. What has come by then belongs to it,
//! so bytes beyond that end make it a command of a wrong size, which the device
//! answers. A command that does not go on for a second, or that is larger than
//! any, is given to the device as it is and answered likewise: after each answer
//! the channel is ready for the next command.

use std::sync::atomic::{AtomicU8, Ordering};

use rustix::io::Errno;

use crate::appliance::{LARGEST_COMMAND, Shared, failure, turn};
use crate::ending::Ending;
use crate::link::{Heard, Link, PATIENCE};

/// Tag, size and code.
const HEADER: usize = 10;
/// Bytes behind a command that is too large that are dropped before it is
/// answered.
const DROPPED: usize = 1 << 20;

/// Answers commands until the other side leaves. They come from where
/// `locality` says at the time.
///
/// # Errors
///
/// The connection is broken.
pub(crate) fn serve(link: &Link, shared: &Shared, locality: &AtomicU8) -> Result<Ending, Errno> {
    // One byte more than a command may have, so that a larger one is seen.
    let mut buffer = vec![0; LARGEST_COMMAND + 1];
    while let Some(length) = receive(link, &mut buffer)? {
        link.touch();
        let locality = locality.load(Ordering::Relaxed);
        let command = buffer.get(..length).unwrap_or_default();
        let response = turn(shared).execute(link.number, locality, command);
        link.send(&response.unwrap_or_else(failure))?;
    }
    Ok(Ending::Left)
}

/// Receives a command and gives its length; none if the other side has left.
fn receive(link: &Link, buffer: &mut [u8]) -> Result<Option<usize>, Errno> {
    let mut length = 0;
    loop {
        let patience = (length > 0).then_some(PATIENCE);
        match link.receive(buffer.get_mut(length..).unwrap_or_default(), patience)? {
            Heard::Bytes(count) => length += count,
            Heard::Nothing => return Ok(Some(length)),
            Heard::End => return Ok(None),
        }
        if length == buffer.len() {
            drop_rest(link)?;
            return Ok(Some(length));
        }
        if is_complete(buffer.get(..length).unwrap_or_default()) {
            return Ok(Some(length));
        }
    }
}

fn is_complete(bytes: &[u8]) -> bool {
    let size = bytes.get(2..).and_then(|rest| rest.first_chunk());
    let size = size.and_then(|size| usize::try_from(u32::from_be_bytes(*size)).ok());
    // A size that is smaller than a header is wrong, and the header is waited
    // for. One that is too large would be waited for in vain.
    bytes.len() >= HEADER && size.is_some_and(|size| size <= bytes.len() || size > LARGEST_COMMAND)
}

/// Drops what is on its way behind a command that is too large.
fn drop_rest(link: &Link) -> Result<(), Errno> {
    let mut dropped = [0; 4096];
    let mut total = 0;
    while total < DROPPED {
        match link.receive(&mut dropped, Some(PATIENCE / 10))? {
            Heard::Bytes(count) => total += count,
            Heard::Nothing | Heard::End => break,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn a_command_ends_where_its_header_says() {
        let command = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0];
        assert!(is_complete(&command));
        assert!(is_complete(&[&command[..], b"more"].concat()));
        for length in 0..command.len() {
            assert!(!is_complete(&command[..length]), "{length}");
        }
    }

    #[test]
    fn wrong_sizes_wait_for_no_more_than_a_header() {
        for size in [0_u32, 9, 4097, u32::MAX] {
            let bytes = [&[0x80, 1][..], &size.to_be_bytes(), &[0; 4]].concat();
            assert!(is_complete(&bytes), "{size}");
            assert!(!is_complete(&bytes[..9]), "{size}");
        }
    }
}
