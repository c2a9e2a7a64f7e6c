//! An entry of the I/O APIC's redirection table: what a pin sends.
//!
//! [82093AA §3.2.4], [ICH9 §13.5.7]
//!
//! | bits | |
//! |---|---|
//! | 63:56 | destination |
//! | 16 | masked |
//! | 15 | trigger: 0 edge, 1 level |
//! | 14 | remote IRR: a level-triggered interrupt was sent and has not ended; read-only |
//! | 13 | polarity: 0 active high, 1 active low |
//! | 12 | delivery status: there is something to send; read-only |
//! | 11 | destination mode: 0 physical, 1 logical |
//! | 10:8 | delivery mode |
//! | 7:0 | vector |
//!
//! Polarity has no effect: the caller says that a pin is active, not at what
//! voltage. The read-only bits live in the I/O APIC.

use crate::message::{DeliveryMode, Destination, DestinationMode, Message, Trigger};

const MASKED: u64 = 1 << 16;
const WRITABLE_LOW: u64 = 0x0001_afff;
const WRITABLE_HIGH: u64 = 0xff00_0000 << 32;

/// The bit that says that there is something to send.
pub(crate) const DELIVERY_STATUS: u32 = 1 << 12;
/// The bit that says that an interrupt was sent and has not ended.
pub(crate) const REMOTE_IRR: u32 = 1 << 14;

/// Which 32 bits of an entry an access is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Low,
    High,
}

/// What software has written to an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Redirection(u64);

impl Redirection {
    /// The entry after reset: masked.
    pub(crate) const RESET: Self = Self(MASKED);

    pub(crate) const fn half(self, half: Half) -> u32 {
        match half {
            Half::Low => self.0 as u32,
            Half::High => (self.0 >> 32) as u32,
        }
    }

    pub(crate) fn set_half(&mut self, half: Half, value: u32) {
        let value = u64::from(value);
        self.0 = match half {
            Half::Low => self.0 & WRITABLE_HIGH | value & WRITABLE_LOW,
            Half::High => value << 32 & WRITABLE_HIGH | self.0 & WRITABLE_LOW,
        };
    }

    pub(crate) const fn is_masked(self) -> bool {
        self.0 & MASKED != 0
    }

    pub(crate) const fn vector(self) -> u8 {
        self.0 as u8
    }

    /// The trigger. Only interrupts with a vector have an end, so that every
    /// other one counts as edge-triggered [82093AA §3.2.4].
    pub(crate) fn trigger(self) -> Trigger {
        let has_end = DeliveryMode::from_bits_10_8(self.0).is_some_and(DeliveryMode::has_vector);
        if has_end { Trigger::from_bit_15(self.0) } else { Trigger::Edge }
    }

    /// What the pin sends; `None` if the delivery mode is reserved.
    pub(crate) fn message(self) -> Option<Message> {
        let delivery_mode = match DeliveryMode::from_bits_10_8(self.0)? {
            DeliveryMode::Startup => return None,
            mode => mode,
        };
        let mode = DestinationMode::from_bit(self.0, 11);
        let destination = Destination::from_byte(mode, (self.0 >> 56) as u8);
        let trigger = self.trigger();
        Some(Message { destination, delivery_mode, vector: self.vector(), trigger })
    }
}
