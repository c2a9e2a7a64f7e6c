//! TLB shootdown: processors forget address translations on request.
//!
//! A processor keeps translations that it has used. Who takes a mapping away
//! must know that every processor which may have used it has forgotten it,
//! before the memory gets another use. The protocol between them is here; the
//! instruction that forgets, and how a processor is made to look at its
//! requests, are the caller's.
//!
//! | type | one for each | what |
//! |---|---|---|
//! | [`FlushRequests`] | processor | how many requests it got, how many are done, and whether it is away |
//! | [`ActiveProcessors`] | address space | which processors may keep translations of it |
//!
//! There is no list of addresses and no lock: a processor forgets everything,
//! once for all requests that came since it looked last. So any number of
//! processors may ask at the same time, and a request never waits for room.
//!
//! # The requester
//!
//! 1. changes the page tables;
//! 2. reads [`ActiveProcessors::all`], and for each processor but itself calls
//!    [`FlushRequests::request`] and makes it look;
//! 3. waits for [`FlushRequests::is_done`] of each ticket, and serves its own
//!    requests meanwhile: two that ask each other would otherwise wait for ever.
//!    Whatever it does meanwhile keeps no third one from serving its own: it
//!    holds no lock.
//!
//! # Being away
//!
//! A processor that rests, or runs a guest, can be kept from going on for as
//! long as the host likes. It must not be waited for. So it says that it
//! [leaves](FlushRequests::leave), and uses no mapping that could change until it
//! has [come back](FlushRequests::come_back): it stays on memory that is mapped
//! in the same way for ever. Who asks a processor that is away leaves a mark and
//! goes on; the processor finds the mark when it comes back, and forgets all
//! translations before it uses one. Mark, presence and number of requests are one
//! word, so that each request either is seen on the way out or finds the
//! processor gone.
//!
//! # Entering an address space
//!
//! A processor first calls [`ActiveProcessors::enter`] and then uses the tables
//! for the first time. A requester that does not see it yet has changed the
//! tables before the processor reads them: both sides put a sequentially
//! consistent fence between their write and their read, so that one of them sees
//! what the other wrote.
#![no_std]
#![forbid(unsafe_code)]

mod active;
mod atomic;
mod empty;
mod requests;

#[cfg(test)]
mod race_tests;

pub use active::{ActiveProcessors, MAX_PROCESSORS};
pub use requests::{FlushRequests, Ticket};
