//! Message-signalled interrupts.
//!
//! A device raises one by a write of 32 bits to an address that starts with
//! `0xfee` [SDM 3A §11.11]:
//!
//! | address | |
//! |---|---|
//! | 63:20 | `0xfee` |
//! | 19:12 | destination |
//! | 11:4 | reserved |
//! | 3 | redirection hint: one of the destinations suffices |
//! | 2 | destination mode: 0 physical, 1 logical |
//!
//! | data | |
//! |---|---|
//! | 15 | trigger: 0 edge, 1 level |
//! | 14 | level: 0 de-assert, 1 assert; for level trigger only |
//! | 10:8 | delivery mode |
//! | 7:0 | vector |

use crate::message::{DeliveryMode, Destination, DestinationMode, Message, Trigger};

/// Why a write is no message-signalled interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MsiError {
    /// The address does not start with `0xfee`: the write is one to memory.
    #[error("{0:#x} is not an address for interrupt messages, which are 0xfee00000 to 0xfeefffff")]
    Address(u64),
    /// A delivery mode that is reserved: 3 or 6.
    #[error("interrupt message with data {0:#x} has a reserved delivery mode")]
    DeliveryMode(u32),
    /// The message takes a level-triggered interrupt back, which has no effect.
    #[error("interrupt message with data {0:#x} takes an interrupt back")]
    Deassertion(u32),
}

impl Message {
    /// The message that a device sends by writing `data` to `address`. Reserved
    /// bits are ignored, as processors do.
    ///
    /// The redirection hint makes a fixed interrupt one with lowest priority.
    ///
    /// # Errors
    ///
    /// See [`MsiError`]. The write then interrupts nobody.
    pub const fn from_msi(address: u64, data: u32) -> Result<Self, MsiError> {
        if address >> 20 != 0xfee {
            return Err(MsiError::Address(address));
        }
        let bits = data as u64;
        let one_suffices = address & 1 << 3 != 0;
        let delivery_mode = match DeliveryMode::from_bits_10_8(bits) {
            Some(DeliveryMode::Fixed) if one_suffices => DeliveryMode::LowestPriority,
            Some(DeliveryMode::Startup) | None => return Err(MsiError::DeliveryMode(data)),
            Some(mode) => mode,
        };
        let trigger = Trigger::from_bit_15(bits);
        if matches!(trigger, Trigger::Level) && data & 1 << 14 == 0 {
            return Err(MsiError::Deassertion(data));
        }
        let mode = DestinationMode::from_bit(address, 2);
        let destination = Destination::from_byte(mode, (address >> 12) as u8);
        Ok(Self { destination, delivery_mode, vector: data as u8, trigger })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_message() {
        let expected = Message {
            destination: Destination::Physical(3),
            delivery_mode: DeliveryMode::Fixed,
            vector: 0x41,
            trigger: Trigger::Edge,
        };
        assert_eq!(Message::from_msi(0xfee0_3000, 0x41), Ok(expected));
        // Edge-triggered messages have no level.
        assert_eq!(Message::from_msi(0xfee0_3000, 0x4041), Ok(expected));
        let logical = Message { destination: Destination::Logical(3), ..expected };
        assert_eq!(Message::from_msi(0xfee0_3004, 0x41), Ok(logical));
        let everyone = Message { destination: Destination::All, ..expected };
        assert_eq!(Message::from_msi(0xfeef_f004, 0x41), Ok(everyone));
        assert_eq!(Message::from_msi(0xfeef_f000, 0x41), Ok(everyone));
        let level = Message { trigger: Trigger::Level, ..expected };
        assert_eq!(Message::from_msi(0xfee0_3000, 0xc041), Ok(level));
        let nmi = Message { delivery_mode: DeliveryMode::Nmi, vector: 0, ..expected };
        assert_eq!(Message::from_msi(0xfee0_3000, 0x400), Ok(nmi));
    }

    #[test]
    fn redirection_hint_asks_for_one_processor() {
        let message = Message::from_msi(0xfee0_300c, 0x41).unwrap();
        assert_eq!(message.delivery_mode, DeliveryMode::LowestPriority);
        assert_eq!(message.destination, Destination::Logical(3));
        let message = Message::from_msi(0xfee0_300c, 0x400).unwrap();
        assert_eq!(message.delivery_mode, DeliveryMode::Nmi);
    }

    #[test]
    fn what_is_no_message() {
        for address in [0, 0xfedf_ffff, 0xfef0_0000, 0x1_fee0_0000, u64::MAX] {
            assert_eq!(Message::from_msi(address, 0x41), Err(MsiError::Address(address)));
        }
        for data in [0x341, 0x641] {
            assert_eq!(Message::from_msi(0xfee0_0000, data), Err(MsiError::DeliveryMode(data)));
        }
        let data = 0x8041;
        assert_eq!(Message::from_msi(0xfee0_0000, data), Err(MsiError::Deassertion(data)));
    }
}
