//! Guest messages: how a guest and the security processor talk past the host.
//!
//! A message is one page: a header and an encrypted payload. The host carries
//! it and can neither read nor change it, because each privilege level of the
//! guest shares a key with the security processor ([`Vmpck`](crate::Vmpck)) and
//! every message has a number of its own. The host can lose messages, hold
//! them back and repeat them [SNP ABI 56860 ch. 7 and §8.26].
//!
//! Here are the frame and what all payloads have in common. The payloads stand
//! beside what they are about: [`ReportRequest`](crate::ReportRequest),
//! [`DerivedKeyRequest`](crate::DerivedKeyRequest),
//! [`TscInfoRequest`](crate::TscInfoRequest),
//! [`CpuidRequest`](crate::CpuidRequest). Sealing and opening, with the
//! rules about numbers, is the work of `snp-messages`.

mod message;
mod message_type;
mod request;
mod status;

pub use message::{AeadAlgorithm, GuestMessage, MessageHeader, MessageMetadata, VmpckId};
pub use message_type::MessageType;
pub use request::GuestRequest;
pub use status::FirmwareStatus;
