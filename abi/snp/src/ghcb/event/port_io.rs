//! Port input and output.

/// What `SW_EXITINFO1` of `ExitCode::PORT_IO` says, as the processor's own exit
/// for port I/O does [APM 24593 §15.10.2].
///
/// | bits | meaning |
/// |---|---|
/// | 31:16 | port |
/// | 12:10 | segment of the memory operand |
/// | 9, 8, 7 | 64, 32 or 16 bits of address |
/// | 6, 5, 4 | 32, 16 or 8 bits of data |
/// | 3 | repeat prefix |
/// | 2 | string |
/// | 0 | input |
///
/// Segment, address size and repeat prefix only matter for strings, and even
/// then not to a hypervisor that takes the data from the buffer; guests fill
/// them in as they like, so they are not checked against the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortIo {
    /// The port.
    pub port: u16,
    /// In or out.
    pub direction: PortIoDirection,
    /// Bytes in each element.
    pub width: PortIoWidth,
    /// One element or a string.
    pub operation: PortIoOperation,
    /// Whether there is a repeat prefix.
    pub repeat: PortIoRepeat,
    /// Size of addresses, `None` if it is not given.
    pub address_size: Option<AddressSize>,
    /// Segment of the memory operand.
    pub segment: PortIoSegment,
}

/// Which way the data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortIoDirection {
    /// From the guest to the port.
    Out,
    /// From the port to the guest.
    In,
}

/// Bytes that one access to a port moves; the number is that of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PortIoWidth {
    /// 8 bits.
    One = 1,
    /// 16 bits.
    Two = 2,
    /// 32 bits.
    Four = 4,
}

/// How many elements, and where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortIoOperation {
    /// One, in RAX: IN and OUT.
    Single,
    /// Any number, in memory: INS and OUTS.
    String,
}

/// Whether the instruction has a repeat prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortIoRepeat {
    /// No.
    Once,
    /// Yes; `SW_EXITINFO2` is the number of elements.
    Repeated,
}

/// Size of the addresses that an instruction uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AddressSize {
    /// 16 bits.
    Bits16 = 1,
    /// 32 bits.
    Bits32 = 2,
    /// 64 bits.
    Bits64 = 4,
}

/// A segment register, by the number that instructions and descriptions of
/// exits have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PortIoSegment {
    /// ES, and what is there if there is no memory operand.
    Es = 0,
    /// CS.
    Cs = 1,
    /// SS.
    Ss = 2,
    /// DS.
    Ds = 3,
    /// FS.
    Fs = 4,
    /// GS.
    Gs = 5,
}

/// What can be wrong with `SW_EXITINFO1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortIoError {
    /// Reserved bits are set.
    #[error("port I/O has reserved bits {0:#x} set")]
    ReservedBits(u64),
    /// Bits 6:4 are not exactly one size.
    #[error("port I/O has data size bits {0:#b}, possible are 1, 10 and 100")]
    Width(u8),
    /// Bits 9:7 are more than one size.
    #[error("port I/O has address size bits {0:#b}, possible are none, 1, 10 and 100")]
    AddressSize(u8),
    /// No such segment register.
    #[error("port I/O has segment {0}, possible are 0 to 5")]
    Segment(u8),
}

const IN: u64 = 1 << 0;
const STRING: u64 = 1 << 2;
const REPEATED: u64 = 1 << 3;
const RESERVED: u64 = 0xffff_ffff << 32 | 7 << 13 | 1 << 1;

impl PortIo {
    /// One element, without anything that only strings need.
    #[must_use]
    pub const fn single(direction: PortIoDirection, port: u16, width: PortIoWidth) -> Self {
        Self {
            port,
            direction,
            width,
            operation: PortIoOperation::Single,
            repeat: PortIoRepeat::Once,
            address_size: None,
            segment: PortIoSegment::Es,
        }
    }

    /// `SW_EXITINFO1`.
    #[must_use]
    pub const fn encode(self) -> u64 {
        let direction = match self.direction {
            PortIoDirection::Out => 0,
            PortIoDirection::In => IN,
        };
        let operation = match self.operation {
            PortIoOperation::Single => 0,
            PortIoOperation::String => STRING,
        };
        let repeat = match self.repeat {
            PortIoRepeat::Once => 0,
            PortIoRepeat::Repeated => REPEATED,
        };
        let address_size = match self.address_size {
            None => 0,
            Some(size) => size as u64,
        };
        (self.port as u64) << 16
            | (self.segment as u64) << 10
            | address_size << 7
            | (self.width as u64) << 4
            | repeat
            | operation
            | direction
    }

