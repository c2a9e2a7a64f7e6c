//! What every page of the VM is: shared, private, whose, or none of ours.
//!
//! The processor does not keep a guest from validating a page twice, and a host
//! that remaps a page in between would then have two pages behind one address
//! [APM 24593 §15.36.6]. So the kernel keeps account of every 4 KiB page of the
//! VM, and changes none without having claimed it here:
//!
//! ```text
//! claim(pages, expected, next) ──► Claim ── the change itself ── commit()
//!        │                           └── dropped: as it was
//!        └──► Refusal: other state, claimed by another processor, no such change
//! ```
//!
//! What a guest asks for and what the host does wrong is refused from the
//! table: a page that is validated already, that belongs to the module, that is
//! shared, or that is not the VM's.
//!
//! # Representation
//!
//! One word for each 2 MiB of addresses says that all pages are the same, or
//! names a block of 256 bytes with 4 bits for each page. Blocks come from a
//! [`DetailBlocks`], which may have none left; a chunk whose pages are all the
//! same again gives its block back. Claims take no memory once they exist:
//! whether committed or dropped, they cannot fail.
//!
//! # Processors
//!
//! A bit of the chunk's word is a lock that is held while the word and its
//! block are looked at and changed: for some hundred instructions, never while
//! a page changes in reality. Nobody holds two. Exception handlers must not use
//! the table, and who can be interrupted masks interrupts around its calls: an
//! interrupted holder would let others wait.
//!
//! [`Work`] hands pieces of a large range out to all processors.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, clippy::disallowed_macros, reason = "tests may panic")
)]

mod atomic;
mod chunk_part;
#[cfg(test)]
mod chunk_part_tests;
mod chunk_size;
mod claim;
mod counts;
mod detail;
#[cfg(test)]
mod detail_tests;
mod fixed_blocks;
mod growing_blocks;
mod locked_chunk;
#[cfg(test)]
mod race_tests;
mod refusal;
mod state;
#[cfg(test)]
mod state_tests;
mod table;
#[cfg(test)]
mod table_tests;
mod word;
mod work;
#[cfg(test)]
mod work_tests;

pub use chunk_part::{CHUNK_SIZE, ChunkPart, PAGE_SIZE};
pub use chunk_size::PAGES_PER_CHUNK;
pub use claim::Claim;
pub use detail::{BlockNumber, DetailBlock, DetailBlocks};
pub use fixed_blocks::FixedBlocks;
pub use growing_blocks::{GrowingBlocks, NoPlace, PageAccount};
pub use refusal::Refusal;
pub use state::{GuestLevel, Owner, PageState};
pub use table::PageStates;
pub use word::ChunkWord;
pub use work::Work;
