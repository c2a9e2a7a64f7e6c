//! Sized buffers and lists (TPM2B, TPML).

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroize;

use crate::response_code::ResponseCode;
use crate::wire::codec::{Reader, Wire};

/// A TPM2B of up to `MAX` bytes [Part 2 §10.4]. Many hold secrets, so all are
/// wiped when dropped, and none shows its bytes.
#[derive(Clone, Default, Eq, PartialOrd, Ord)]
pub(crate) struct Buffer<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Buffer<MAX> {
    pub(crate) const EMPTY: Self = Self(Vec::new());

    /// A buffer with these bytes, which the caller knows to fit.
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        assert!(bytes.len() <= MAX, "made from a value whose size is bounded by MAX");
        Self(bytes)
    }

    /// The bytes without zeros at the end: how authorization values are kept
    /// [Part 1 §17.6.4.3, *from memory*].
    pub(crate) fn without_trailing_zeros(&self) -> Self {
        let length = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        Self(self.0.iter().take(length).copied().collect())
    }
}

impl<const MAX: usize> PartialEq for Buffer<MAX> {
    fn eq(&self, other: &Self) -> bool {
        // The state is compared after every command, and most of its buffers are
        // empty. An empty vector points nowhere, and the `memcmp` of the GNU C
        // library takes 100 ns to find that out on processors with AVX-512: it
        // reads first and masks what there is not, which the processor has to
        // sort out.
        self.0.len() == other.0.len() && (self.0.is_empty() || self.0 == other.0)
    }
}

impl<const MAX: usize> Deref for Buffer<MAX> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MAX: usize> Drop for Buffer<MAX> {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl<const MAX: usize> fmt::Debug for Buffer<MAX> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "[{} bytes]", self.0.len())
    }
}

impl<const MAX: usize> Wire for Buffer<MAX> {
    fn write(&self, out: &mut Vec<u8>) {
        put_size(self.0.len(), out);
        out.extend_from_slice(&self.0);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let length = usize::from(u16::read(from)?);
        if length > MAX {
            return Err(ResponseCode::SIZE);
        }
        Ok(Self(from.bytes(length)?.to_vec()))
    }
}

/// A structure behind its size, which must be exact and not zero
/// [Part 2 §10.4].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sized16<T>(pub(crate) T);

impl<T: Wire> Wire for Sized16<T> {
    fn write(&self, out: &mut Vec<u8>) {
        let bytes = self.0.to_bytes();
        put_size(bytes.len(), out);
        out.extend_from_slice(&bytes);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let length = usize::from(u16::read(from)?);
        if length == 0 {
            return Err(ResponseCode::SIZE);
        }
        read_exactly(from, length).map(Self)
    }
}

/// As [`Sized16`], where zero bytes mean that the structure is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Optional16<T>(pub(crate) Option<T>);

impl<T: Wire> Wire for Optional16<T> {
    fn write(&self, out: &mut Vec<u8>) {
        let bytes = self.0.as_ref().map(Wire::to_bytes).unwrap_or_default();
        put_size(bytes.len(), out);
        out.extend_from_slice(&bytes);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let length = usize::from(u16::read(from)?);
        if length == 0 {
            return Ok(Self(None));
        }
        read_exactly(from, length).map(|value| Self(Some(value)))
    }
}

/// A structure that has to take `length` bytes. What is wrong inside is told
/// before that it does not, as elsewhere.
fn read_exactly<T: Wire>(from: &mut Reader<'_>, length: usize) -> Result<T, ResponseCode> {
    let before = from.rest().len();
    let value = T::read(from)?;
    if before - from.rest().len() == length { Ok(value) } else { Err(ResponseCode::SIZE) }
}

/// A TPML of up to `MAX` elements [Part 2 §10.9].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct List<T, const MAX: usize>(pub(crate) Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    pub(crate) const EMPTY: Self = Self(Vec::new());
}

impl<T: Wire, const MAX: usize> Wire for List<T, MAX> {
    fn write(&self, out: &mut Vec<u8>) {
        u32::try_from(self.0.len()).expect("lists are bounded by MAX, far below 2^32").write(out);
        for element in &self.0 {
            element.write(out);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let count = usize::try_from(u32::read(from)?).map_err(|_| ResponseCode::SIZE)?;
        if count > MAX {
            return Err(ResponseCode::SIZE);
        }
        (0..count).map(|_| T::read(from)).collect::<Result<_, _>>().map(Self)
    }
}

fn put_size(length: usize, out: &mut Vec<u8>) {
    u16::try_from(length)
        .expect("sized values are bounded far below 64 KiB by their types")
        .write(out);
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn buffers_are_equal_if_their_bytes_are() {
        let [empty, one, other, longer]: [Buffer<4>; 4] =
            [&[][..], &[1], &[2], &[1, 0]].map(Buffer::new);
        assert_eq!(empty, Buffer::EMPTY);
        assert_eq!(one, Buffer::new([1]));
        for (left, right) in [(&empty, &one), (&one, &other), (&one, &longer), (&longer, &empty)] {
            assert_ne!(left, right);
            assert_ne!(right, left);
        }
    }
}
