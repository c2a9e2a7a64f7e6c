//! Which protocols there are, in which versions.

use crate::call_id::Protocol;

/// Is there this version of this protocol? RCX holds the protocol in bits
/// 63:32, the version in bits 31:0 [SVSM 58019 §6.7].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolQuery {
    /// The protocol.
    pub protocol: Protocol,
    /// The version.
    pub version: u32,
}

impl ProtocolQuery {
    /// What this value of RCX asks for.
    #[must_use]
    pub const fn decode(rcx: u64) -> Self {
        Self { protocol: Protocol((rcx >> 32) as u32), version: rcx as u32 }
    }

    /// The value of RCX.
    #[must_use]
    pub const fn encode(self) -> u64 {
        (self.protocol.0 as u64) << 32 | self.version as u64
    }
}

/// Versions of a protocol that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolVersions {
    /// The lowest, at least 1.
    pub lowest: u32,
    /// The highest.
    pub highest: u32,
}

impl ProtocolVersions {
    /// Only this version.
    #[must_use]
    pub const fn only(version: u32) -> Self {
        Self { lowest: version, highest: version }
    }

    /// The answer in RCX to a query for this version: the highest in bits
    /// 63:32, the lowest in bits 31:0; 0 if the version is not among them.
    #[must_use]
    pub const fn answer(self, version: u32) -> u64 {
        if self.lowest <= version && version <= self.highest {
            (self.highest as u64) << 32 | self.lowest as u64
        } else {
            0
        }
    }

    /// What an answer says, `None` if there is no such version or protocol.
    #[must_use]
    pub const fn decode_answer(rcx: u64) -> Option<Self> {
        match rcx {
            0 => None,
            _ => Some(Self { lowest: rcx as u32, highest: (rcx >> 32) as u32 }),
        }
    }
}
