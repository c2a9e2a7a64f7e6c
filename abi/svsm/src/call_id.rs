//! Which call of which protocol: RAX.

/// Open enumeration of protocols [SVSM 58019 §5, table 3].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u32);

impl Protocol {
    /// Memory, processors, and which other protocols there are.
    pub const CORE: Self = Self(0);
    /// Reports about the module's services.
    pub const ATTESTATION: Self = Self(1);
    /// A TPM.
    pub const VTPM: Self = Self(2);
    /// Interrupts of a guest whose host cannot inject any; later than revision
    /// 1.00, the number is in public software.
    pub const APIC: Self = Self(3);
    /// Services of UEFI management mode, variables above all; later than
    /// revision 1.00, the number is in public software.
    pub const UEFI_MM: Self = Self(4);

    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::CORE => "core",
            Self::ATTESTATION => "attestation",
            Self::VTPM => "vTPM",
            Self::APIC => "APIC",
            Self::UEFI_MM => "UEFI MM",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(Protocol);

/// What RAX says when a guest calls: the protocol in bits 63:32, its call in
/// bits 31:0 [SVSM 58019 §5].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId {
    /// The protocol.
    pub protocol: Protocol,
    /// The number of the call within it.
    pub call: u32,
}

impl CallId {
    /// What this value of RAX says.
    #[must_use]
    pub const fn decode(rax: u64) -> Self {
        Self { protocol: Protocol((rax >> 32) as u32), call: rax as u32 }
    }

    /// The value of RAX.
    #[must_use]
    pub const fn encode(self) -> u64 {
        (self.protocol.0 as u64) << 32 | self.call as u64
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn protocol_above_call() {
        let id = CallId::decode(0x0000_0002_0000_0001);
        assert_eq!(id, CallId { protocol: Protocol::VTPM, call: 1 });
        assert_eq!(id.encode(), 0x0000_0002_0000_0001);
        assert_eq!(CallId::decode(u64::MAX).encode(), u64::MAX);
    }

    #[test]
    fn names() {
        assert_eq!(Protocol::ATTESTATION.to_string(), "attestation");
        assert_eq!(Protocol(0x8000_0000).to_string(), "unknown (0x80000000)");
    }
}
