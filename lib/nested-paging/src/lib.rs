//! Nested page tables of a guest with private and shared memory.
//!
//! A hypervisor without memory encryption can still tell a guest's private
//! accesses from its shared ones: the guest's page tables mark them by the
//! C-bit, and to a processor that knows no C-bit this is just one more bit of
//! the guest physical address. So the nested page tables map every guest page
//! twice, once at each [`View`] of its address, and may lead to different
//! memory.
//!
//! | type | what |
//! |---|---|
//! | [`CBit`], [`View`] | guest physical addresses with and without the bit |
//! | [`NestedPageTable`] | maps them, with five levels [APM 24593 §15.25] |
//! | [`Tables`] | the memory that tables lie in: the caller's |
//!
//! Nothing here executes an instruction: whoever runs the guest sees to it that
//! the processor forgets the translations it has cached.
#![no_std]
#![forbid(unsafe_code)]

mod page_table;
mod tables;
mod view;

pub use page_table::{Access, Error, Mapping, NestedPageTable};
pub use tables::Tables;
pub use view::{CBit, View};
