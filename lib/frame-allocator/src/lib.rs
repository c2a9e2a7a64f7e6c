//! Buddy allocator of page frames that knows what each frame is used for.
//!
//! A [`FrameAllocator`] manages a range of physical memory and never touches
//! it: all that it knows lies in one [`FrameEntry`] of eight bytes per frame,
//! which the caller lends. Free frames form blocks of 2^n frames at multiples of
//! 2^n, and two blocks that are halves of one become one again as soon as both
//! are free (D. E. Knuth, The Art of Computer Programming, volume 1, §2.5).
//! Requests need not be powers of two: what is too much goes back at once.
//!
//! Every frame in use carries its [`Kind`], a number whose meaning is the
//! caller's. So there are figures by kind, and a frame that is given back twice
//! or as something that it is not is noticed.
//!
//! `frame-pool` does a simpler job without memory of its own, for programs that
//! seldom give frames back.
#![no_std]
#![forbid(unsafe_code)]

mod allocator;
mod entry;
mod kind;

pub use allocator::{AddError, FrameAllocator, HIGHEST_ORDER, OutOfFrames};
pub use entry::FrameEntry;
pub use kind::{KINDS, Kind};
