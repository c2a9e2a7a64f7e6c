//! What a message asks for or answers.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Open enumeration of message types [SNP ABI 56860 §8.26, table "Message Type
/// Encodings"]. Requests are odd; the answer to each has the next number.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(transparent)]
pub struct MessageType(pub u8);

impl MessageType {
    /// Asks which CPUID values the processor can stand for.
    pub const CPUID_REQUEST: Self = Self(1);
    /// Answers [`Self::CPUID_REQUEST`].
    pub const CPUID_RESPONSE: Self = Self(2);
    /// Asks for a key that is derived for this guest.
    pub const KEY_REQUEST: Self = Self(3);
    /// Answers [`Self::KEY_REQUEST`].
    pub const KEY_RESPONSE: Self = Self(4);
    /// Asks for an attestation report.
    pub const REPORT_REQUEST: Self = Self(5);
    /// Answers [`Self::REPORT_REQUEST`].
    pub const REPORT_RESPONSE: Self = Self(6);
    /// A migration agent asks for the context of a guest that leaves.
    pub const EXPORT_REQUEST: Self = Self(7);
    /// Answers [`Self::EXPORT_REQUEST`].
    pub const EXPORT_RESPONSE: Self = Self(8);
    /// A migration agent hands over the context of a guest that arrives.
    pub const IMPORT_REQUEST: Self = Self(9);
    /// Answers [`Self::IMPORT_REQUEST`].
    pub const IMPORT_RESPONSE: Self = Self(10);
    /// A migration agent replaces the context of a guest by another.
    pub const ABSORB_REQUEST: Self = Self(11);
    /// Answers [`Self::ABSORB_REQUEST`].
    pub const ABSORB_RESPONSE: Self = Self(12);
    /// A migration agent sets the root key of a guest (VMRK).
    pub const VMRK_REQUEST: Self = Self(13);
    /// Answers [`Self::VMRK_REQUEST`].
    pub const VMRK_RESPONSE: Self = Self(14);
    /// A guest without a migration agent replaces its own context.
    pub const ABSORB_NO_AGENT_REQUEST: Self = Self(15);
    /// Answers [`Self::ABSORB_NO_AGENT_REQUEST`].
    pub const ABSORB_NO_AGENT_RESPONSE: Self = Self(16);
    /// Asks for the parameters of the guest's time stamp counter.
    pub const TSC_INFO_REQUEST: Self = Self(17);
    /// Answers [`Self::TSC_INFO_REQUEST`].
    pub const TSC_INFO_RESPONSE: Self = Self(18);

    /// The type of the answer to a request of this type; `None` for 255, which
    /// can have none.
    #[must_use]
    pub const fn response(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The type's name, if it is one that this version knows.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::CPUID_REQUEST => "CPUID request",
            Self::CPUID_RESPONSE => "CPUID response",
            Self::KEY_REQUEST => "key request",
            Self::KEY_RESPONSE => "key response",
            Self::REPORT_REQUEST => "report request",
            Self::REPORT_RESPONSE => "report response",
            Self::EXPORT_REQUEST => "export request",
            Self::EXPORT_RESPONSE => "export response",
            Self::IMPORT_REQUEST => "import request",
            Self::IMPORT_RESPONSE => "import response",
            Self::ABSORB_REQUEST => "absorb request",
            Self::ABSORB_RESPONSE => "absorb response",
            Self::VMRK_REQUEST => "VMRK request",
            Self::VMRK_RESPONSE => "VMRK response",
            Self::ABSORB_NO_AGENT_REQUEST => "absorb request without agent",
            Self::ABSORB_NO_AGENT_RESPONSE => "absorb response without agent",
            Self::TSC_INFO_REQUEST => "TSC information request",
            Self::TSC_INFO_RESPONSE => "TSC information response",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(MessageType);

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;

    #[test]
    fn each_request_has_its_response() {
        for number in (1..18).step_by(2) {
            let request = MessageType(number);
            let response = request.response().unwrap();
            let (asked, answered) = (request.name().unwrap(), response.name().unwrap());
            assert_eq!(asked.replace("request", "response"), answered);
        }
        assert_eq!(MessageType(u8::MAX).response(), None);
    }

    #[test]
    fn unknown_types_show_their_number() {
        assert_eq!(MessageType(0).to_string(), "unknown (0x0)");
        assert_eq!(MessageType(19).to_string(), "unknown (0x13)");
        assert_eq!(MessageType::REPORT_REQUEST.to_string(), "report request");
    }
}
