//! The page in which a guest announces its calls.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// A calling area [SVSM 58019 §5, table 2]: a page of the guest's, one for each
/// processor. The first is named by the secrets page, the guest names others.
///
/// In memory it is only ever touched byte by byte: both sides change it.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CallingArea {
    /// Whether the guest wants a call: see [`CallPending`]. The guest writes 1
    /// and asks the host to run the module; the module writes 0 when the call
    /// is over. The guest then exchanges it with 0, and only if it was 0
    /// already did the module answer.
    pub call_pending: u8,
    /// Not zero if there are pages that the guest can withdraw.
    pub memory_available: u8,
    /// Not zero if the interrupt in service needs no end-of-interrupt; of the
    /// APIC protocol, from memory.
    pub no_eoi_required: u8,
    /// Free; the module does not look at it.
    pub reserved: [u8; 5],
    /// For lists and structures that calls name; the guest may use any other
    /// memory as well.
    pub buffer: [u8; CallingArea::BUFFER_SIZE],
}

impl CallingArea {
    /// Bytes of a calling area.
    pub const SIZE: usize = 4096;
    /// Bytes of [`Self::buffer`].
    pub const BUFFER_SIZE: usize = Self::SIZE - Self::BUFFER_OFFSET;
    /// Where [`Self::call_pending`] stands, in bytes.
    pub const CALL_PENDING_OFFSET: usize = 0;
    /// Where [`Self::memory_available`] stands, in bytes.
    pub const MEMORY_AVAILABLE_OFFSET: usize = 1;
    /// Where [`Self::buffer`] begins, in bytes.
    pub const BUFFER_OFFSET: usize = 8;

    /// An area in which nothing is announced.
    #[must_use]
    pub fn zeroed() -> Self {
        Self::new_zeroed()
    }
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<CallingArea>() == CallingArea::SIZE);
    assert!(offset_of!(CallingArea, call_pending) == CallingArea::CALL_PENDING_OFFSET);
    assert!(offset_of!(CallingArea, memory_available) == CallingArea::MEMORY_AVAILABLE_OFFSET);
    assert!(offset_of!(CallingArea, buffer) == CallingArea::BUFFER_OFFSET);
};

/// Whether the guest wants a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPending {
    /// No: the host ran the module on its own account. Nothing is to be done,
    /// and no register changes.
    No,
    /// Yes.
    Yes,
    /// A reserved value: the answer is
    /// [`ResultCode::INVALID_FORMAT`](crate::ResultCode::INVALID_FORMAT).
    Reserved(u8),
}

impl CallPending {
    /// What this value of [`CallingArea::call_pending`] says.
    #[must_use]
    pub const fn decode(byte: u8) -> Self {
        match byte {
            0 => Self::No,
            1 => Self::Yes,
            other => Self::Reserved(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending() {
        assert_eq!(CallPending::decode(CallingArea::zeroed().call_pending), CallPending::No);
        assert_eq!(CallPending::decode(1), CallPending::Yes);
        assert_eq!(CallPending::decode(2), CallPending::Reserved(2));
        assert_eq!(CallPending::decode(0x81), CallPending::Reserved(0x81));
    }
}
