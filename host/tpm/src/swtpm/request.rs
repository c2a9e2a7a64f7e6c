//! Requests of the control channel [swtpm_ioctls(3), tpm_ioctl.h].
//!
//! All numbers are big-endian. A request is a number that names it, and a body.
//! Clients send some bodies as the union with the answer, which may be longer:
//! what follows a body is dropped.

/// A request, without bytes that follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// What this side can do.
    GetCapability,
    /// Switch the device on; if it is on, off and on.
    Init,
    /// End the program.
    Shutdown,
    /// Whether a launch was measured.
    GetEstablished,
    /// Where commands of the data channel come from.
    SetLocality(u8),
    HashStart,
    /// So many bytes of data follow.
    HashData(u32),
    HashEnd,
    Cancel,
    StoreVolatile,
    /// Forget that a launch was measured, says this locality.
    ResetEstablished(u8),
    GetState {
        kind: u32,
        offset: u32,
    },
    /// So many bytes of state follow.
    SetState {
        flags: u32,
        kind: u32,
        length: u32,
    },
    /// Switch the device off.
    Stop,
    GetConfig,
    /// A socket comes along: it is a data channel from now on.
    SetDataDescriptor,
    /// Take commands of so many bytes; zero asks how many there may be.
    SetBufferSize(u32),
    GetInfo {
        flags: u64,
        offset: u32,
    },
    LockStorage,
}

/// What some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A request, and what came behind it.
    Whole(Request, &'a [u8]),
    /// The beginning of a request.
    Incomplete,
    /// No request.
    Unknown(u32),
}

/// Reads a request.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let mut reader = Reader(bytes);
    let Some(number) = reader.number() else { return Parsed::Incomplete };
    let request = match number {
        1 => Some(Request::GetCapability),
        // The one flag has the volatile state removed once it was read, which is done
        // in any case.
        2 => reader.number().map(|_flags| Request::Init),
        3 => Some(Request::Shutdown),
        4 => Some(Request::GetEstablished),
        5 => reader.byte().map(Request::SetLocality),
        6 => Some(Request::HashStart),
        7 => reader.number().map(Request::HashData),
        8 => Some(Request::HashEnd),
        9 => Some(Request::Cancel),
        10 => Some(Request::StoreVolatile),
        11 => reader.byte().map(Request::ResetEstablished),
        12 => reader.get_state(),
        13 => reader.set_state(),
        14 => Some(Request::Stop),
        15 => Some(Request::GetConfig),
        16 => Some(Request::SetDataDescriptor),
        17 => reader.number().map(Request::SetBufferSize),
        18 => reader.get_info(),
        19 => reader.number().map(|_tries| Request::LockStorage),
        other => return Parsed::Unknown(other),
    };
    request.map_or(Parsed::Incomplete, |request| Parsed::Whole(request, reader.0))
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    fn number(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn get_state(&mut self) -> Option<Request> {
        let (_flags, kind, offset) = (self.number()?, self.number()?, self.number()?);
        Some(Request::GetState { kind, offset })
    }

    fn set_state(&mut self) -> Option<Request> {
        let (flags, kind, length) = (self.number()?, self.number()?, self.number()?);
        Some(Request::SetState { flags, kind, length })
    }

    fn get_info(&mut self) -> Option<Request> {
        let flags = self.array().map(u64::from_be_bytes)?;
        Some(Request::GetInfo { flags, offset: self.number()? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Parsed, Request, parse};

    #[test]
    fn bodies_may_be_padded() {
        let bare = [0, 0, 0, 5, 3];
        let padded = [0, 0, 0, 5, 3, 0xAA, 0xBB, 0xCC];
        assert_eq!(parse(&bare), Parsed::Whole(Request::SetLocality(3), &[]));
        assert_eq!(parse(&padded), Parsed::Whole(Request::SetLocality(3), &padded[5..]));
    }

    #[test]
    fn beginnings_are_waited_for() {
        let whole = [&[0, 0, 0, 13][..], &[0; 7], &[1], &[0; 3], &[2], b"st"].concat();
        let request = Request::SetState { flags: 0, kind: 1, length: 2 };
        assert_eq!(parse(&whole), Parsed::Whole(request, b"st"));
        for length in 0..16 {
            assert_eq!(parse(&whole[..length]), Parsed::Incomplete, "{length}");
        }
    }

    #[test]
    fn other_numbers_are_no_requests() {
        assert_eq!(parse(b"GET / HTTP/1.1"), Parsed::Unknown(0x4745_5420));
        assert_eq!(parse(&[0; 4]), Parsed::Unknown(0));
        assert_eq!(parse(&[0, 0, 0, 20]), Parsed::Unknown(20));
    }

    proptest! {
        #[test]
        fn more_bytes_change_nothing(bytes in proptest::collection::vec(0..32_u8, 0..40)) {
            let kind = |parsed: Parsed<'_>| match parsed {
                Parsed::Whole(request, _) => Some(Some(request)),
                Parsed::Unknown(_) => Some(None),
                Parsed::Incomplete => None,
            };
            let mut known = None;
            for length in 0..=bytes.len() {
                let now = kind(parse(&bytes[..length]));
                prop_assert!(known.is_none() || known == now);
                known = now;
            }
        }
    }
}
