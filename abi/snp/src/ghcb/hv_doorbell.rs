//! The #HV doorbell page: how events arrive under restricted injection.
//!
//! With restricted injection the processor takes nothing from the hypervisor
//! but #HV, which says that something is there; what it is stands in a shared
//! page [GHCB 56421 2.04 ch. 5], [APM 24593 §15.36.16]. Both sides change the
//! first two bytes at any time, so a guest takes them over with one atomic
//! exchange against zero, and a hypervisor adds to them with atomic operations;
//! [`PendingEvents`] is what these two bytes say.

use abi_x86::ExceptionVector;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::ghcb::frame::GuestFrame;
use abi_x86::show_flag_names;

/// Layout of the page. A value of this type is a private copy or an image, not
/// the shared page.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HvDoorbell {
    /// What is pending, see [`PendingEvents`].
    pub pending_events: u16,
    /// Whether the next end of interrupt need not be told.
    pub no_eoi_required: NoEoiRequired,
    _reserved_003: [u8; 0x3d],
    /// The guest's own: the hypervisor does not use it.
    pub available: [u8; 0xfc0],
}

const _: () = {
    use core::mem::offset_of;

    assert!(size_of::<HvDoorbell>() == 0x1000);
    assert!(offset_of!(HvDoorbell, pending_events) == 0x000);
    assert!(offset_of!(HvDoorbell, no_eoi_required) == 0x002);
    assert!(offset_of!(HvDoorbell, available) == 0x040);
};

/// Byte 2 of the page. The hypervisor sets bit 0 when the interrupt that it has
/// delivered needs no EOI; the guest exchanges the byte against 0 before it
/// would signal an EOI, and leaves that out if the bit was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct NoEoiRequired(pub u8);

impl NoEoiRequired {
    /// Whether bit 0 is set.
    #[must_use]
    pub const fn is_set(self) -> bool {
        self.0 & 1 != 0
    }
}

/// Byte 1 of the page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DoorbellFlags(u8);

bitflags::bitflags! {
    impl DoorbellFlags: u8 {
        /// An NMI is pending.
        const NMI = 1 << 0;
        /// A machine check is pending.
        const MACHINE_CHECK = 1 << 1;
        /// `NoFurtherSignal`: #HV has been raised; the hypervisor adds events
        /// without raising it again until the guest clears this bit.
        const NO_FURTHER_SIGNAL = 1 << 7;
    }
}

show_flag_names!(DoorbellFlags);

/// What is pending: bytes 0 and 1 of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingEvents {
    /// Vector of an interrupt, 32 to 255.
    pub interrupt: Option<u8>,
    /// NMI, machine check, and whether #HV was raised.
    pub flags: DoorbellFlags,
}

/// What a hypervisor must not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PendingEventsError {
    /// An exception as an interrupt.
    #[error("hypervisor: #HV doorbell has {0} pending as an interrupt")]
    ExceptionVector(ExceptionVector),
    /// Reserved bits are set.
    #[error("hypervisor: #HV doorbell has reserved bits {0:#x} set")]
    ReservedBits(u16),
}

impl PendingEvents {
    /// First vector that is not an exception's.
    const FIRST_INTERRUPT: u8 = 32;

    /// The two bytes, the vector in bits 7:0.
    #[must_use]
    pub fn encode(self) -> u16 {
        u16::from_le_bytes([self.interrupt.unwrap_or(0), self.flags.bits()])
    }

    /// What `events` says. Vectors below 32 are the processor's: nothing that
    /// arrives this way may look like an exception.
    ///
    /// # Errors
    ///
    /// The field that is wrong.
    pub fn decode(events: u16) -> Result<Self, PendingEventsError> {
        let [vector, flags] = events.to_le_bytes();
        let flags = DoorbellFlags::from_bits_retain(flags);
        let reserved = flags.difference(DoorbellFlags::all()).bits();
        if reserved != 0 {
            return Err(PendingEventsError::ReservedBits(u16::from(reserved) << 8));
        }
        let interrupt = match vector {
            0 => None,
            Self::FIRST_INTERRUPT.. => Some(vector),
            _ => return Err(PendingEventsError::ExceptionVector(ExceptionVector(vector))),
        };
        Ok(Self { interrupt, flags })
    }
}