    /// What `exit_info_1` says.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn decode(exit_info_1: u64) -> Result<Self, PortIoError> {
        if exit_info_1 & RESERVED != 0 {
            return Err(PortIoError::ReservedBits(exit_info_1 & RESERVED));
        }
        let three_bits = |shift: u32| (exit_info_1 >> shift) as u8 & 7;
        let is_set = |bit| exit_info_1 & bit != 0;
        Ok(Self {
            port: (exit_info_1 >> 16) as u16,
            direction: if is_set(IN) { PortIoDirection::In } else { PortIoDirection::Out },
            width: match three_bits(4) {
                1 => PortIoWidth::One,
                2 => PortIoWidth::Two,
                4 => PortIoWidth::Four,
                other => return Err(PortIoError::Width(other)),
            },
            operation: if is_set(STRING) {
                PortIoOperation::String
            } else {
                PortIoOperation::Single
            },
            repeat: if is_set(REPEATED) { PortIoRepeat::Repeated } else { PortIoRepeat::Once },
            address_size: match three_bits(7) {
                0 => None,
                1 => Some(AddressSize::Bits16),
                2 => Some(AddressSize::Bits32),
                4 => Some(AddressSize::Bits64),
                other => return Err(PortIoError::AddressSize(other)),
            },
            segment: match three_bits(10) {
                0 => PortIoSegment::Es,
                1 => PortIoSegment::Cs,
                2 => PortIoSegment::Ss,
                3 => PortIoSegment::Ds,
                4 => PortIoSegment::Fs,
                5 => PortIoSegment::Gs,
                other => return Err(PortIoError::Segment(other)),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_where_the_manual_puts_them() {
        let out = PortIo::single(PortIoDirection::Out, 0x3f8, PortIoWidth::One);
        assert_eq!(out.encode(), 0x03f8_0010);
        let input = PortIo::single(PortIoDirection::In, 0xcfc, PortIoWidth::Four);
        assert_eq!(input.encode(), 0x0cfc_0041);
        // REP OUTSW with a 64-bit DS:RSI, as Linux describes it.
        let string = PortIo {
            operation: PortIoOperation::String,
            repeat: PortIoRepeat::Repeated,
            address_size: Some(AddressSize::Bits64),
            segment: PortIoSegment::Ds,
            ..PortIo::single(PortIoDirection::Out, 0x402, PortIoWidth::Two)
        };
        assert_eq!(string.encode(), 0x0402_0e2c);
    }

    #[test]
    fn impossible_fields_are_refused() {
        for (info, error) in [
            (0x12, PortIoError::ReservedBits(2)),
            (0x2010, PortIoError::ReservedBits(0x2000)),
            (1 << 32 | 0x10, PortIoError::ReservedBits(1 << 32)),
            (0x00, PortIoError::Width(0)),
            (0x30, PortIoError::Width(3)),
            (0x70, PortIoError::Width(7)),
            (0x190, PortIoError::AddressSize(3)),
            (0x1810, PortIoError::Segment(6)),
            (0x1c10, PortIoError::Segment(7)),
        ] {
            assert_eq!(PortIo::decode(info), Err(error), "{info:#x}");
        }
    }

    #[test]
    fn every_value_with_a_low_word_that_decodes_is_its_encoding() {
        let mut count = 0;
        for low in 0..=0xffff {
            let info = 0xabcd_0000 | low;
            if let Ok(io) = PortIo::decode(info) {
                assert_eq!(io.encode(), info);
                assert_eq!(io.port, 0xabcd);
                count += 1;
            }
        }
        // Directions, operations, prefixes, widths, address sizes, segments.
        assert_eq!(count, 2 * 2 * 2 * 3 * 4 * 6);
    }

    proptest! {
        #[test]
        fn any_value_is_judged(info in any::<u64>()) {
            if let Ok(io) = PortIo::decode(info) {
                prop_assert_eq!(io.encode(), info);
            }
        }
    }
}
