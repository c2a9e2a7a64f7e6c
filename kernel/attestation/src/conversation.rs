//! One message and its reply after the other, whatever the host says.
//!
//! A message that is sealed has to be answered before the next one may be. What
//! the host says about its fate proves nothing, so it only decides what is tried
//! next:
//!
//! | the host says | then |
//! |---|---|
//! | here is the reply | it is opened; if it is not the right one, the key is wiped |
//! | busy | the same message again, after pauses that grow; at last the key is wiped |
//! | certificates take more pages | the same message again, with more pages or without certificates |
//! | anything else | the same message again, a few times; then the key is wiped |

use abi_snp::{GuestMessage, GuestRequest, ReportRequest, SecretsPage, VmpckId};
use alloc::boxed::Box;
use hal::OutOfMemory;
use hal::security_processor::{CarryError, MOST_CERTIFICATE_PAGES};
use kernel_log::log_for_host;
use snp_messages::{Channel, ChannelState, NoKeyError};
use zerocopy::FromZeros;

use crate::carrier::Carrier;
use crate::certificates::Certificates;
use crate::error::RequestError;

/// The first pause after the host was busy, in nanoseconds; each further one is
/// twice as long.
const FIRST_PAUSE_NS: u64 = 1_000_000;

/// How many pauses there are for one message: 8.2 seconds in all, so that a host
/// may hold back a guest that asks too often. Linux tries every two seconds, for a
/// minute [Linux `SNP_REQ_RETRY_DELAY`, `SNP_REQ_MAX_RETRY_DURATION`, *from
/// memory*].
const MOST_PAUSES: u32 = 13;

/// How often one message is sent whose fate is unknown.
const MOST_FAILURES: u32 = 3;

/// How often the host may change its mind about the size of its certificates.
const MOST_SIZES: u32 = 3;

/// Why there is no conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BeginError {
    /// There is no key for it.
    #[error(transparent)]
    Key(#[from] NoKeyError),
    /// There is no memory for messages.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
}

/// The conversation by one key.
pub(crate) struct Conversation<C> {
    channel: Channel,
    carrier: C,
    /// The request that was sealed last, kept until it is answered.
    request: Box<GuestMessage>,
    reply: Box<GuestMessage>,
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain,
    ForCertificates,
}

/// What came back with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivered {
    /// A reply.
    Reply,
    /// The host's certificates take so many pages; there is no reply.
    TooFewPages(u64),
}

impl<C: Carrier> Conversation<C> {
    /// A conversation by key `vmpck`, which is taken out of the secrets page.
    ///
    /// # Errors
    ///
    /// There is no key, or no memory.
    pub(crate) fn new(
        secrets: &mut SecretsPage,
        vmpck: VmpckId,
        carrier: C,
    ) -> Result<Self, BeginError> {
        let page = || GuestMessage::new_box_zeroed().map_err(|_| OutOfMemory);
        let (request, reply) = (page()?, page()?);
        let channel = Channel::new(secrets, vmpck)?;
        Ok(Self { channel, carrier, request, reply })
    }

    /// Asks for something.
    ///
    /// # Errors
    ///
    /// [`RequestError::KeyLost`].
    pub(crate) fn ask<R: GuestRequest>(
        &mut self,
        request: &R,
    ) -> Result<R::Response, RequestError> {
        self.seal(request)?;
        match self.deliver(Way::Plain)? {
            Delivered::Reply => self.open::<R>(),
            Delivered::TooFewPages(_) => {
                Err(self.lose("the host wants pages for certificates that nobody asked for"))
            }
        }
    }

    /// Asks for a report and the host's certificates.
    ///
    /// # Errors
    ///
    /// [`RequestError::KeyLost`]. Certificates that cannot be had are left out,
    /// and the log says so.
    pub(crate) fn ask_with_certificates(
        &mut self,
        request: &ReportRequest,
    ) -> Result<(<ReportRequest as GuestRequest>::Response, Certificates), RequestError> {
        self.seal(request)?;
        let certificates = self.deliver_for_certificates()?;
        Ok((self.open::<ReportRequest>()?, certificates))
    }

    /// Delivers the message that was sealed last, with certificates if the host
    /// has any that there is room for.
    fn deliver_for_certificates(&mut self) -> Result<Certificates, RequestError> {
        for _ in 0..MOST_SIZES {
            let needed = match self.deliver(Way::ForCertificates)? {
                Delivered::TooFewPages(needed) => needed,
                Delivered::Reply => {
                    return Ok(Certificates::of(&self.carrier).unwrap_or_else(|error| {
                        log_for_host!(Warning, "certificates are left out: {error}");
                        Certificates::NONE
                    }));
                }
            };
            let is_more = needed > u64::from(self.carrier.certificate_pages());
            let pages = u32::try_from(needed).ok().filter(|pages| *pages <= MOST_CERTIFICATE_PAGES);
            let Some(pages) = pages.filter(|_| is_more) else {
                log_for_host!(Warning, "the host's certificates are left out: {needed} pages");
                break;
            };
            if let Err(error) = self.carrier.make_room(pages) {
                log_for_host!(Warning, "the host's certificates are left out: {error}");
                break;
            }
        }
        match self.deliver(Way::Plain)? {
            Delivered::Reply => Ok(Certificates::NONE),
            Delivered::TooFewPages(_) => {
                Err(self.lose("the host wants pages for certificates that nobody asked for"))
            }
        }
    }

    /// Has the message that was sealed last delivered: the same one each time.
    fn deliver(&mut self, way: Way) -> Result<Delivered, RequestError> {
        let (mut pauses, mut failures) = (0, 0);
        loop {
            let carried = match way {
                Way::Plain => self.carrier.exchange(&self.request, &mut self.reply),
                Way::ForCertificates => {
                    self.carrier.exchange_for_certificates(&self.request, &mut self.reply)
                }
            };
            match carried {
                Ok(()) => return Ok(Delivered::Reply),
                Err(CarryError::TooFewPages(needed)) => return Ok(Delivered::TooFewPages(needed)),
                Err(CarryError::Busy) if pauses == MOST_PAUSES => {
                    return Err(self.lose("the host was busy for too long"));
                }
                Err(CarryError::Busy) => {
                    self.carrier.pause(FIRST_PAUSE_NS << pauses);
                    pauses += 1;
                }
                Err(error) => {
                    failures += 1;
                    if failures == MOST_FAILURES {
                        return Err(self.lose(error));
                    }
                }
            }
        }
    }

    /// Seals a request.
    fn seal<R: GuestRequest>(&mut self, request: &R) -> Result<(), RequestError> {
        if self.channel.state() == ChannelState::Closed {
            return Err(RequestError::KeyLost);
        }
        let sealed = self.channel.seal(request, &mut self.request);
        sealed.map_err(|error| self.lose(error))
    }

    /// Opens the reply to the message that was sealed last.
    fn open<R: GuestRequest>(&mut self) -> Result<R::Response, RequestError> {
        let opened = self.channel.open::<R>(&mut self.reply);
        opened.map_err(|error| self.lose(error))
    }

    /// Wipes the key, and says why.
    fn lose(&mut self, why: impl core::fmt::Display) -> RequestError {
        self.channel.close();
        log_for_host!(
            Error,
            "the key of messages to the security processor is wiped, no more can be sent: {why}"
        );
        RequestError::KeyLost
    }
}

#[cfg(test)]
mod tests;