/// What `SW_EXITINFO1` of `ExitCode::HV_DOORBELL_PAGE` asks for [GHCB 56421 2.04
/// §4.1, "#HV Doorbell Page"].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DoorbellAction {
    /// Return in `SW_EXITINFO2` where the hypervisor would like to have it.
    GetPreferred = 0,
    /// Use the page whose guest physical address is in `SW_EXITINFO2`.
    Set = 1,
    /// Return in `SW_EXITINFO2` which page is in use.
    Query = 2,
    /// Use none.
    Clear = 3,
}

impl DoorbellAction {
    /// `SW_EXITINFO2` of an answer that names no page.
    const NO_PAGE: u64 = u64::MAX;

    /// `SW_EXITINFO1`.
    #[must_use]
    pub const fn encode(self) -> u64 {
        self as u64
    }

    /// What `exit_info_1` asks for, `None` if there is no such action.
    #[must_use]
    pub const fn decode(exit_info_1: u64) -> Option<Self> {
        Some(match exit_info_1 {
            0 => Self::GetPreferred,
            1 => Self::Set,
            2 => Self::Query,
            3 => Self::Clear,
            _ => return None,
        })
    }

    /// `SW_EXITINFO2` of an answer that names this page, or none.
    #[must_use]
    pub fn answer(page: Option<GuestFrame>) -> u64 {
        page.map_or(Self::NO_PAGE, GuestFrame::address)
    }

    /// The page that an answer names in `exit_info_2`: `Some(None)` if it names
    /// none, `None` if that is no page's address.
    #[must_use]
    pub fn answered(exit_info_2: u64) -> Option<Option<GuestFrame>> {
        match exit_info_2 {
            Self::NO_PAGE => Some(None),
            gpa => GuestFrame::at(gpa).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use zerocopy::FromZeros;

    use super::*;

    #[test]
    fn page_is_written_field_by_field() {
        let events = PendingEvents {
            interrupt: Some(0xec),
            flags: DoorbellFlags::NMI | DoorbellFlags::NO_FURTHER_SIGNAL,
        };
        let mut page = HvDoorbell::new_zeroed();
        page.pending_events = events.encode();
        page.no_eoi_required = NoEoiRequired(1);
        page.available[0] = 0x77;
        let bytes = page.as_bytes();
        assert_eq!(bytes[..4], [0xec, 0x81, 1, 0]);
        assert_eq!(bytes[0x3f..0x41], [0, 0x77]);
        assert!(page.no_eoi_required.is_set() && !NoEoiRequired(2).is_set());
    }

    #[test]
    fn every_value_is_judged() {
        let mut good = 0;
        for events in 0..=u16::MAX {
            match PendingEvents::decode(events) {
                Ok(pending) => {
                    assert_eq!(pending.encode(), events);
                    good += 1;
                }
                Err(PendingEventsError::ReservedBits(bits)) => {
                    assert_eq!(bits, events & 0x7c00);
                    assert_ne!(bits, 0);
                }
                Err(PendingEventsError::ExceptionVector(vector)) => {
                    assert_eq!(u16::from(vector.0), events & 0xff);
                    assert!((1..32).contains(&vector.0));
                }
            }
        }
        // No vector or one of 224, and three flags.
        assert_eq!(good, 225 * 8);
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let error = PendingEvents::decode(0x800e).unwrap_err();
        assert_eq!(
            error.to_string(),
            "hypervisor: #HV doorbell has #PF page fault pending as an interrupt"
        );
    }

    #[test]
    fn actions_and_answers() {
        for number in 0..4 {
            assert_eq!(DoorbellAction::decode(number).map(DoorbellAction::encode), Some(number));
        }
        assert_eq!(DoorbellAction::decode(4), None);
        assert_eq!(DoorbellAction::decode(1 << 32), None);
        for page in [None, GuestFrame::at(0), GuestFrame::at(0x7000)] {
            assert_eq!(DoorbellAction::answered(DoorbellAction::answer(page)), Some(page));
        }
        assert_eq!(DoorbellAction::answered(0x7001), None);
        assert_eq!(DoorbellAction::answered(u64::MAX - 0xfff), None);
    }
}
