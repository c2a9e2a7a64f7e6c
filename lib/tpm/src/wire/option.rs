//! Optional values in the device's own records: a byte says whether one follows.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::codec::{Reader, Wire};

/// Implements [`Wire`] for options of these types.
macro_rules! options {
    ($($value:ty),* $(,)?) => {
        $(impl $crate::wire::codec::Wire for Option<$value> {
            fn write(&self, out: &mut alloc::vec::Vec<u8>) {
                $crate::wire::option::write(self.as_ref(), out);
            }

            fn read(
                from: &mut $crate::wire::codec::Reader<'_>,
            ) -> Result<Self, $crate::response_code::ResponseCode> {
                $crate::wire::option::read(from)
            }
        })*
    };
}
pub(crate) use options;

pub(crate) fn write<T: Wire>(value: Option<&T>, out: &mut Vec<u8>) {
    value.is_some().write(out);
    if let Some(value) = value {
        value.write(out);
    }
}

pub(crate) fn read<T: Wire>(from: &mut Reader<'_>) -> Result<Option<T>, ResponseCode> {
    if bool::read(from)? { T::read(from).map(Some) } else { Ok(None) }
}

options!(bool, u32, u64);
