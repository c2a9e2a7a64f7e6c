//! Sealing and opening SEV-SNP guest messages.
//!
//! A guest and the security processor send each other sealed messages through
//! the host. [`Channel`] is the guest's end for one of the keys (VMPCK) that it
//! finds in its secrets page; [`Responder`] is the security processor's end, for
//! a simulated one. Neither does I/O: they turn payloads into
//! [`GuestMessage`](abi_snp::GuestMessage)s and back. Layouts and payloads are those of `abi-snp`; the
//! calls to the host are those of whoever uses this.
//!
//! # What a seal promises
//!
//! Messages are encrypted with AES-256-GCM. The nonce is the message's sequence
//! number, and the last 48 bytes of the header are authenticated along with the
//! payload [SNP ABI 56860 §8.26]. Bytes 10 to 1F and 28 to 2F of the header are
//! covered by nothing: nobody looks at them, nor at what follows the payload.
//!
//! GCM breaks when two different messages are sealed with the same key and
//! nonce: whoever has both learns the difference of their contents and can
//! forge others from then on. That makes the counting as important as the
//! cipher:
//!
//! - Each key has one counter. A request has the next number, which is odd, its
//!   response the one after that. The security processor counts an exchange
//!   when it answers, and takes no number but the next.
//! - The host decides whether a message arrives. A guest that gets an error for
//!   an answer cannot know whether its request was counted, and the host has
//!   seen it in any case. It may send *the same bytes* again; a new message
//!   with the same number is what must never be (Linux did that until 2022:
//!   commit 47894e0fa6a5, "Prevent IV reuse in the SNP guest driver"), and one
//!   with a higher number would not be taken.
//!
//! So a [`Channel`] seals nothing while a reply is outstanding, and a reply that
//! is not right closes it: the key is wiped, since there is no number left
//! that could safely be used.
//!
//! # On bare metal
//!
//! The cipher's crates have code with vector instructions, chosen at run time
//! by CPUID. For targets without an operating system that choice is made when
//! compiling, against it: there the portable code runs, in constant time, with
//! general registers only, and CPUID is not asked. The unused code still has to
//! compile, which it does not for `x86_64-unknown-none` at low optimisation; the
//! compiler flags `--cfg aes_backend="soft"` and `--cfg polyval_backend="soft"`
//! leave it out. Sealing and opening take some 4 KiB of stack, besides the
//! messages.
//!
//! # Example
//!
//! A guest asks a security processor for a report.
//!
//! ```
//! use abi_snp::{
//!     AttestationReport, GuestMessage, KeySelection, ReportRequest, ReportResponse, SecretsPage,
//!     VmpckId,
//! };
//! use snp_messages::{Channel, Responder};
//! use zerocopy::{FromBytes, IntoBytes};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The security processor fills in the secrets page and keeps the keys.
//! let mut secrets = SecretsPage::read_from_bytes(&[7; 0x1000]).map_err(|_| "size")?;
//! let mut responder = Responder::new(&secrets.vmpck);
//! let mut channel = Channel::new(&mut secrets, VmpckId(0))?;
//!
//! let mut request = GuestMessage::zeroed();
//! channel.seal(&ReportRequest::new([1; 64], 0, KeySelection::ANY), &mut request)?;
//!
//! // What the host carries is copied before it is looked at.
//! let asked = responder.open(&mut request)?;
//! let wanted = ReportRequest::ref_from_bytes(asked.payload()).map_err(|_| "size")?;
//! let mut report = AttestationReport::version_2();
//! report.report_data = wanted.report_data;
//! let mut reply = GuestMessage::zeroed();
//! responder.seal(asked, ReportResponse::with_report(report).as_bytes(), &mut reply)?;
//!
//! let response = channel.open::<ReportRequest>(&mut reply)?;
//! assert_eq!(response.report()?.report_data, [1; 64]);
//! # Ok(())
//! # }
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod channel;
mod counter;
mod key;
mod responder;
#[cfg(test)]
mod samples;

pub use channel::{Channel, ChannelState, NoKeyError, OpenError, SealError};
pub use responder::{ReceivedRequest, RequestError, Responder, ResponseError};
