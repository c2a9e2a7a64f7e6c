//! Commands and responses as bytes, for programs that talk to a TPM: headers,
//! handles and passwords [Part 1 §18].

/// TPM_ST_NO_SESSIONS and TPM_ST_SESSIONS.
const NO_SESSIONS: u16 = 0x8001;
const SESSIONS: u16 = 0x8002;
/// TPM_RS_PW: the session that is a password.
const PASSWORD: u32 = 0x4000_0009;
/// Tag, size and code.
const HEADER: usize = 10;

/// A command that is put together.
#[derive(Clone, Debug)]
pub struct Command {
    code: u32,
    handles: Vec<u8>,
    area: Vec<u8>,
    parameters: Vec<u8>,
}

impl Command {
    /// The command with this code (TPM_CC), without handles and parameters.
    #[must_use]
    pub const fn new(code: u32) -> Self {
        Self { code, handles: Vec::new(), area: Vec::new(), parameters: Vec::new() }
    }

    /// With one more handle.
    #[must_use]
    pub fn handle(mut self, handle: u32) -> Self {
        self.handles.extend(handle.to_be_bytes());
        self
    }

    /// With one more handle that a password authorizes.
    #[must_use]
    pub fn authorized(self, handle: u32, password: &[u8]) -> Self {
        let mut command = self.handle(handle);
        command.area.extend(PASSWORD.to_be_bytes());
        command.area.extend([0, 0, 0]);
        command.area.extend(sized(password));
        command
    }

    /// With one more session: its handle, nonce, attributes and HMAC.
    #[must_use]
    pub fn session(mut self, handle: u32, nonce: &[u8], attributes: u8, hmac: &[u8]) -> Self {
        self.area.extend(handle.to_be_bytes());
        self.area.extend(sized(nonce));
        self.area.push(attributes);
        self.area.extend(sized(hmac));
        self
    }

    /// With more parameters.
    #[must_use]
    pub fn parameters(mut self, parameters: &[u8]) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// The command's bytes.
    ///
    /// # Panics
    ///
    /// If it is larger than 4 GiB.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let area = if self.area.is_empty() {
            Vec::new()
        } else {
            [&number(self.area.len()), self.area.as_slice()].concat()
        };
        let tag = if self.area.is_empty() { NO_SESSIONS } else { SESSIONS };
        let size = HEADER + self.handles.len() + area.len() + self.parameters.len();
        [
            &tag.to_be_bytes()[..],
            &number(size),
            &self.code.to_be_bytes(),
            &self.handles,
            &area,
            &self.parameters,
        ]
        .concat()
    }
}

fn number(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("commands are smaller than 4 GiB").to_be_bytes()
}

/// A TPM2B: bytes behind their length.
///
/// # Panics
///
/// If there are more than 65535.
#[must_use]
pub fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a TPM2B has at most 65535 bytes");
    [&length.to_be_bytes()[..], bytes].concat()
}

/// A response taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// TPM_RC.
    pub code: u32,
    /// Handle, parameters and sessions.
    body: &'a [u8],
    with_sessions: bool,
}

impl<'a> Response<'a> {
    /// Takes a response apart. None if it is none.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        let (code, body) = rest.split_first_chunk()?;
        let whole = usize::try_from(u32::from_be_bytes(*size)) == Ok(bytes.len());
        let with_sessions = u16::from_be_bytes(*tag) == SESSIONS;
        whole.then_some(Self { code: u32::from_be_bytes(*code), body, with_sessions })
    }

    /// The handle that a successful response begins with, if it is of a command
    /// that gives one.
    #[must_use]
    pub fn handle(&self) -> Option<u32> {
        self.body.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The parameters, of a command that gives no handle.
    #[must_use]
    pub fn parameters(&self) -> Option<&'a [u8]> {
        parameters(self.body, self.with_sessions)
    }

    /// The parameters behind a handle.
    #[must_use]
    pub fn parameters_after_handle(&self) -> Option<&'a [u8]> {
        parameters(self.body.get(4..)?, self.with_sessions)
    }
}

/// What follows the handle, without the sessions.
fn parameters(body: &[u8], with_sessions: bool) -> Option<&[u8]> {
    if !with_sessions {
        return Some(body);
    }
    let (size, rest) = body.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*size)).ok()?)
}

/// Takes a TPM2B from the front of some bytes. None if they are too few.
#[must_use]
pub fn take_sized<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (content, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    *bytes = rest;
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::{Command, Response, sized, take_sized};

    #[test]
    fn a_command_s_bytes() {
        assert_eq!(
            Command::new(0x17B).parameters(&[0, 4]).bytes(),
            [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, 4]
        );
        let clear = Command::new(0x126).authorized(0x4000_000A, b"pw").bytes();
        assert_eq!(
            clear[..18],
            [0x80, 2, 0, 0, 0, 29, 0, 0, 1, 0x26, 0x40, 0, 0, 0xA, 0, 0, 0, 11]
        );
        assert_eq!(clear[18..], [0x40, 0, 0, 9, 0, 0, 0, 0, 2, b'p', b'w']);
    }

    #[test]
    fn a_response_s_parts() {
        let bytes = [0x80, 2, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0, 1, 0, 0];
        let response = Response::parse(&bytes).unwrap();
        assert_eq!((response.code, response.parameters()), (0, Some(&[7][..])));
        assert_eq!(Response::parse(&bytes[..19]), None);
        assert_eq!(Response::parse(&[0x80]), None);
        let lying = [0x80, 2, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(Response::parse(&lying).unwrap().parameters(), None);
    }

    #[test]
    fn sized_bytes() {
        let mut bytes = &[sized(b"ab"), vec![0, 3, 1]].concat()[..];
        assert_eq!(take_sized(&mut bytes), Some(&b"ab"[..]));
        assert_eq!(take_sized(&mut bytes), None);
        assert_eq!(bytes, [0, 3, 1]);
    }
}
