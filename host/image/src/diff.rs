//! Comparing: what differs between two IGVM files, in words.
//!
//! Guest memory is compared page by page and platform by platform; everything
//! else as the [inspector](crate::inspect) tells it, fact by fact. Where a fact
//! is missing on one side it was added or removed.

mod comparison;
mod fact;
mod memory;
mod text;

pub use comparison::Diff;
pub use fact::FactChange;
pub use memory::{MemoryChange, PageChange};

#[cfg(test)]
mod tests;
