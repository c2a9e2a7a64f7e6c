//! Details of exits: port accesses and nested page faults.

use core::fmt;

/// First word of details of [`ExitCode::IO`](crate::ExitCode::IO)
/// [APM 24593 §15.10.2]. The second word is the address of the next
/// instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoExit(pub u64);

/// Which way a port access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoDirection {
    /// IN, INS: to the guest.
    In,
    /// OUT, OUTS: from the guest.
    Out,
}

impl IoExit {
    /// Which way it goes.
    #[must_use]
    pub const fn direction(self) -> IoDirection {
        if self.0 & 1 == 0 { IoDirection::Out } else { IoDirection::In }
    }

    /// Whether it is a string instruction: memory, not RAX, is the other end.
    #[must_use]
    pub const fn is_string(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    /// Whether it has a REP prefix.
    #[must_use]
    pub const fn is_repeated(self) -> bool {
        self.0 & 1 << 3 != 0
    }

    /// Bytes of one access: 1, 2 or 4; `None` if the processor set no size, or
    /// several.
    #[must_use]
    pub const fn size(self) -> Option<u8> {
        match self.0 >> 4 & 0b111 {
            size @ (1 | 2 | 4) => Some(size as u8),
            _ => None,
        }
    }

    /// The port.
    #[must_use]
    pub const fn port(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

/// First word of details of
/// [`ExitCode::NESTED_PAGE_FAULT`](crate::ExitCode::NESTED_PAGE_FAULT)
/// [APM 24593 §15.25.6]. The second word is the guest physical address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NestedFault(u64);

bitflags::bitflags! {
    impl NestedFault: u64 {
        /// A page is mapped there, but the access is not allowed.
        const PRESENT = 1 << 0;
        /// The access was a write.
        const WRITE = 1 << 1;
        /// The access was one of user mode; all of a guest's are.
        const USER = 1 << 2;
        /// A reserved bit is set in a nested page-table entry.
        const RESERVED_BIT = 1 << 3;
        /// The access was an instruction fetch.
        const INSTRUCTION = 1 << 4;
        /// The access was the one that the guest made.
        const FINAL_ADDRESS = 1 << 32;
        /// The access was to one of the guest's page tables.
        const TABLE_WALK = 1 << 33;
    }
}

impl fmt::Display for NestedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bitflags::parser::to_writer(self, f)
    }
}

impl fmt::Debug for NestedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NestedFault({self})")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn port_accesses() {
        let out = IoExit(0x03f8_0210);
        assert_eq!((out.port(), out.size(), out.direction()), (0x3f8, Some(1), IoDirection::Out));
        assert!(!out.is_string() && !out.is_repeated());
        let input = IoExit(0x0060_014d);
        assert_eq!(
            (input.port(), input.size(), input.direction()),
            (0x60, Some(4), IoDirection::In)
        );
        assert!(input.is_string() && input.is_repeated());
        assert_eq!(IoExit(0x30).size(), None);
    }

    #[test]
    fn faults_in_words() {
        let fault = NestedFault::from_bits_retain(0x1_0000_0006);
        assert_eq!(fault, NestedFault::WRITE | NestedFault::USER | NestedFault::FINAL_ADDRESS);
        assert_eq!(fault.to_string(), "WRITE | USER | FINAL_ADDRESS");
    }
}
