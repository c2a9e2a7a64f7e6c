//! Interrupts that software sends to other processors, or to its own.
//!
//! [APM 24593 §16.5], [SDM 3A §11.6.1]
//!
//! | bits | |
//! |---|---|
//! | 63:56 (xAPIC), 63:32 (x2APIC) | destination |
//! | 19:18 | shorthand: 0 none, 1 self, 2 all, 3 all but self |
//! | 15 | trigger: 0 edge, 1 level |
//! | 14 | level: 0 de-assert, 1 assert |
//! | 12 | delivery status, read-only and always 0: messages arrive at once |
//! | 11 | destination mode: 0 physical, 1 logical |
//! | 10:8 | delivery mode |
//! | 7:0 | vector |
//!
//! Trigger and level count for one command only: the INIT that is taken back
//! and has no effect. Every other message is edge-triggered [SDM 3A §11.6.1].

use crate::apic_base::Mode;
use crate::message::{DeliveryMode, Destination, DestinationMode, Message, Trigger};
use crate::priority::FIRST_VECTOR;

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Nothing that any processor notices, or a combination that the manuals
    /// call invalid.
    Nothing,
    /// An interrupt with the vector of an exception: an error.
    IllegalVector,
    /// An interrupt of the processor itself, with this vector.
    Own(u8),
    /// A message.
    Send(Message),
}

impl Command {
    /// The interrupt that the x2APIC's register for own interrupts asks for.
    pub(crate) const fn own(vector: u8) -> Self {
        if vector < FIRST_VECTOR { Self::IllegalVector } else { Self::Own(vector) }
    }

    /// Decodes a command that the local APIC with number `sender` was given in
    /// `mode`.
    pub(crate) fn decode(bits: u64, mode: Mode, sender: u32) -> Self {
        let Some(delivery_mode) = DeliveryMode::from_bits_10_8(bits) else { return Self::Nothing };
        let vector = bits as u8;
        let is_asserted = bits & 1 << 14 != 0;
        match delivery_mode {
            DeliveryMode::External => return Self::Nothing,
            DeliveryMode::Init if Trigger::from_bit_15(bits) == Trigger::Level && !is_asserted => {
                return Self::Nothing;
            }
            _ if delivery_mode.has_vector() && vector < FIRST_VECTOR => {
                return Self::IllegalVector;
            }
            _ => {}
        }
        let destination = match (bits >> 18 & 3, delivery_mode) {
            (0, _) => Self::destination(bits, mode),
            (1, DeliveryMode::Fixed) => return Self::Own(vector),
            (2, DeliveryMode::Fixed) => Destination::All,
            (3, _) => Destination::AllBut(sender),
            _ => return Self::Nothing,
        };
        Self::Send(Message { destination, delivery_mode, vector, trigger: Trigger::Edge })
    }

    const fn destination(bits: u64, mode: Mode) -> Destination {
        let destination_mode = DestinationMode::from_bit(bits, 11);
        match mode {
            Mode::X2apic => Destination::from_word(destination_mode, (bits >> 32) as u32),
            Mode::Xapic | Mode::Disabled => {
                Destination::from_byte(destination_mode, (bits >> 56) as u8)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(bits: u64, mode: Mode) -> (Destination, DeliveryMode, u8) {
        match Command::decode(bits, mode, 7) {
            Command::Send(Message { destination, delivery_mode, vector, trigger }) => {
                assert_eq!(trigger, Trigger::Edge);
                (destination, delivery_mode, vector)
            }
            other => panic!("{bits:#x} is {other:?}"),
        }
    }

    #[test]
    fn destinations_of_both_modes() {
        let fixed = |destination| (destination, DeliveryMode::Fixed, 0xfd);
        let cases = [
            (0x0300_0000_0000_40fd, Mode::Xapic, Destination::Physical(3)),
            (0x0300_0000_0000_48fd, Mode::Xapic, Destination::Logical(3)),
            (0xff00_0000_0000_40fd, Mode::Xapic, Destination::All),
            (0xff00_0000_0000_48fd, Mode::Xapic, Destination::All),
            (0x0000_00ff_0000_00fd, Mode::X2apic, Destination::Physical(255)),
            (0x0002_0001_0000_08fd, Mode::X2apic, Destination::Logical(0x2_0001)),
            (0xffff_ffff_0000_00fd, Mode::X2apic, Destination::All),
            (0x0000_0000_0008_00fd, Mode::X2apic, Destination::All),
            (0x0300_0000_000c_00fd, Mode::Xapic, Destination::AllBut(7)),
        ];
        for (bits, mode, destination) in cases {
            assert_eq!(sent(bits, mode), fixed(destination), "{bits:#x}");
        }
        assert_eq!(Command::decode(0x4_00fd, Mode::X2apic, 7), Command::Own(0xfd));
    }

    #[test]
    fn init_and_startup() {
        let physical = Destination::Physical(1);
        let init = (physical, DeliveryMode::Init, 0);
        assert_eq!(sent(0x0100_0000_0000_c500, Mode::Xapic), init);
        assert_eq!(sent(0x0100_0000_0000_4500, Mode::Xapic), init);
        let startup = (physical, DeliveryMode::Startup, 0x08);
        assert_eq!(sent(0x0100_0000_0000_4608, Mode::Xapic), startup);
        // Taking INIT back has no effect.
        let command = Command::decode(0x0100_0000_0000_8500, Mode::Xapic, 7);
        assert_eq!(command, Command::Nothing);
    }

    #[test]
    fn what_cannot_be_sent() {
        // Reserved modes; NMI to self, INIT to all.
        for bits in [0x4341, 0x4741, 0x4_4441, 0x8_4541] {
            assert_eq!(Command::decode(bits, Mode::Xapic, 7), Command::Nothing, "{bits:#x}");
        }
        for bits in [0x0f, 0x10f, 0x4_0000, 0x8_0001, 0xc_0002] {
            assert_eq!(Command::decode(bits, Mode::Xapic, 7), Command::IllegalVector, "{bits:#x}");
        }
        assert_eq!(Command::own(15), Command::IllegalVector);
        assert_eq!(Command::own(16), Command::Own(16));
    }
}
