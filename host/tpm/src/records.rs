//! The state file: all records of a device in one piece.
//!
//! Numbers are big-endian. The file is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `svsm-tpm` |
//! | 4 | version of this format, now 1 |
//! | 8 | bytes from the first to the last of all this; more may follow, and mean nothing |
//! | 8 | generation: of two files the one with the higher number is the newer |
//! | 4 | number of records |
//! | | each record: key (4), length (4), content |
//! | 32 | SHA-256 of all the above |
//!
//! What is in a record only the device knows. The digest finds damage, not
//! malice: whoever can write the file can write another digest.

use sha2::{Digest, Sha256};
use tpm::Records;
use zeroize::Zeroizing;

/// How the file begins.
const MAGIC: [u8; 8] = *b"svsm-tpm";
/// The version written, and the newest that is read.
const VERSION: u32 = 1;
/// Bytes in front of the records: magic, version, length, generation, number.
const HEADER: usize = 32;
/// Bytes of the digest at the end.
const DIGEST: usize = 32;

/// Why a file does not hold records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It begins with something else.
    #[error("it is no state of this device")]
    Foreign,
    /// It was written by a newer program.
    #[error("it has version {found}, this program knows {VERSION}: use the newer program")]
    Newer {
        /// The version found.
        found: u32,
    },
    /// Its digest does not hold, or it does not add up.
    #[error("it is damaged: put a copy in its place, or begin with an empty folder")]
    Damaged,
}

/// The file's content.
pub(crate) fn encode(records: &Records, generation: u64) -> Zeroizing<Vec<u8>> {
    let contents: usize = records.values().map(|content| content.len() + 8).sum();
    let length = HEADER + contents + DIGEST;
    // With its final capacity from the start: growing would leave copies behind.
    let mut file = Zeroizing::new(Vec::with_capacity(length));
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&VERSION.to_be_bytes());
    file.extend_from_slice(&(length as u64).to_be_bytes());
    file.extend_from_slice(&generation.to_be_bytes());
    file.extend_from_slice(&number(records.len()).to_be_bytes());
    for (key, content) in records {
        file.extend_from_slice(&key.to_be_bytes());
        file.extend_from_slice(&number(content.len()).to_be_bytes());
        file.extend_from_slice(content);
    }
    let digest = Sha256::digest(&*file);
    file.extend_from_slice(&digest);
    file
}

fn number(length: usize) -> u32 {
    u32::try_from(length).expect("the device bounds how many records there are and their sizes")
}

/// Reads the file's content: records and their generation.
///
/// # Errors
///
/// [`FormatError`].
pub(crate) fn decode(file: &[u8]) -> Result<(Records, u64), FormatError> {
    let mut rest = file.strip_prefix(&MAGIC).ok_or(FormatError::Foreign)?;
    let found = take_number(&mut rest).ok_or(FormatError::Damaged)?;
    if found > VERSION {
        return Err(FormatError::Newer { found });
    }
    let (length, rest) = rest.split_first_chunk().ok_or(FormatError::Damaged)?;
    let (generation, _) = rest.split_first_chunk().ok_or(FormatError::Damaged)?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok();
    let whole = length.and_then(|length| file.get(..length)).ok_or(FormatError::Damaged)?;
    let (content, digest) = whole.split_last_chunk::<DIGEST>().ok_or(FormatError::Damaged)?;
    if Sha256::digest(content).as_slice() != digest {
        return Err(FormatError::Damaged);
    }
    // The number of records is the last part of the header.
    let body = content.get(HEADER - 4..).and_then(take_records);
    Ok((body.ok_or(FormatError::Damaged)?, u64::from_be_bytes(*generation)))
}

fn take_records(mut body: &[u8]) -> Option<Records> {
    let count = take_number(&mut body)?;
    let mut records = Records::new();
    for _ in 0..count {
        let key = take_number(&mut body)?;
        let length = usize::try_from(take_number(&mut body)?).ok()?;
        let (content, after) = body.split_at_checked(length)?;
        body = after;
        if records.insert(key, Zeroizing::new(content.to_vec())).is_some() {
            return None;
        }
    }
    body.is_empty().then_some(records)
}

fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};
    use tpm::Records;
    use zeroize::Zeroizing;

    use super::{FormatError, decode, encode};

    fn sample() -> Records {
        let record = |key, content: &[u8]| (key, Zeroizing::new(content.to_vec()));
        Records::from([record(0, b"core"), record(0x0180_0001, b""), record(0x8100_0001, b"key")])
    }

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(decode(&encode(&sample(), 7)), Ok((sample(), 7)));
        assert_eq!(decode(&encode(&Records::new(), 0)), Ok((Records::new(), 0)));
        let longer = [&encode(&sample(), u64::MAX)[..], b"what was there before"].concat();
        assert_eq!(decode(&longer), Ok((sample(), u64::MAX)));
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let file = encode(&sample(), 7);
        for position in 0..file.len() {
            let mut changed = file.clone();
            changed[position] ^= 1;
            assert!(decode(&changed).is_err(), "{position}");
            assert!(decode(&file[..position]).is_err(), "{position}");
        }
    }

    #[test]
    fn foreign_and_newer_files_are_told_apart() {
        assert_eq!(decode(b""), Err(FormatError::Foreign));
        assert_eq!(decode(b"#!/bin/sh, and more of it"), Err(FormatError::Foreign));
        let newer = [&b"svsm-tpm"[..], &[0, 0, 0, 2]].concat();
        assert_eq!(decode(&newer), Err(FormatError::Newer { found: 2 }));
    }

    fn sealed(body: &[u8]) -> Vec<u8> {
        let length = (28 + body.len() + 32) as u64;
        let header = [&b"svsm-tpm\0\0\0\x01"[..], &length.to_be_bytes(), &[0; 8]].concat();
        let content = [&header[..], body].concat();
        let digest = Sha256::digest(&content);
        [content, digest.to_vec()].concat()
    }

    #[test]
    fn lengths_that_lie_are_refused_whatever_the_digest() {
        assert_eq!(decode(&sealed(&[0; 4])), Ok((Records::new(), 0)));
        for body in [
            &b"\0\0\0\x01"[..],
            b"\0\0\0\x01\0\0\0\0\xff\xff\xff\xff",
            b"\xff\xff\xff\xff",
            b"\0\0\0\0!",
            // Twice the same key.
            b"\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ] {
            assert_eq!(decode(&sealed(body)), Err(FormatError::Damaged), "{body:x?}");
        }
    }

    proptest! {
        #[test]
        fn no_content_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&body);
            let _ = decode(&sealed(&body));
        }
    }
}
