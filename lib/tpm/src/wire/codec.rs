//! Reading and writing values as they lie on the wire.
//!
//! Big-endian, without padding [TPM 2.0 Part 1 §5.7, Part 2 §4]. A reader works
//! on bytes from outside: every read is checked and says with a response code
//! what is wrong. The position (which parameter) is added by the caller.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;

/// A value with a representation on the wire.
pub(crate) trait Wire: Sized {
    /// Appends the value to `out`.
    fn write(&self, out: &mut Vec<u8>);

    /// Takes a value from the front of `from`.
    ///
    /// # Errors
    ///
    /// The code that Part 2 names for what is wrong, without a position.
    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode>;

    /// The value's bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes);
        bytes
    }

    /// A value that fills `bytes` exactly.
    ///
    /// # Errors
    ///
    /// As [`Wire::read`], and [`ResponseCode::SIZE`] for bytes that are left.
    fn from_bytes(bytes: &[u8]) -> Result<Self, ResponseCode> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

/// Bytes that are read from the front.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], ResponseCode> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(ResponseCode::INSUFFICIENT)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Checks that all was read.
    pub(crate) const fn end(&self) -> Result<(), ResponseCode> {
        if self.rest.is_empty() { Ok(()) } else { Err(ResponseCode::SIZE) }
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {
        $(impl Wire for $integer {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
                let mut bytes = [0; size_of::<$integer>()];
                bytes.copy_from_slice(from.bytes(size_of::<$integer>())?);
                Ok(Self::from_be_bytes(bytes))
            }
        })*
    };
}

integers!(u8, u16, u32, u64, i32);

/// TPMI_YES_NO: zero or one [Part 2 §9.2].
impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        match u8::read(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ResponseCode::VALUE),
        }
    }
}

impl Wire for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        Ok(())
    }
}
