//! Heap of slabs on page frames.
//!
//! A [`SlabHeap`] serves requests up to [`LARGEST_OBJECT`] bytes from *slabs*:
//! up to four frames, cut into objects of one size (J. Bonwick, "The Slab
//! Allocator", USENIX Summer 1994). Larger requests take frames of their own.
//! Slabs without an object go back, but for one of each size that takes one frame.
//!
//! What is known of a slab stands in its first 64 bytes ([`Slab`]): which
//! objects are in use as a bitmap, and its neighbours in the list of slabs with
//! room. Objects themselves are never read or written, so a stray write into a
//! free one changes nothing here, and an object that is given back twice is
//! noticed.
//!
//! Where frames come from and how a slab's first bytes are reached is the
//! caller's to say, through [`SlabMemory`].
#![no_std]
#![forbid(unsafe_code)]

mod class;
mod heap;
mod slab;

pub use class::LARGEST_OBJECT;
pub use heap::{SlabHeap, SlabMemory};
pub use slab::Slab;
